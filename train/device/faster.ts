import { notWorthTrying } from '../../runtime/backend/index.js'
import { CairnError } from '../../runtime/base/index.js'
import { type CairnFile, evaluate } from '../../runtime/file/index.js'
import { Engine } from './engine.js'

/** What a device is tried with: a file, on so many examples at once, so many times for each step of a training. */
export interface Work {
  readonly file: () => CairnFile
  readonly count: number
  readonly times: number
}

/** A device, and the sentence that says why. */
export interface Choice {
  readonly device: 'wasm' | 'webgpu'
  readonly why: string
}

/** Runs of each that are timed, behind one that warms up; the fastest counts. */
const timedRuns = 2

/** The faster of the CPU path and WebGPU. An adapter that only imitates a GPU is not tried. */
export async function fasterDevice(works: readonly Work[], threads: number): Promise<Choice> {
  const reason = await notWorthTrying({ name: 'webgpu' })
  if (reason !== undefined) return { device: 'wasm', why: reason }
  try {
    const onGpu = await timeOf(works, 'webgpu', threads)
    const onCpu = await timeOf(works, 'wasm', threads)
    const device = onGpu < onCpu ? 'webgpu' : 'wasm'
    return { device, why: `${onCpu.toFixed(1)} ms a step on wasm, ${onGpu.toFixed(1)} on webgpu` }
  } catch (error) {
    if (!(error instanceof CairnError)) throw error
    return { device: 'wasm', why: `webgpu refused a trial: ${error.message}` }
  }
}

/** Milliseconds of a step on random numbers, whose states are thrown away. */
async function timeOf(works: readonly Work[], device: string, threads: number): Promise<number> {
  let sum = 0
  for (const { file, count, times } of works) {
    const opened = file()
    const engine = await Engine.open(opened, device, threads)
    try {
      const feeds = noiseFor(opened, count)
      await engine.run(count, feeds)
      let fastest = Number.POSITIVE_INFINITY
      for (let i = 0; i < timedRuns; i++) {
        const began = performance.now()
        await engine.run(count, feeds)
        fastest = Math.min(fastest, performance.now() - began)
      }
      sum += times * fastest
    } finally {
      await engine.release()
    }
  }
  return sum
}

function noiseFor({ header }: CairnFile, count: number): Record<string, Float32Array> {
  const bindings = Object.fromEntries(header.free.map(name => [name, count]))
  return Object.fromEntries(
    header.inputs.map(({ name, shape }) => {
      const length = shape.reduce<number>((size, dim) => size * evaluate(dim, bindings), 1)
      return [name, Float32Array.from({ length }, Math.random)]
    })
  )
}
