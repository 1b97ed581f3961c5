import type { Declared } from '../../compiler/onnx/index.js'
import { CairnError } from '../../runtime/base/index.js'
import { inBrowser, inBrowserAlone, inNode } from '../../runtime/compile-worker-place.js'
import { mayUseWorkers, type Spawned, spawn } from '../../runtime/cpu/index.js'
import type { Given } from '../../runtime/file/index.js'
import type { CairnSettings } from '../types.js'
import { digestOf, keyOf } from './cache.js'
import type { Job, Made } from './job.js'
import type { Cache } from './kept.js'
import type { Answered } from './work.js'

/** A model whose inputs have to be known before it can be compiled, and why. */
export type Waiting = Pick<Made, 'ports' | 'waits'>

/** A model's bytes, and what is known of them without reading them. */
interface Model {
  bytes(): Promise<Uint8Array>
  readonly mark?: string
  readonly digest?: string
}

/**
 * What `open` makes of ONNX bytes once they are compiled: of the cache, or now. What cannot be opened of the cache is made anew.
 * `note` is told where the worker for it cannot be had.
 */
export async function compiled<T>(
  model: Model,
  job: Omit<Job, 'bytes'>,
  cache: Cache | undefined,
  settings: CairnSettings,
  open: (file: Given, ports: Declared) => Promise<T>,
  note: (text: string) => void
): Promise<T | Waiting> {
  const { externals, place: _, ...asked } = job
  const digest = cache && (model.digest ?? (await digestOf(await model.bytes())))
  const key = digest && (await keyOf(digest, externals, asked))
  const known = key ? await cache.find(key).catch(() => undefined) : undefined
  const opened = known && (await open(known.file, known.ports).catch(() => undefined))
  const remember = async () => {
    if (digest && model.mark && !model.digest) await cache.remember(model.mark, digest)
  }
  if (opened) {
    await remember().catch(() => undefined)
    return opened
  }
  const bytes = await model.bytes()
  const { ports, file, waits, beside } = await make({ ...job, bytes }, settings, note)
  if (!file) return { ports, waits }
  const keep = async () => {
    await cache!.keep(key!, ports, file)
    await remember()
  }
  const kept = beside || !key ? undefined : keep().catch(() => undefined)
  return open(file, ports).finally(() => kept)
}

/**
 * In a worker, on pages and in Node alike: whoever waits for a session has something else to do, and the compiler is no part of
 * what Node's `require` loads. Where there are no workers, or none that may load its script, in this thread.
 */
async function make(job: Job, { worker = true }: CairnSettings, note: (text: string) => void): Promise<Made> {
  const asked = worker && mayUseWorkers()
  const answered = asked
    ? ((await ask(job, inBrowser)) ?? (isPage() ? await ask(job, inBrowserAlone) : undefined))
    : undefined
  if (asked && !answered)
    note(
      'the model is compiled in the thread that asks for it, because the script compile-worker.js cannot be had here'
    )
  if (!answered) return (await import('./job.js')).perform(job)
  if ('error' in answered) throw new CairnError(answered.error)
  return answered.made
}

const isPage = () => typeof Worker !== 'undefined' && !globalThis.process?.versions?.node

/** What the worker answers; undefined where its script cannot be had, as from another origin. */
function ask(job: Job, script: () => Worker): Promise<Answered | undefined> {
  return new Promise(resolve => {
    let worker: Spawned | undefined
    const end = (answered?: Answered) => {
      resolve(answered)
      void worker?.end()
    }
    try {
      worker = spawn(script, inNode, { message: data => end(data as Answered), failed: () => end() })
      worker.hold(true)
      worker.post(job)
    } catch {
      end()
    }
  })
}
