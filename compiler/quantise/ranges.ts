import type { Histogram } from './histogram.js'

/** How a range was found. */
export type Chooser = 'min-max' | 'percentile' | 'mse' | 'entropy'

/** The floats that a tensor's bytes can say, 0 among them. */
export interface Range {
  readonly low: number
  readonly high: number
}

export interface ChosenRange extends Range {
  readonly chooser: Chooser
  /** Mean squared error of rounding and clipping, measured on the data. */
  readonly error: number
  /** The share of the data outside. */
  readonly clipped: number
}

/** Bytes of a range: x = (byte - zero) * scale, scale in single precision. */
export interface Scale {
  readonly scale: number
  readonly zero: number
}

/** A range smaller than this is taken for nothing but zeros. */
const smallest = 1e-12

export function scaleOfRange({ low, high }: Range): Scale {
  const span = high - low
  if (!(span > smallest)) return { scale: 1, zero: 0 }
  const scale = Math.fround(span / 255)
  return { scale, zero: Math.min(Math.max(Math.round(-low / scale), 0), 255) }
}

/** Mean of (x - its nearest byte's float)² over the histogram. */
export function errorOf(histogram: Histogram, range: Range): number {
  const { scale, zero } = scaleOfRange(range)
  const { counts, total } = histogram
  let sum = 0
  for (let bin = 0; bin < counts.length; bin++) {
    if (!counts[bin]) continue
    const x = histogram.at(bin)
    const byte = Math.min(Math.max(Math.round(x / scale) + zero, 0), 255)
    sum += counts[bin] * (x - (byte - zero) * scale) ** 2
  }
  return total ? sum / total : 0
}

/** The range of least error among those that the choosers propose, min-max where nothing is better. */
export function chooseRange(histogram: Histogram, choosers: readonly Chooser[] = allChoosers): ChosenRange {
  const proposals = choosers.flatMap(chooser => proposed[chooser](histogram).map(range => ({ ...range, chooser })))
  const measured = proposals.map(range => ({ ...range, error: errorOf(histogram, range) }))
  const best = measured.reduce((a, b) => (b.error < a.error ? b : a))
  return { ...best, clipped: outside(histogram, best) }
}

function outside(histogram: Histogram, { low, high }: Range): number {
  const { counts, total, width } = histogram
  let sum = 0
  for (let bin = 0; bin < counts.length; bin++) {
    const x = histogram.at(bin)
    if (x < low - width / 2 || x > high + width / 2) sum += counts[bin]
  }
  return total ? sum / total : 0
}

const minMax = ({ low, high }: Range): Range[] => [{ low, high }]

/** Shares of the data that may be cut off, at both ends together. */
const tails = [1e-5, 1e-4, 1e-3]

/** What all but a small share of the data lie in; half of it at each end, all of it where the other end is 0. */
function percentiles(histogram: Histogram): Range[] {
  const { counts, low, high, width, total } = histogram
  return tails.map(tail => {
    const cut = (low < 0 && high > 0 ? tail / 2 : tail) * total
    let [first, last] = [0, counts.length - 1]
    if (low < 0) for (let sum = counts[first]; sum <= cut && first < last; sum += counts[++first]);
    if (high > 0) for (let sum = counts[last]; sum <= cut && first < last; sum += counts[--last]);
    return { low: Math.min(low + first * width, 0), high: Math.max(low + (last + 1) * width, 0) }
  })
}

/** Ranges are shrunk by so many steps. */
const steps = 64

const shrunk = ({ low, high }: Range, below: number, above: number): Range => ({
  low: (low * below) / steps,
  high: (high * above) / steps
})

/** Least squared error: both ends shrunk together, then each of them alone. */
function leastSquares(histogram: Histogram): Range[] {
  let [below, above] = [steps, steps]
  const error = (a: number, b: number) => errorOf(histogram, shrunk(histogram, a, b))
  let least = error(below, above)
  const attempt = (a: number, b: number) => {
    const next = error(a, b)
    if (next < least) [below, above, least] = [a, b, next]
  }
  for (let step = 4; step < steps; step++) attempt(step, step)
  if (histogram.low < 0 && histogram.high > 0) {
    for (let step = 4; step <= steps; step++) attempt(step, above)
    for (let step = 4; step <= steps; step++) attempt(below, step)
  }
  return [shrunk(histogram, below, above)]
}

/**
 * Least divergence of what 256 levels leave of the distribution from the distribution with what is outside at its ends
 * (Migacz, "8-bit inference with TensorRT", 2017), both ends shrunk together.
 */
function leastDivergence(histogram: Histogram): Range[] {
  let best = minMax(histogram)[0]
  let least = Number.POSITIVE_INFINITY
  for (let step = 8; step <= steps; step++) {
    const range = shrunk(histogram, step, step)
    const divergence = divergenceOf(histogram, range)
    if (divergence < least) [best, least] = [range, divergence]
  }
  return [best]
}

const levels = 256

function divergenceOf({ counts, low, width, total }: Histogram, range: Range): number {
  if (!(width > 0) || !total) return 0
  const first = Math.max(Math.round((range.low - low) / width), 0)
  const end = Math.min(Math.round((range.high - low) / width), counts.length)
  if (end <= first) return Number.POSITIVE_INFINITY
  const inside = counts.slice(first, end)
  const clipped = Float64Array.from(inside)
  for (let bin = 0; bin < first; bin++) clipped[0] += counts[bin]
  for (let bin = end; bin < counts.length; bin++) clipped[clipped.length - 1] += counts[bin]
  const size = inside.length / levels
  let sum = 0
  for (let level = 0; level < levels; level++) {
    const [from, to] = [
      Math.floor(level * size),
      Math.max(Math.floor((level + 1) * size), Math.floor(level * size) + 1)
    ]
    let [mass, filled] = [0, 0]
    for (let bin = from; bin < to && bin < inside.length; bin++) {
      mass += inside[bin]
      if (clipped[bin]) filled++
    }
    for (let bin = from; bin < to && bin < inside.length; bin++) {
      if (!clipped[bin]) continue
      const share = clipped[bin] / total
      sum += share * Math.log(share / Math.max(mass / filled / total, 1e-9))
    }
  }
  return sum
}

const proposed: Readonly<Record<Chooser, (histogram: Histogram) => Range[]>> = {
  'min-max': minMax,
  percentile: percentiles,
  mse: leastSquares,
  entropy: leastDivergence
}

const allChoosers = Object.keys(proposed) as Chooser[]
