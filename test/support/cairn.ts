// Runs models on Cairn through the public session, with poisoned memory.
import { build, type CompileOptions } from '../../compiler/index.js'
import { places } from '../../runtime/beside.js'
import { encode } from '../../runtime/file/format.js'
import { env, InferenceSession, Tensor } from '../../runtime/index.js'
import { lease } from '../../runtime/webgpu/device/device.js'
import { gpu, withoutGpu } from './gpu.js'
import { typedArray } from './onnx/model.js'
import { type Named, type Numbers, numbersOf } from './onnx/oracle.js'
import { skip } from './skip.js'

const { CAIRN_BINARY } = process.env
// The wide binary computes the same everywhere, if slowly where it is not for.
if (CAIRN_BINARY === 'wide') env.wasm.wasmPaths = { 'cairn-relaxed.wasm': places['cairn-wide.wasm']() }
else if (CAIRN_BINARY) env.wasm.binary = CAIRN_BINARY as 'simd' | 'relaxed'

export const backends = ['wasm', 'reference', 'webgpu'] as const
export type BackendName = (typeof backends)[number]

/** Those that can run here; the others are counted as skipped. Where a binary of the CPU path is meant, only that path. */
export async function presentBackends(): Promise<readonly BackendName[]> {
  if (CAIRN_BINARY) return ['wasm']
  const reason = await withoutGpu()
  if (reason) {
    skip('every case on webgpu', reason)
    return backends.filter(name => name !== 'webgpu')
  }
  env.webgpu.gpu = await gpu()
  // All sessions of the process share a device: to open one takes longer than most cases.
  await lease()
  return backends
}

export function compileModel(model: Uint8Array, options: CompileOptions = {}): Uint8Array {
  const { program, summary } = build(model, options)
  return encode(program, summary)
}

export function tensorsOf(feeds: Named): Record<string, Tensor> {
  return Object.fromEntries(
    Object.entries(feeds).map(([name, { dtype, dims, data }]) => [
      name,
      new Tensor(dtype, typedArray(dtype, data), dims)
    ])
  )
}

export function numbersOfTensors(results: Readonly<Record<string, Tensor>>): Record<string, Numbers> {
  return Object.fromEntries(
    Object.entries(results).map(([name, { type, dims, data }]) => [
      name,
      { dtype: type, dims, data: numbersOf(type, data as ArrayLike<number>) }
    ])
  )
}

export class Runner {
  private constructor(readonly session: InferenceSession) {}

  static async load(file: Uint8Array, backend: BackendName = 'wasm'): Promise<Runner> {
    // In single precision on adapters that have halves too: test/webgpu/halves.ts is about these.
    const provider = backend === 'webgpu' ? ({ name: backend, precision: 'f32' } as const) : backend
    return new Runner(await InferenceSession.create(file, { executionProviders: [provider] }))
  }

  /**
   * Fills the memory with NaN by running on NaN, then runs: an element that nothing writes, or one that depends on
   * what a run before has left, shows. The reference poisons its storages itself.
   */
  async run(feeds: Named, poison = this.session.device !== 'reference'): Promise<Record<string, Numbers>> {
    if (poison) {
      const spoiled = Object.entries(feeds).map(([name, feed]) => {
        const data = feed.dtype.startsWith('float') ? new Float32Array(feed.data.length).fill(Number.NaN) : feed.data
        return [name, { ...feed, data }]
      })
      await this.session.run(tensorsOf(Object.fromEntries(spoiled)))
    }
    return numbersOfTensors(await this.session.run(tensorsOf(feeds)))
  }

  release(): Promise<void> {
    return this.session.release()
  }
}
