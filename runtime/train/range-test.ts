import { CairnError } from '../base/index.js'

/** `count` learning rates from `low` to `high`, each the same multiple of the one before. */
export function growingRates(low: number, high: number, count: number): number[] {
  if (!(low > 0 && high > low && Number.isFinite(high) && Number.isInteger(count) && count >= 2))
    throw new CairnError(
      `${count} rates from ${low} to ${high}: at least 2 rates, from above 0 to a larger one, are allowed`
    )
  return Array.from({ length: count }, (_, i) => low * (high / low) ** (i / (count - 1)))
}

/** A running mean in which each value weighs `keep` times as much as the next, freed of its bias to 0 (Kingma and Ba, "Adam", 2015, §3). */
export class SmoothedMean {
  private sum = 0
  private weight = 0

  constructor(private readonly keep = 0.9) {}

  /** Takes a value in and gives the mean. */
  add(value: number): number {
    this.sum = this.keep * this.sum + (1 - this.keep) * value
    this.weight = this.keep * this.weight + 1 - this.keep
    return this.sum / this.weight
  }
}

export interface RangeTestOptions {
  /** Default 1e-5 to 10 in 100 steps. */
  readonly low?: number
  readonly high?: number
  readonly steps?: number
  /** Of the smoothed loss; default 0.9. */
  readonly keep?: number
}

export interface Suggestion {
  /** The smaller of the two, or the one that there is. */
  readonly rate: number
  /** Where the smoothed loss falls fastest, by the logarithm of the rate; undefined where it never falls. */
  readonly steepest: number | undefined
  /** A tenth of the rate at which the loss began to grow for good. */
  readonly tenth: number
}

/**
 * Finds a learning rate by training a few mini-batches at growing ones (Smith, "Cyclical learning rates for training
 * neural networks", 2017, §3.3): train a step at `rate`, hand its loss to `add` until that says to stop, then ask for
 * the suggestion. The weights are to be thrown away.
 */
export class RangeTest {
  private readonly planned: readonly number[]
  private readonly mean: SmoothedMean
  private best = Number.POSITIVE_INFINITY
  /** Smoothed, one for each step so far. */
  readonly losses: number[] = []

  constructor({ low = 1e-5, high = 10, steps = 100, keep = 0.9 }: RangeTestOptions = {}) {
    this.planned = growingRates(low, high, steps)
    this.mean = new SmoothedMean(keep)
  }

  /** The learning rate of the next step. */
  get rate(): number {
    return this.planned[Math.min(this.losses.length, this.planned.length - 1)]
  }

  /** The rates of the steps so far. */
  get rates(): number[] {
    return this.planned.slice(0, this.losses.length)
  }

  /** Takes the loss of the step at `rate`; false at the last, or where the smoothed loss is 4 times the best or no number. */
  add(loss: number): boolean {
    const smoothed = this.mean.add(loss)
    this.losses.push(smoothed)
    this.best = Math.min(this.best, smoothed)
    return smoothed <= 4 * this.best && Number.isFinite(smoothed) && this.losses.length < this.planned.length
  }

  suggestion(): Suggestion {
    return suggestRate(this.rates, this.losses)
  }
}

/** What rate to train with, of the smoothed losses at growing rates. */
export function suggestRate(rates: readonly number[], losses: readonly number[]): Suggestion {
  const known = losses.findIndex(loss => !Number.isFinite(loss))
  const end = known < 0 ? Math.min(losses.length, rates.length) : known
  if (end < 3) throw new CairnError(`a range test of ${end} finite losses: at least 3 are needed`)
  let least = 0
  for (let i = 1; i < end; i++) if (losses[i] <= losses[least]) least = i
  let steepest: number | undefined
  let slope = 0
  for (let i = 1; i < least; i++) {
    const here = (losses[i + 1] - losses[i - 1]) / Math.log(rates[i + 1] / rates[i - 1])
    if (here < slope) [slope, steepest] = [here, rates[i]]
  }
  const tenth = rates[least] / 10
  return { rate: tenth, steepest, tenth }
}
