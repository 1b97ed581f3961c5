import type { Random } from '../random.js'
import type { Size } from './affine.js'
import type { Field } from './warp.js'

/** What bends a picture, drawn anew for each. */
export interface Bending {
  readonly stage: 'bending'
  draw(size: Size, random: Random): Field
}

/**
 * Elastic distortion (Simard et al., "Best practices for convolutional neural networks applied to visual document
 * analysis", 2003, §2): uniform noise, smoothed, brought to unit strength and multiplied. Points move by `amount`
 * pixels (root mean square) in a picture of 224 pixels, in others in proportion to the shorter side.
 */
export const elastic = (amount = 4): Bending => ({
  stage: 'bending',
  draw({ width, height }, random) {
    const side = Math.min(width, height)
    const strength = ((amount / 224) * side) / Math.SQRT2
    const component = () => smoothNoise({ width, height }, side * smoothness, random).map(value => value * strength)
    return { x: component(), y: component() }
  }
})

/** Standard deviation of the smoothing, of the shorter side; Simard's 4 of 29 pixels. */
const smoothness = 4 / 29

/** Noise of mean square 1 that was smoothed with a Gaussian of standard deviation `sigma` pixels, across borders as if tiled. */
function smoothNoise({ width, height }: Size, sigma: number, random: Random): Float32Array {
  const noise = Float32Array.from({ length: width * height }, () => random.between(-1, 1))
  const radius = Math.max(1, Math.round((Math.sqrt(4 * sigma * sigma + 1) - 1) / 2))
  for (let pass = 0; pass < 3; pass++) {
    for (let y = 0; y < height; y++) blurLine(noise, { first: y * width, step: 1, count: width }, radius)
    for (let x = 0; x < width; x++) blurLine(noise, { first: x, step: width, count: height }, radius)
  }
  const square = noise.reduce((sum, value) => sum + value * value, 0) / noise.length
  return noise.map(value => value / Math.sqrt(square || 1))
}

interface Line {
  readonly first: number
  readonly step: number
  readonly count: number
}

/** One of the three running means that together are nearly Gaussian (Wells, "Efficient synthesis of Gaussian filters", 1986). */
function blurLine(data: Float32Array, { first, step, count }: Line, radius: number): void {
  const line = Float64Array.from({ length: count }, (_, i) => data[first + i * step])
  const reach = Math.min(radius, (count - 1) >> 1)
  const at = (i: number) => line[(i + count) % count]
  let sum = 0
  for (let i = -reach; i <= reach; i++) sum += at(i)
  for (let i = 0; i < count; i++) {
    data[first + i * step] = sum / (2 * reach + 1)
    sum += at(i + reach + 1) - at(i - reach)
  }
}
