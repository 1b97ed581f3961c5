import { Breath, CairnError } from '../runtime/base/index.js'
import { Random } from '../runtime/train/index.js'
import type { Engine } from './device/engine.js'

/** Labelled examples as a model takes them. */
export interface Dataset {
  /** The class of each example, counted from 0. */
  readonly labels: readonly number[]
  /** The model's input for one example, without a batch axis; augmented by the numbers of `random` where it is given. */
  input(index: number, random: Random | undefined): Float32Array | Promise<Float32Array>
  /** Whether examples differ with `random`. */
  readonly augmented?: boolean
  /** What a checkpoint must agree with beside labels and settings: names of files, augmentations. */
  readonly identity?: string
}

/** What the trained part reads for an example in an epoch. */
export interface Examples {
  of(index: number, epoch: number): Float32Array | Promise<Float32Array>
  /** As validation sees it: never augmented. */
  plain(index: number): Float32Array | Promise<Float32Array>
  /** Equal for what is equal; undefined for what comes once. */
  key(index: number, epoch: number): string | undefined
}

/** Bytes of features that are kept at most. */
const largestCache = 2 ** 31

/** Examples whose network is trained as a whole: drawn anew in every epoch. */
export function freshExamples(data: Dataset, seed: number): Examples {
  const random = new Random(seed)
  return {
    of: (index, epoch) => data.input(index, data.augmented ? random.fork(`${index} in ${epoch}`) : undefined),
    plain: index => data.input(index, undefined),
    key: index => (data.augmented ? undefined : String(index))
  }
}

/**
 * Features of all examples, computed once: of the plain one and, where the examples are augmented, of as many variants as
 * `copies`, one of which each epoch takes. `training` are the examples that variants are wanted of.
 */
export async function cachedExamples(
  data: Dataset,
  frozen: Engine,
  { seed, copies, training }: { seed: number; copies: number; training: readonly number[] },
  progress: (done: number, total: number) => void,
  signal?: AbortSignal
): Promise<Examples> {
  const count = data.labels.length
  const variants = data.augmented ? copies : 1
  const total = count + (variants - 1) * training.length
  const random = new Random(seed)
  const cache = new Map<string, Float32Array>()
  const jobs = [
    ...data.labels.map((_, index) => ({ index, variant: 0 })),
    ...training.flatMap(index => Array.from({ length: variants - 1 }, (_, i) => ({ index, variant: i + 1 })))
  ]
  const breath = new Breath()
  for (const [done, { index, variant }] of jobs.entries()) {
    await breath.take()
    if (signal?.aborted) throw new CairnError('it was told to stop before anything was trained')
    const input = await data.input(index, variant ? random.fork(`${index} as ${variant}`) : undefined)
    const [features] = await frozen.runSingle(input)
    checkSize(total * features.byteLength, total)
    cache.set(`${index}/${variant}`, features)
    progress(done + 1, total)
  }
  return {
    of: (index, epoch) => cache.get(`${index}/${epoch % variants}`) ?? cache.get(`${index}/0`)!,
    plain: index => cache.get(`${index}/0`)!,
    key: (index, epoch) => `${index}/${cache.has(`${index}/${epoch % variants}`) ? epoch % variants : 0}`
  }
}

function checkSize(bytes: number, examples: number): void {
  if (bytes <= largestCache) return
  const [needed, most] = [bytes, largestCache].map(size => Math.ceil(size / 2 ** 20))
  throw new CairnError(
    `features of ${examples} examples take ${needed} MiB, ${most} are allowed; unfreeze fewer blocks or keep fewer copies`
  )
}

/** The same examples a few layers on. */
export function furtherExamples(examples: Examples, frozen: Engine): Examples {
  const known = new Map<string, Float32Array>()
  const through = async (key: string | undefined, input: Float32Array | Promise<Float32Array>) => {
    const ready = key === undefined ? undefined : known.get(key)
    if (ready) return ready
    const [made] = await frozen.runSingle(await input)
    if (key !== undefined) known.set(key, made)
    return made
  }
  return {
    of: (index, epoch) => through(examples.key(index, epoch), examples.of(index, epoch)),
    plain: index => through(`plain ${index}`, examples.plain(index)),
    key: examples.key
  }
}
