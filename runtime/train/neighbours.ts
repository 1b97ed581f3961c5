import { CairnError } from '../base/index.js'

export type Metric = 'cosine' | 'euclidean'

/** A vector of the index that is near to another. */
export interface Neighbour {
  /** Counted in the order of adding. */
  readonly index: number
  /** Its class. */
  readonly label: number
  /** 1 - cosine of the angle (1 with a vector of zeros), or the Euclidean distance. */
  readonly distance: number
}

/** What neighbours say of a class. */
export interface Vote {
  /** The class. */
  readonly label: number
  /** Share of the neighbours that have this label. */
  readonly share: number
}

/**
 * Feature vectors with the class of each, to find the most similar ones by looking at all: a classifier that needs no
 * training (Cover and Hart, "Nearest neighbor pattern classification", 1967).
 */
export class FeatureIndex {
  private vectors = new Float32Array(0)
  /** 1 / length of each vector. */
  private readonly inverse: number[] = []
  /** The class of each vector, in the order of adding. */
  readonly labels: number[] = []

  /** `dimensions` is the number of elements of a vector. */
  constructor(
    /** Elements of a vector. */
    readonly dimensions: number,
    /** How distances are measured. */
    readonly metric: Metric = 'cosine'
  ) {
    if (!Number.isInteger(dimensions) || dimensions < 1)
      throw new CairnError(`features of ${dimensions} elements: a whole number of at least 1 is allowed`)
  }

  /** Vectors in the index. */
  get size(): number {
    return this.labels.length
  }

  /** Adds a vector, which is copied; throws CairnError where it has another length. */
  add(features: ArrayLike<number>, label: number): void {
    this.check(features)
    const from = this.size * this.dimensions
    if (from === this.vectors.length) {
      const larger = new Float32Array(Math.max(2 * from, 16 * this.dimensions))
      larger.set(this.vectors)
      this.vectors = larger
    }
    this.vectors.set(features, from)
    this.inverse.push(inverseLength(this.vectors.subarray(from, from + this.dimensions)))
    this.labels.push(label)
  }

  /** The `k` nearest, or all where there are fewer, nearest first; equally near ones in the order of adding. */
  nearest(feature: ArrayLike<number>, k: number): Neighbour[] {
    this.check(feature)
    const found: Neighbour[] = []
    const wanted = Math.min(k, this.size)
    const inverse = inverseLength(feature)
    for (let index = 0; index < this.size; index++) {
      const distance = this.distance(feature, inverse, index)
      if (found.length === wanted && !(distance < found[wanted - 1]?.distance)) continue
      let at = found.length
      while (at > 0 && found[at - 1].distance > distance) at--
      found.splice(at, 0, { index, label: this.labels[index], distance })
      if (found.length > wanted) found.pop()
    }
    return found
  }

  /** The labels of the `k` nearest, the most frequent first, of equally frequent ones the one that is nearer on average; none of an empty index. */
  classify(feature: ArrayLike<number>, k: number): Vote[] {
    const found = this.nearest(feature, k)
    const votes = new Map<number, { count: number; distance: number }>()
    for (const { label, distance } of found) {
      const { count, distance: sum } = votes.get(label) ?? { count: 0, distance: 0 }
      votes.set(label, { count: count + 1, distance: sum + distance })
    }
    return [...votes]
      .sort(([, a], [, b]) => b.count - a.count || a.distance - b.distance)
      .map(([label, { count }]) => ({ label, share: count / found.length }))
  }

  private check({ length }: ArrayLike<number>): void {
    if (length !== this.dimensions)
      throw new CairnError(`a feature vector of ${length} elements: ${this.dimensions} are needed`)
  }

  private distance(feature: ArrayLike<number>, inverse: number, index: number): number {
    const from = index * this.dimensions
    let sum = 0
    if (this.metric === 'cosine') {
      for (let i = 0; i < this.dimensions; i++) sum += feature[i] * this.vectors[from + i]
      return 1 - sum * inverse * this.inverse[index]
    }
    for (let i = 0; i < this.dimensions; i++) sum += (feature[i] - this.vectors[from + i]) ** 2
    return Math.sqrt(sum)
  }
}

/** 0 of a vector of zeros. */
function inverseLength(vector: ArrayLike<number>): number {
  let sum = 0
  for (let i = 0; i < vector.length; i++) sum += vector[i] * vector[i]
  return sum ? 1 / Math.sqrt(sum) : 0
}
