import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type * as OrtNode from 'onnxruntime-node'
import { prepare, type Subject } from '../../cli/measure/index.js'

/** What onnxruntime's webgpu provider makes of one run. */
export interface OrtKernels {
  /** Nodes of its optimised graph that it runs, and those of them that the CPU runs. */
  readonly nodes: number
  readonly onCpu: number
  /** Programs that it hands to the GPU: its dispatches. */
  readonly dispatches: number
}

/** An event of onnxruntime's profile, in Chrome's trace format. */
interface ProfileEvent {
  readonly cat: string
  readonly name: string
  readonly args?: { readonly provider?: string }
}

/** Counts the events of a profile of `runs` runs: kernels of nodes, and programs, which are events of category Api. */
export function countKernels(events: readonly ProfileEvent[], runs = 1): OrtKernels {
  const kernels = events.filter(({ cat, name }) => cat === 'Node' && name.endsWith('_kernel_time'))
  return {
    nodes: kernels.length / runs,
    onCpu: kernels.filter(({ args }) => args?.provider === 'CPUExecutionProvider').length / runs,
    dispatches: events.filter(({ cat }) => cat === 'Api').length / runs
  }
}

/** Counted in one run under onnxruntime's own profiler; or why the provider does not run the model. */
export async function ortKernels({ source, feeds }: Subject): Promise<OrtKernels | string> {
  const folder = mkdtempSync(join(tmpdir(), 'cairn-ort-'))
  try {
    await prepare('ort-webgpu')
    const module = await import('onnxruntime-node')
    const ort = (module.default ?? module) as typeof OrtNode
    const session = await ort.InferenceSession.create(source!.onnx, {
      executionProviders: ['webgpu'],
      logSeverityLevel: 4,
      enableProfiling: true,
      profileFilePrefix: join(folder, 'profile')
    })
    const given = feeds.map(({ name, data, dims }) => [name, new ort.Tensor('float32', data as Float32Array, dims)])
    await session.run(Object.fromEntries(given))
    session.endProfiling()
    await session.release()
    return countKernels(JSON.parse(readFileSync(join(folder, readdirSync(folder)[0]), 'utf8')))
  } catch (error) {
    return (error as Error).message.split('\n')[0]
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
