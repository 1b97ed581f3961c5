import type { Elements, Value } from '../graph/index.js'

/** Weights as whole numbers from -127 to 127, each filter with a scale of its own. */
export interface QuantisedWeights {
  readonly data: Float64Array
  readonly scale: Float32Array
}

/** Which filter each element belongs to. */
export function filterOf(shape: readonly number[], axis: number): (i: number) => number {
  const inner = shape.slice(axis + 1).reduce((a, b) => a * b, 1)
  const count = shape[axis]
  return i => Math.floor(i / inner) % count
}

/** The largest whole number of a bias in its scale, with room for the sums that it is added to. */
const largestBias = 2 ** 30

/** A filter whose weights are all smaller is nothing but zeros. */
const smallest = 2 ** -100

/**
 * Symmetric, per channel. A filter of zeros has scale 1; one so small that its bias would leave 32 bits in steps of `inputScale`
 * times its own gets the least scale at which that does not happen.
 */
export function quantiseWeights(
  weights: Value,
  axis: number,
  bias: Elements | undefined,
  inputScale: number
): QuantisedWeights {
  const data = weights.data!
  const shape = weights.shape as number[]
  const filter = filterOf(shape, axis)
  const largest = new Float64Array(shape[axis])
  for (let i = 0; i < data.length; i++) largest[filter(i)] = Math.max(largest[filter(i)], Math.abs(data[i]))
  const scale = Float32Array.from(largest, (most, f) => {
    const own = most > smallest ? most / 127 : 1
    const offset = bias ? Math.abs(bias[bias.length > 1 ? f : 0]) : 0
    return Math.max(own, offset / inputScale / largestBias)
  })
  return { data: Float64Array.from(data, (value, i) => Math.round(value / scale[filter(i)])), scale }
}

/**
 * What rounding the weights adds to the mean of each filter's output, for channels with these means (Nagel 2019, arXiv 1906.04721,
 * section 4.2, with means of calibration data). Padding counts as if it were data.
 */
export function biasOfRounding(
  weights: Value,
  axis: number,
  { data, scale }: QuantisedWeights,
  groups: number,
  means: Float64Array
): Float64Array {
  const shape = weights.shape as number[]
  const filter = filterOf(shape, axis)
  const channelAxis = 1 - axis
  const channel = filterOf(shape, channelAxis)
  const filters = shape[axis]
  const perGroup = shape[channelAxis]
  const shift = new Float64Array(filters)
  for (let i = 0; i < data.length; i++) {
    const f = filter(i)
    const group = Math.floor((f * groups) / filters)
    shift[f] += (data[i] * scale[f] - weights.data![i]) * means[group * perGroup + channel(i)]
  }
  return shift
}
