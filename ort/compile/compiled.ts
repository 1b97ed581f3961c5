import { CairnError } from '../../runtime/base/index.js'
import { inBrowser, inNode } from '../../runtime/compile-worker-place.js'
import { mayUseWorkers, type Spawned, spawn } from '../../runtime/cpu/index.js'
import { decode } from '../../runtime/file/index.js'
import type { CairnSettings } from '../types.js'
import { keyOf, openCache } from './cache.js'
import type { Job, Made } from './job.js'
import type { Kept } from './kept.js'
import type { Answered } from './work.js'

/** A model that is compiled, or one whose inputs have to be known before it can be. */
export type Compiled = Kept | Pick<Made, 'ports' | 'waits'>

/** ONNX bytes as a compiled model: of the cache, or made now. */
export async function compiled(job: Job, settings: CairnSettings): Promise<Compiled> {
  const { bytes, externals, place: _, ...asked } = job
  const cache = await openCache(settings.cache)
  const key = cache && (await keyOf(bytes, externals, asked))
  const known = await cache?.find(key!).catch(() => undefined)
  if (known && isWhole(known)) return known
  const { ports, file, waits, beside } = await make(job, settings)
  if (!file) return { ports, waits }
  if (!beside) await cache?.keep(key!, ports, file).catch(() => undefined)
  return { ports, file }
}

/** Whether a file can be read; what was kept may have been cut off. */
function isWhole({ file }: Kept): boolean {
  try {
    decode(file)
    return true
  } catch {
    return false
  }
}

/**
 * In a worker, on pages and in Node alike: whoever waits for a session has something else to do, and the compiler is no part of
 * what Node's `require` loads. Where there are no workers, or none that may load its script, in this thread.
 */
async function make(job: Job, { worker = true }: CairnSettings): Promise<Made> {
  const answered = worker && mayUseWorkers() ? await ask(job) : undefined
  if (!answered) return (await import('./job.js')).perform(job)
  if ('error' in answered) throw new CairnError(answered.error)
  return answered.made
}

/** What the worker answers; undefined where its script cannot be had, as from another origin. */
function ask(job: Job): Promise<Answered | undefined> {
  return new Promise(resolve => {
    let worker: Spawned | undefined
    const end = (answered?: Answered) => {
      resolve(answered)
      void worker?.end()
    }
    try {
      worker = spawn(inBrowser, inNode, { message: data => end(data as Answered), failed: () => end() })
      worker.hold(true)
      worker.post(job)
    } catch {
      end()
    }
  })
}
