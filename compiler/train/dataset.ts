import { CairnError } from '../../runtime/backend.js'
import { Random } from '../../runtime/train/random.js'
import { Breath } from './breath.js'
import type { Engine } from './engine.js'

/** Labelled examples as a model takes them. */
export interface Dataset {
  /** The class of each example, counted from 0. */
  readonly labels: readonly number[]
  /** The model's input for one example, without a batch axis; augmented by the numbers of `random` where it is given. */
  input(index: number, random: Random | undefined): Float32Array | Promise<Float32Array>
  /** Whether examples differ with `random`. */
  readonly augmented?: boolean
}

/** What the trained part reads for an example in an epoch. */
export interface Examples {
  of(index: number, epoch: number): Float32Array | Promise<Float32Array>
  /** As validation sees it: never augmented. */
  plain(index: number): Float32Array | Promise<Float32Array>
}

/** Bytes of features that are kept at most. */
const largestCache = 2 ** 31

/** Examples whose network is trained as a whole: drawn anew in every epoch. */
export function freshExamples(data: Dataset, seed: number): Examples {
  const random = new Random(seed)
  return {
    of: (index, epoch) => data.input(index, data.augmented ? random.fork(`${index} in ${epoch}`) : undefined),
    plain: index => data.input(index, undefined)
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
    signal?.throwIfAborted()
    const input = await data.input(index, variant ? random.fork(`${index} as ${variant}`) : undefined)
    const [features] = await frozen.runSingle(input)
    checkSize(total * features.byteLength, total)
    cache.set(`${index}/${variant}`, features)
    progress(done + 1, total)
  }
  return {
    of: (index, epoch) => cache.get(`${index}/${epoch % variants}`) ?? cache.get(`${index}/0`)!,
    plain: index => cache.get(`${index}/0`)!
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
  const known = new Map<Float32Array, Float32Array>()
  const through = async (features: Float32Array): Promise<Float32Array> => {
    let made = known.get(features)
    if (!made) known.set(features, (made = (await frozen.runSingle(features))[0]))
    return made
  }
  return {
    of: async (index, epoch) => through(await examples.of(index, epoch)),
    plain: async index => through(await examples.plain(index))
  }
}
