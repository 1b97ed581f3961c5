import { CairnError } from '../base/index.js'
import { Random } from './random.js'

/** How examples are divided. */
export interface SplitOptions {
  /** Share of each class for validation, from 0 to 1 (excluded); default 0.2. */
  readonly validation?: number
  /** A whole number from 0 to 2³² - 1; default 0. */
  readonly seed?: number
  /** One key a sample; samples of equal keys go to the same side. By default each is alone. */
  readonly groups?: readonly (string | number)[]
}

/** Positions of samples, in growing order. */
export interface Split {
  /** Those that are trained on. */
  readonly training: number[]
  /** Those that validate. */
  readonly validation: number[]
}

/**
 * Divides samples for training and validation so that each class is divided alike (its group's most frequent label is
 * the class of a group). Each class keeps a group for training, and gives one to validation where it has two or more.
 * The result depends on the seed, the labels and the groups; classes are drawn independently.
 */
export function stratifiedSplit(
  labels: readonly number[],
  { validation = 0.2, seed = 0, groups }: SplitOptions = {}
): Split {
  if (!(validation >= 0 && validation < 1))
    throw new CairnError(`validation share ${validation}: from 0 to below 1 is allowed`)
  if (groups && groups.length !== labels.length)
    throw new CairnError(`${groups.length} groups for ${labels.length} samples: as many of both are needed`)
  const random = new Random(seed)
  const taken = new Set<number>()
  for (const [label, members] of byClass(groupsOf(labels, groups), labels))
    for (const group of forValidation(random.fork(label).shuffle(members), validation))
      for (const index of group) taken.add(index)
  const all = labels.map((_, index) => index)
  return {
    training: all.filter(index => !taken.has(index)),
    validation: all.filter(index => taken.has(index))
  }
}

/** The groups of one class that bring it closest to its share, taken in order; at least one stays. */
function forValidation(groups: readonly number[][], share: number): number[][] {
  if (!share || groups.length < 2) return []
  let wanted = share * groups.reduce((sum, group) => sum + group.length, 0)
  const taken: number[][] = []
  for (const group of groups)
    if (taken.length < groups.length - 1 && Math.abs(wanted - group.length) < Math.abs(wanted)) {
      taken.push(group)
      wanted -= group.length
    }
  return taken.length ? taken : [groups.reduce((least, group) => (group.length < least.length ? group : least))]
}

/** Positions of the samples of each group. */
function groupsOf(labels: readonly number[], keys: SplitOptions['groups']): number[][] {
  if (!keys) return labels.map((_, index) => [index])
  return [
    ...gather(
      labels.map((_, index) => index),
      index => keys[index]
    ).values()
  ]
}

const byClass = (groups: readonly number[][], labels: readonly number[]): Map<number, number[][]> =>
  gather(groups, group => {
    const counts = [...gather(group, index => labels[index])]
    return counts.sort(([a, { length }], [b, other]) => other.length - length || a - b)[0][0]
  })

function gather<T, K>(items: readonly T[], keyOf: (item: T) => K): Map<K, T[]> {
  const result = new Map<K, T[]>()
  for (const item of items) {
    const list = result.get(keyOf(item))
    if (list) list.push(item)
    else result.set(keyOf(item), [item])
  }
  return result
}

/** A weight for each class, inverse to its frequency, so that the mean weight of a sample is 1; 0 for classes without samples. */
export function classWeights(labels: readonly number[], classes: number): Float32Array {
  const counts = new Array<number>(classes).fill(0)
  for (const label of labels) {
    if (!(label in counts)) throw new CairnError(`label ${label}: 0 to ${classes - 1} are allowed`)
    counts[label]++
  }
  const present = counts.filter(count => count > 0).length
  return Float32Array.from(counts, count => (count ? labels.length / (present * count) : 0))
}

export interface BatchOptions {
  readonly size: number
  readonly seed: number
  /** Each has an order of its own, whichever was asked for before. */
  readonly epoch: number
}

/** The samples of an epoch in mini-batches of `size`, shuffled, each once; the last batch may be smaller. */
export function miniBatches(samples: readonly number[], { size, seed, epoch }: BatchOptions): number[][] {
  if (!Number.isInteger(size) || size < 1)
    throw new CairnError(`mini-batches of ${size}: a whole number of at least 1 is allowed`)
  const order = new Random(seed).fork(`epoch ${epoch}`).shuffle([...samples])
  return Array.from({ length: Math.ceil(order.length / size) }, (_, i) => order.slice(i * size, (i + 1) * size))
}
