import type { Elements, Value } from '../graph/index.js'

/** Weights as whole numbers of 8 bits, or of fewer, each filter with a scale of its own. */
export interface QuantisedWeights {
  readonly data: Float32Array
  readonly scale: Float32Array
}

/** Visits the elements that follow each other within one index of `axis`, as ranges. */
export function forEachSpan(
  shape: readonly number[],
  axis: number,
  body: (index: number, from: number, to: number) => void
): void {
  const inner = shape.slice(axis + 1).reduce((a, b) => a * b, 1)
  const outer = shape.slice(0, axis).reduce((a, b) => a * b, 1)
  for (let o = 0, at = 0; o < outer; o++)
    for (let index = 0; index < shape[axis]; index++, at += inner) body(index, at, at + inner)
}

/** The largest whole number of a bias in its scale, with room for the sums that it is added to. */
const largestBias = 2 ** 30

/** Weights of 7 bits are onnxruntime's reduce_range: two of them by bytes stay inside of 16 bits. */
export type WeightBits = 7 | 8

/** The largest magnitude of a weight. */
export const largestWhole: Readonly<Record<WeightBits, number>> = { 7: 64, 8: 127 }

/** A filter whose weights are all smaller is nothing but zeros. */
const smallest = 2 ** -100

/**
 * Symmetric, per channel, from -127 to 127, or of 7 bits from -64 to 64. A filter of zeros has scale 1; one so small that its bias would leave 32 bits in steps of `inputScale`
 * times its own gets the least scale at which that does not happen.
 */
export function quantiseWeights(
  weights: Value,
  axis: number,
  bias: Elements | undefined,
  inputScale: number,
  bits: WeightBits = 8
): QuantisedWeights {
  const data = weights.data!
  const shape = weights.shape as number[]
  const largest = new Float64Array(shape[axis])
  forEachSpan(shape, axis, (f, from, to) => {
    for (let i = from; i < to; i++) largest[f] = Math.max(largest[f], Math.abs(data[i]))
  })
  const scale = Float32Array.from(largest, (most, f) => {
    const own = most > smallest ? most / largestWhole[bits] : 1
    const offset = bias ? Math.abs(bias[bias.length > 1 ? f : 0]) : 0
    return Math.max(own, offset / inputScale / largestBias)
  })
  const whole = new Float32Array(data.length)
  forEachSpan(shape, axis, (f, from, to) => {
    for (let i = from; i < to; i++) whole[i] = Math.round(data[i] / scale[f])
  })
  return { data: whole, scale }
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
  const [filters, perGroup] = [shape[axis], shape[1 - axis]]
  const channelFirst = axis === 1
  const inner = shape.slice(2).reduce((a, b) => a * b, 1)
  const shift = new Float64Array(filters)
  forEachSpan(shape, 1, (second, from, to) => {
    const first = Math.floor(from / (inner * shape[1]))
    const [f, channel] = channelFirst ? [second, first] : [first, second]
    const mean = means[Math.floor((f * groups) / filters) * perGroup + channel]
    for (let i = from; i < to; i++) shift[f] += (data[i] * scale[f] - weights.data![i]) * mean
  })
  return shift
}
