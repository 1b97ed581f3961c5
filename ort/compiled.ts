import { CairnError } from '../runtime/base/index.js'
import { keyOf, openCache } from './cache.js'
import type { Job, Made } from './job.js'
import type { Kept } from './kept.js'
import type { CairnSettings } from './types.js'
import type { Answered } from './work.js'
import { inBrowser } from './worker-place.js'

/** A model that is compiled, or one whose inputs have to be known before it can be. */
export type Compiled = Kept | Pick<Made, 'ports' | 'waits'>

/**
 * ONNX bytes as a compiled model: of the cache, or made now. Pages compile in a worker, so that they go on meanwhile. Node does it
 * in the thread that asks, as onnxruntime-node does: it happens once for a model, behind which the file is kept, and a worker would
 * cost every process that finds it there.
 */
export async function compiled(job: Job, settings: CairnSettings): Promise<Compiled> {
  const { bytes, externals, place: _, ...asked } = job
  const cache = await openCache(settings.cache)
  const key = cache && (await keyOf(bytes, externals, asked))
  const known = await cache?.find(key!).catch(() => undefined)
  if (known) return known
  const { ports, file, waits, beside } = await make(job, settings)
  if (!file) return { ports, waits }
  if (!beside) await cache?.keep(key!, ports, file).catch(() => undefined)
  return { ports, file }
}

async function make(job: Job, { worker = true }: CairnSettings): Promise<Made> {
  const answered = worker && isPage() ? await ask(job) : undefined
  if (!answered) return (await import('./job.js')).perform(job)
  if ('error' in answered) throw new CairnError(answered.error)
  return answered.made
}

const isPage = () =>
  typeof document !== 'undefined' && typeof Worker === 'function' && !globalThis.process?.versions?.node

/** What the worker answers; undefined where its script cannot be had, as from another origin. */
function ask(job: Job): Promise<Answered | undefined> {
  return new Promise(resolve => {
    let worker: Worker
    try {
      worker = inBrowser()
    } catch {
      resolve(undefined)
      return
    }
    const end = (answered?: Answered) => {
      worker.terminate()
      resolve(answered)
    }
    worker.onmessage = ({ data }) => end(data)
    worker.onerror = event => {
      event.preventDefault()
      end()
    }
    worker.postMessage(job)
  })
}
