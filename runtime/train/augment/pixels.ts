import { imageNet, type Picture } from '../../tensor/index.js'
import type { Random } from '../random.js'

/** What changes the pixels of an RGB picture one by one, behind all else. */
export interface Retouching {
  readonly stage: 'pixels'
  apply(picture: Picture, random: Random): Picture
}

/** Normal noise on every byte; its standard deviation as a share of 255. */
export const noise = (std = 0.05): Retouching => ({
  stage: 'pixels',
  apply({ data, width, height }, random) {
    const result = new Uint8ClampedArray(data.length)
    for (let i = 0; i < data.length; i++) result[i] = data[i] + 255 * std * random.normal()
    return { data: result, width, height }
  }
})

/** ImageNet's mean colour, which models see as about 0. */
const meanColour = imageNet.mean.map(value => Math.round(value * 255))

/**
 * A square of the mean colour around a random pixel (DeVries and Taylor, "Improved regularization of convolutional
 * neural networks with Cutout", 2017, §3.2); its side is a share of the picture's shorter one, and it may reach beyond
 * the border.
 */
export const cutout = (side = 0.25): Retouching => ({
  stage: 'pixels',
  apply({ data, width, height }, random) {
    const length = Math.round(side * Math.min(width, height))
    const left = random.whole(width) - (length >> 1)
    const top = random.whole(height) - (length >> 1)
    const result = Uint8ClampedArray.from(data)
    for (let y = Math.max(top, 0); y < Math.min(top + length, height); y++)
      for (let x = Math.max(left, 0); x < Math.min(left + length, width); x++)
        result.set(meanColour, (y * width + x) * 3)
    return { data: result, width, height }
  }
})
