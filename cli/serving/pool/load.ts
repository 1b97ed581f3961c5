import { Worker } from 'node:worker_threads'
import { ServingError, servingError } from '../protocol/index.js'
import type { Refusal } from './messages.js'

export interface Load {
  /** Where it lies, or what it is called where `bytes` are given. */
  readonly path: string
  readonly bytes?: Uint8Array
  readonly maxMemory?: number
}

export type Loaded =
  | { readonly file: Uint8Array; readonly labels: readonly string[] | undefined }
  | { readonly refusal: Refusal }

/** Milliseconds that a model may be compiled for: others wait behind it. */
const longest = 600_000

/** A model's .cairn bytes, and the classes that `cairn train` has named in it; compiled in a thread of its own. */
export function load(what: Load): Promise<Extract<Loaded, { file: unknown }>> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL('./load-thread.js', import.meta.url), { execArgv: [], workerData: what })
    const fail = (why: string) => reject(new ServingError('internal', `${what.path}: loading has failed: ${why}`))
    const timer = setTimeout(() => {
      reject(new ServingError('invalid', `${what.path}: not loaded in ${longest / 60_000} minutes`))
      worker.terminate()
    }, longest)
    worker.on('error', error => fail((error as Error).message))
    worker.on('exit', code => {
      clearTimeout(timer)
      fail(`exit code ${code}`)
    })
    worker.on('message', (loaded: Loaded) => {
      if ('file' in loaded) resolve(loaded)
      else reject(servingError(Object.assign(new Error(loaded.refusal.message), { name: loaded.refusal.name })))
      worker.terminate()
    })
  })
}
