// Seeded random numbers for tests: every run draws a new base seed, which a failure prints; CAIRN_SEED repeats a run.

/** The seed of this run, the same in every process of it. */
export const baseSeed = Number(process.env.CAIRN_SEED ?? Date.now() % 2 ** 31)

export class Random {
  private state: number

  /** `salt`, a test's name or number, gives each test numbers of its own. */
  constructor(salt: string | number = '', seed = baseSeed) {
    this.state = seed | 0
    for (const letter of String(salt)) this.state = Math.imul(this.state ^ letter.charCodeAt(0), 0x01000193)
    this.next()
  }

  /** In [0, 1): mulberry32. */
  next(): number {
    const state = (this.state = (this.state + 0x6d2b79f5) | 0)
    let z = Math.imul(state ^ (state >>> 15), state | 1)
    z = (z + Math.imul(z ^ (z >>> 7), z | 61)) ^ z
    return ((z ^ (z >>> 14)) >>> 0) / 2 ** 32
  }

  uniform(low: number, high: number): number {
    return low + (high - low) * this.next()
  }

  /** A whole number from `low` to `high`, both included. */
  int(low: number, high: number): number {
    return low + Math.floor(this.next() * (high - low + 1))
  }

  chance(probability: number): boolean {
    return this.next() < probability
  }

  pick<T>(list: readonly T[]): T {
    return list[this.int(0, list.length - 1)]
  }

  shuffled<T>(list: readonly T[]): T[] {
    const result = [...list]
    for (let i = result.length - 1; i > 0; i--) {
      const j = this.int(0, i)
      ;[result[i], result[j]] = [result[j], result[i]]
    }
    return result
  }

  /** Values of which none is zero or next to it. */
  values(count: number, [low, high]: readonly [number, number] = [-2, 2]): number[] {
    return Array.from({ length: count }, () => {
      for (;;) {
        const value = this.uniform(low, high)
        if (Math.abs(value) > 1e-3) return value
      }
    })
  }

  /** Whole numbers from `low` to `high`. */
  ints(count: number, [low, high]: readonly [number, number]): number[] {
    return Array.from({ length: count }, () => this.int(Math.ceil(low), Math.floor(high)))
  }
}
