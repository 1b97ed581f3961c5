import { CairnError, finalise } from '../base/index.js'

/**
 * Seeded random numbers that are the same in every engine: integers and correctly rounded arithmetic, no function of
 * `Math` whose last bit an engine may choose. The generator is xoshiro128** 1.1 (Blackman and Vigna, "Scrambled linear
 * pseudorandom number generators", 2021), its four words come from splitmix32 (Steele et al., "Fast splittable
 * pseudorandom number generators", 2014, with the 32-bit finaliser of Wellons' hash-prospector).
 */
export class Random {
  /** The words at the start, of which forks are made. */
  private origin: Uint32Array
  private words: Uint32Array

  /** `seed` is a whole number from 0 to 2³² - 1. */
  constructor(seed: number) {
    if (!Number.isInteger(seed) || seed < 0 || seed >= 2 ** 32)
      throw new CairnError(`seed ${seed}: a whole number from 0 to ${2 ** 32 - 1} is allowed`)
    this.origin = Uint32Array.from({ length: 4 }, (_, i) => finalise(seed + Math.imul(i + 1, golden)))
    this.words = this.origin.slice()
  }

  /** A whole number of 32 bits. */
  private bits(): number {
    const s = this.words
    const result = Math.imul(rotate(Math.imul(s[1], 5), 7), 9)
    const shifted = s[1] << 9
    s[2] ^= s[0]
    s[3] ^= s[1]
    s[1] ^= s[2]
    s[0] ^= s[3]
    s[2] ^= shifted
    s[3] = rotate(s[3], 11)
    return result >>> 0
  }

  /** In [0, 1), a multiple of 2⁻³². */
  next(): number {
    return this.bits() / 2 ** 32
  }

  /** In [low, high). */
  between(low: number, high: number): number {
    return low + (high - low) * this.next()
  }

  /** One of 0, 1, …, count - 1, all equally likely; `count` is from 1 to 2³². */
  whole(count: number): number {
    if (!Number.isInteger(count) || count < 1 || count > 2 ** 32)
      throw new CairnError(`one of ${count} numbers: 1 to ${2 ** 32} are allowed`)
    const limit = 2 ** 32 - (2 ** 32 % count)
    for (;;) {
      const bits = this.bits()
      if (bits < limit) return bits % count
    }
  }

  /** From the normal distribution of mean 0 and variance 1: ratio of uniforms (Leva, "A fast normal random number generator", 1992). */
  normal(): number {
    for (;;) {
      const u = 1 - this.next()
      const v = 1.7156 * (this.next() - 0.5)
      const x = u - 0.449871
      const y = Math.abs(v) + 0.386595
      const q = x * x + y * (0.196 * y - 0.25472 * x)
      if (q < 0.27597 || (q <= 0.27846 && v * v <= -4 * logarithm(u) * u * u)) return v / u
    }
  }

  /** Shuffles in place (Fisher and Yates; Knuth, TAOCP 2, algorithm 3.4.2 P) and gives the same list. */
  shuffle<T>(list: T[]): T[] {
    for (let i = list.length - 1; i > 0; i--) {
      const j = this.whole(i + 1)
      const kept = list[i]
      list[i] = list[j]
      list[j] = kept
    }
    return list
  }

  /** A stream of its own that depends on the seed (or on the labels of the forks so far) and on `label`, not on what was drawn. */
  fork(label: string | number): Random {
    const fork = new Random(0)
    const words = this.origin.slice()
    for (const code of [...Array.from(String(label), letter => letter.codePointAt(0)!), 0xffffffff]) {
      words[3] ^= code
      for (let i = 0; i < 4; i++) words[i] = finalise(words[i] + words[(i + 3) % 4] + golden)
    }
    if (words.every(word => word === 0)) words[0] = golden
    fork.origin = words
    fork.words = words.slice()
    return fork
  }

  /** Where the stream stands, four words; a generator of the same seed that is given them goes on alike, forks included. */
  get state(): number[] {
    return [...this.words]
  }

  /** Throws CairnError unless it is four words of 32 bits, not all 0. */
  set state(words: readonly number[]) {
    const known = words.length === 4 && words.every(word => Number.isInteger(word) && word >= 0 && word < 2 ** 32)
    if (!known || words.every(word => word === 0))
      throw new CairnError(`random state [${words}]: four whole numbers below 2^32 are allowed, not all 0`)
    this.words.set(words)
  }
}

/** 2³² divided by the golden ratio. */
const golden = 0x9e3779b9

const rotate = (word: number, by: number) => (word << by) | (word >>> (32 - by))

/** Natural logarithm of 0 < x ≤ 1, by 2 artanh((x - 1) / (x + 1)). */
function logarithm(x: number): number {
  let halvings = 0
  let rest = x
  for (; rest < Math.SQRT1_2; rest *= 2) halvings++
  const s = (rest - 1) / (rest + 1)
  let sum = 0
  for (let k = 21; k > 0; k -= 2) sum = sum * s * s + 1 / k
  return 2 * s * sum - halvings * Math.LN2
}
