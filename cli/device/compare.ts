import { short } from '../terminal/index.js'
import type { Values } from './onnxruntime.js'

export interface Difference {
  readonly name: string
  readonly dims: readonly number[]
  /** Largest absolute error, and that over the reference's largest absolute value. */
  readonly absolute: number
  readonly relative: number
  readonly largest: number
  /** Set when the shapes differ, which makes the errors infinite. */
  readonly expected?: readonly number[]
}

/** Elementwise; NaN agrees with NaN and an infinity with itself only. */
export function compare(name: string, ours: Values, reference: Values): Difference {
  const { dims } = ours
  const infinite = { absolute: Number.POSITIVE_INFINITY, relative: Number.POSITIVE_INFINITY }
  if (dims.join() !== reference.dims.join())
    return { name, dims, ...infinite, largest: Number.NaN, expected: reference.dims }
  if (reference.data.length && reference.data.every(value => Number.isNaN(value)))
    return { name, dims, ...infinite, largest: Number.NaN }
  let absolute = 0
  let largest = 0
  for (let i = 0; i < reference.data.length; i++) {
    const [a, b] = [ours.data[i], reference.data[i]]
    if (Number.isFinite(b)) largest = Math.max(largest, Math.abs(b))
    if (Object.is(a, b)) continue
    const error = Math.abs(a - b)
    absolute = Math.max(absolute, Number.isNaN(error) ? Number.POSITIVE_INFINITY : error)
  }
  return { name, dims, absolute, relative: absolute === 0 ? 0 : absolute / largest, largest }
}

/** What is still the same. */
export interface Allowance {
  /** A share of the largest value, or steps of bytes. */
  readonly share?: number
  readonly steps?: number
  /** For the head of a column, and for messages. */
  readonly text: string
  passes(difference: Difference): boolean
  /** How far off in the allowance's own unit. */
  spoken(difference: Difference): string
}

/** Rounding of single precision, of whole networks: the largest error over the largest value. */
const usual = 1e-3

/** Where two ways of rounding a tie lead to: a network's bytes differ by one here and there, and so do those behind them. */
const mostSteps = 3

/**
 * A share of the largest value; of quantised models, unless a share is `given`, steps of their bytes: `steps` says how large the one
 * is that an output comes from, else a 255th of its largest value is taken for one.
 */
export function allowanceOf(
  given: number | undefined,
  steps: ((name: string) => number | undefined) | undefined
): Allowance {
  const tolerance = given ?? usual
  if (!steps || given !== undefined)
    return {
      share: tolerance,
      text: String(tolerance),
      passes: ({ relative }) => relative <= tolerance,
      spoken: ({ relative }) => `${short(relative)} of its maximum`
    }
  const stepsOff = ({ name, absolute, largest }: Difference) =>
    absolute === 0 ? 0 : absolute / Math.max(steps(name) ?? 0, largest / 255)
  return {
    steps: mostSteps,
    text: `${mostSteps} steps`,
    // Floats that are a step apart are a step and a rounding apart.
    passes: difference => difference.relative <= tolerance || stepsOff(difference) < mostSteps + 0.01,
    spoken: difference => `${short(stepsOff(difference))} steps of 8 bits`
  }
}
