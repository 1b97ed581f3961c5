// What a page or its worker does for a test: fetches a task, runs its models, posts the report to where the task was.
import type * as Cairn from '../../../../runtime/index.js'
import { pack, unpack } from './pack.js'

export interface PlainTensor {
  readonly type: Cairn.Type
  readonly dims: readonly number[]
  readonly data: Cairn.Tensor['data']
}

export type Plain = Readonly<Record<string, PlainTensor>>

export interface Task {
  /** Where the runtime is. */
  readonly runtime: string
  readonly device: string
  readonly numThreads?: number
  /** Workers of a parallel session, instead of a session. */
  readonly workers?: number
  readonly binary?: 'simd' | 'relaxed'
  /** Whether to run on NaN before each run, so that what a run leaves unwritten shows. */
  readonly poison?: boolean
  readonly models: readonly {
    /** Bytes, or where to fetch them: by the session, or as a Response that it is given. */
    readonly file: Uint8Array<ArrayBuffer> | string
    readonly asResponse?: boolean
    readonly feeds: readonly Plain[]
  }[]
}

export interface Ran {
  readonly device: string
  readonly threads: number
  readonly progress: readonly (readonly [loaded: number, total: number])[]
  readonly outputs: readonly Plain[]
}

export interface Report {
  readonly isolated: boolean
  readonly results: readonly (Ran | { readonly error: string })[]
}

export async function perform(at: string): Promise<void> {
  const task = unpack<Task>(await (await fetch(at)).arrayBuffer())
  const cairn: typeof Cairn = await import(task.runtime)
  if (task.binary) cairn.env.wasm.binary = task.binary
  const results: Report['results'][number][] = []
  for (const model of task.models)
    results.push(await run(cairn, task, model).catch((error: Error) => ({ error: `${error.name}: ${error.message}` })))
  const report: Report = { isolated: globalThis.crossOriginIsolated, results }
  const { status } = await fetch(at, { method: 'POST', body: pack(report) })
  if (status !== 204) throw new Error(`the report was answered ${status}`)
}

/** Released only behind the next one, which then need not open a device anew. */
let before: { release(): Promise<void> } | undefined

async function run(cairn: typeof Cairn, task: Task, model: Task['models'][number]): Promise<Ran> {
  const progress: [number, number][] = []
  const onProgress = (loaded: number, total: number) => progress.push([loaded, total])
  const { device, numThreads, workers } = task
  const source = model.asResponse ? await fetch(model.file as string) : model.file
  const session = workers
    ? await cairn.ParallelSession.create(source, { workers, onProgress })
    : await cairn.InferenceSession.create(source, { executionProviders: [device], numThreads, onProgress })
  const tensorsOf = (feeds: Plain) =>
    Object.fromEntries(
      Object.entries(feeds).map(([name, { type, data, dims }]) => [name, new cairn.Tensor(type, data, dims)])
    )
  const outputs: Plain[] = []
  for (const feeds of model.feeds) {
    if (task.poison) await session.run(tensorsOf(spoiled(feeds)))
    const results = await session.run(tensorsOf(feeds))
    outputs.push(
      Object.fromEntries(Object.entries(results).map(([name, { type, data, dims }]) => [name, { type, data, dims }]))
    )
  }
  const ran = session instanceof cairn.InferenceSession ? session : { device, threads: 1 }
  const report = { device: ran.device, threads: ran.threads, progress, outputs }
  await before?.release()
  before = session
  return report
}

function spoiled(feeds: Plain): Plain {
  return Object.fromEntries(
    Object.entries(feeds).map(([name, { type, dims, data }]) => {
      const floats = data instanceof Float32Array || data instanceof Float64Array
      const worst = floats
        ? data.map(() => Number.NaN)
        : type === 'float16'
          ? (data as Uint16Array).map(() => 0x7e00)
          : data
      return [name, { type, dims, data: worst as PlainTensor['data'] }]
    })
  )
}
