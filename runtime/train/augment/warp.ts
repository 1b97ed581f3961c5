import { channelsOf, type Picture } from '../../tensor/index.js'
import type { Affine } from './affine.js'

/** How far from an output pixel its colour is read, in pixels; one element a pixel, row by row. */
export interface Field {
  readonly x: Float32Array
  readonly y: Float32Array
}

/**
 * The picture read through `field` and then through `map`, as RGB of the same size: bilinear between pixel centres,
 * and beyond the border the border's own pixels.
 */
export function warp(picture: Picture, [a, b, c, d, e, f]: Affine, field?: Field): Picture {
  const { data, width, height } = picture
  const channels = channelsOf(picture)
  const result = new Uint8ClampedArray(width * height * 3)
  const [right, bottom] = [width - 1, height - 1]
  for (let y = 0, at = 0; y < height; y++)
    for (let x = 0; x < width; x++, at++) {
      const fromX = x - right / 2 + (field ? field.x[at] : 0)
      const fromY = y - bottom / 2 + (field ? field.y[at] : 0)
      const readX = Math.min(Math.max(a * fromX + b * fromY + c + right / 2, 0), right)
      const readY = Math.min(Math.max(d * fromX + e * fromY + f + bottom / 2, 0), bottom)
      const [left, top] = [Math.floor(readX), Math.floor(readY)]
      const [partX, partY] = [readX - left, readY - top]
      const upper = (top * width + left) * channels
      const across = left < right ? channels : 0
      const lower = upper + (top < bottom ? width * channels : 0)
      for (let k = 0; k < 3; k++) {
        const above = data[upper + k] * (1 - partX) + data[upper + across + k] * partX
        const below = data[lower + k] * (1 - partX) + data[lower + across + k] * partX
        result[at * 3 + k] = above * (1 - partY) + below * partY
      }
    }
  return { data: result, width, height }
}

/** The picture without its alpha channel. */
export function rgbOf(picture: Picture): Picture {
  if (channelsOf(picture) === 3) return picture
  const { data, width, height } = picture
  const result = new Uint8ClampedArray(width * height * 3)
  for (let i = 0; i < width * height; i++) for (let k = 0; k < 3; k++) result[i * 3 + k] = data[i * 4 + k]
  return { data: result, width, height }
}
