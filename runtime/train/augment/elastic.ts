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
export const elastic = (amount = 8): Bending => ({
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
  const noise = new Float32Array(width * height)
  for (let i = 0; i < noise.length; i++) noise[i] = random.between(-1, 1)
  const radius = Math.max(1, Math.round((Math.sqrt(4 * sigma * sigma + 1) - 1) / 2))
  const line = new Float64Array(Math.max(width, height))
  for (let y = 0; y < height; y++) blurLine(noise, { first: y * width, step: 1, count: width }, radius, line)
  for (let x = 0; x < width; x++) blurLine(noise, { first: x, step: width, count: height }, radius, line)
  const square = noise.reduce((sum, value) => sum + value * value, 0) / noise.length
  return noise.map(value => value / Math.sqrt(square || 1))
}

interface Line {
  readonly first: number
  readonly step: number
  readonly count: number
}

/** Three running means, which together are nearly Gaussian (Wells, "Efficient synthesis of Gaussian filters", 1986); `line` is scratch. */
function blurLine(data: Float32Array, { first, step, count }: Line, radius: number, line: Float64Array): void {
  const reach = Math.min(radius, (count - 1) >> 1)
  const window = 2 * reach + 1
  for (let pass = 0; pass < 3; pass++) {
    for (let i = 0; i < count; i++) line[i] = data[first + i * step]
    let sum = 0
    for (let i = 0; i < window; i++) sum += line[i]
    for (let i = 0, centre = reach, end = window % count; i < count; i++) {
      data[first + centre * step] = sum / window
      sum += line[end] - line[i]
      if (++end === count) end = 0
      if (++centre === count) centre = 0
    }
  }
}
