import { Breath } from '../runtime/base/index.js'
import type { Completeness } from './explanation.js'
import type { ExplainOptions } from './options.js'

/** Integrals of gradients along the straight way from a baseline to an input, by the trapezoidal rule. */

/** What a run has found on the way. */
export interface Point {
  /** How far it lies from the baseline, 0 to 1. */
  readonly share: number
  readonly score: number
  readonly gradient: Float32Array
  /** Of the score along the whole way: what the trapezoids of it add up to is known from the scores. */
  readonly slope: number
}

type Run = (share: number) => Promise<Point>

/** The mean gradient, and what it says of the difference between the two ends. */
export interface Mean {
  readonly gradient: Float64Array
  readonly sum: number
  readonly difference: number
  readonly steps: number
}

class Sum {
  readonly gradient: Float64Array
  sum = 0
  steps = 0

  constructor(elements: number) {
    this.gradient = new Float64Array(elements)
  }

  add(from: Point, to: Point): void {
    const weight = (to.share - from.share) / 2
    for (const { gradient, slope } of [from, to]) {
      for (let i = 0; i < gradient.length; i++) this.gradient[i] += weight * gradient[i]
      this.sum += weight * slope
    }
    this.steps++
  }
}

/** Steps that are all alike. */
export async function evenly(run: Run, steps: number, { signal, onRun }: ExplainOptions): Promise<Mean> {
  const breath = new Breath()
  const first = await run(0)
  const total = new Sum(first.gradient.length)
  let last = first
  for (let i = 1; i <= steps; i++) {
    await breath.take()
    signal?.throwIfAborted()
    const next = await run(i / steps)
    total.add(last, next)
    last = next
    onRun?.(i + 1, steps + 1)
  }
  return { ...total, difference: last.score - first.score }
}

/** How far the sum may be from the difference, as a share of it. */
export const tolerance = 0.01
/** Halvings of the way: at least, and at most. */
const [shallowest, deepest] = [4, 12]
/** What is tried, each sharper than the one before. */
const attempts = [1, 0.25, 0.06]

/**
 * A step is halved while its trapezoid misses the difference of its two scores. Gradients of rectifiers jump, and there a step of h
 * misses in proportion to h however short it is: so it may miss a share of √h, of which many cancel as a random walk does. Where
 * all of them do not add up to within `tolerance`, less is allowed.
 */
export async function adaptive(run: Run, { signal, onRun }: ExplainOptions): Promise<Mean> {
  const breath = new Breath()
  const [first, last] = [await run(0), await run(1)]
  const difference = last.score - first.score
  let runs = 2
  let total: Sum
  const halve = async (from: Point, to: Point, depth: number, allowed: number): Promise<void> => {
    const wide = to.share - from.share
    const missed = Math.abs(((from.slope + to.slope) * wide) / 2 - (to.score - from.score))
    const isGood = missed <= allowed * Math.abs(difference) * Math.sqrt(wide)
    if (depth >= deepest || (depth >= shallowest && isGood)) return total.add(from, to)
    await breath.take()
    signal?.throwIfAborted()
    const middle = await run((from.share + to.share) / 2)
    onRun?.(++runs, Math.ceil(runs / Math.max(from.share, 1 / 32)) + 1)
    await halve(from, middle, depth + 1, allowed)
    await halve(middle, to, depth + 1, allowed)
  }
  let mean: Mean
  let attempt = 0
  do {
    total = new Sum(first.gradient.length)
    await halve(first, last, 0, attempts[attempt] * tolerance)
    mean = { ...total, difference }
  } while (completenessOf(mean).error > tolerance && ++attempt < attempts.length)
  return mean
}

export function completenessOf({ sum, difference, steps }: Mean): Completeness {
  return { steps, sum, difference, error: Math.abs(sum - difference) / Math.abs(difference) }
}
