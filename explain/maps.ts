import { CairnError } from '../runtime/base/index.js'

/** From gradients to maps: one number of at least 0 a pixel. */

/** How much each pixel, or each place of a layer, speaks for the class. */
export interface HeatMap {
  /** Rows from the top, width · height numbers of at least 0, on no scale of their own. */
  readonly data: Float32Array
  /** Columns. */
  readonly width: number
  /** Rows. */
  readonly height: number
  /** Where they lie on the input; by default they cover it side by side. */
  readonly placement?: Placement
}

/** Where the elements of a map have their centres, as shares of the input's width and height. */
export interface Placement {
  /** The first column's. */
  readonly left: number
  /** The first row's. */
  readonly top: number
  /** From one column to the next. */
  readonly across: number
  /** From one row to the next. */
  readonly down: number
}

/** Maps of a layer, or their gradients: [1, channels, height, width]. */
type Planes = Float32Array

/**
 * max(0, Σₖ wₖ Aₖ), where wₖ is the mean of the gradient over map k (Selvaraju et al., equations 1 and 2); for `plus` as the sum of
 * the gradient's positive elements, each weighed by g² / (2 g² + Σ A g³) (Chattopadhyay et al., equations 18 to 20, where the score
 * goes through an exponential: its factor is that of the whole map, and left out).
 */
export function gradCam(maps: Planes, gradient: Planes, dims: readonly number[], plus: boolean): HeatMap {
  const [, channels, height, width] = dims
  const size = height * width
  const sums = new Float64Array(size)
  for (let k = 0; k < channels; k++) {
    const [a, g] = [maps, gradient].map(all => all.subarray(k * size, (k + 1) * size))
    const weight = plus ? weightOf(a, g) : g.reduce((sum, value) => sum + value, 0) / size
    for (let i = 0; i < size; i++) sums[i] += weight * a[i]
  }
  return { data: Float32Array.from(sums, sum => Math.max(sum, 0)), width, height }
}

function weightOf(a: Float32Array, g: Float32Array): number {
  const sum = a.reduce((all, value) => all + value, 0)
  return g.reduce((weight, slope) => {
    const below = 2 * slope ** 2 + sum * slope ** 3
    return slope > 0 && below !== 0 ? weight + (slope ** 2 / below) * slope : weight
  }, 0)
}

/** Where the channels of a picture are: axis 1 of [1, C, H, W], or 3 of [1, H, W, C]. */
interface Pixels {
  readonly channels: number
  readonly height: number
  readonly width: number
  /** Between channels of a pixel, and from one pixel to the next. */
  readonly channel: number
  readonly pixel: number
}

export function pixelsOf(dims: readonly number[]): Pixels {
  if (dims.length !== 4 || dims[0] !== 1)
    throw new CairnError(`the input is ${dims.join('×')}; one picture, 1×C×H×W or 1×H×W×C, is allowed`)
  const [, a, b, c] = dims
  const last = a > 4 && c <= 4
  if (last) return { channels: c, height: a, width: b, channel: 1, pixel: c }
  return { channels: a, height: b, width: c, channel: b * c, pixel: 1 }
}

/** One number a pixel of what it has a channel. */
function perPixel(
  values: Float32Array,
  dims: readonly number[],
  join: (sum: number, value: number) => number,
  end = (sum: number) => sum
): HeatMap {
  const { channels, height, width, channel, pixel } = pixelsOf(dims)
  const data = Float32Array.from({ length: height * width }, (_, i) => {
    let sum = 0
    for (let c = 0; c < channels; c++) sum = join(sum, values[i * pixel + c * channel])
    return end(sum)
  })
  return { data, width, height }
}

/** The largest magnitude of any channel (Simonyan et al., section 3.1). */
export const largestOf = (values: Float32Array, dims: readonly number[]): HeatMap =>
  perPixel(values, dims, (sum, value) => Math.max(sum, Math.abs(value)))

/** The sum of the channels where it is positive: parts of a score. */
export const sumOf = (values: Float32Array, dims: readonly number[]): HeatMap =>
  perPixel(
    values,
    dims,
    (sum, value) => sum + value,
    sum => Math.max(sum, 0)
  )
