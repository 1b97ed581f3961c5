import type { Picture } from '../../tensor/index.js'
import type { Random } from '../random.js'
import { type Affine, rotated, shifted } from './affine.js'
import { brighter, contrasted, greyOf, meanColourOf, recolour, saturated, unchanged } from './colour.js'
import type { Retouching } from './pixels.js'
import { rgbOf, warp } from './warp.js'

/** A change of an RGB picture, of a strength from 0 to 1. */
type Change = (picture: Picture, strength: number, random: Random) => Picture

/** Each channel's bytes by a table that is made of how often each byte is there. */
function throughTables(
  picture: Picture,
  tableOf: (counts: readonly number[]) => ((byte: number) => number) | undefined
) {
  const { data, width, height } = picture
  const result = Uint8ClampedArray.from(data)
  for (let channel = 0; channel < 3; channel++) {
    const counts = new Array<number>(256).fill(0)
    for (let i = channel; i < data.length; i += 3) counts[data[i]]++
    const table = tableOf(counts)
    if (table) for (let i = channel; i < data.length; i += 3) result[i] = table(data[i])
  }
  return { data: result, width, height }
}

/** Each channel stretched so that its darkest byte is 0 and its brightest 255, rounded down. */
export const autoContrast = (picture: Picture): Picture =>
  throughTables(picture, counts => {
    const low = counts.findIndex(count => count > 0)
    const high = counts.findLastIndex(count => count > 0)
    return high > low ? byte => Math.floor(((byte - low) * 255) / (high - low)) : undefined
  })

/** Each channel's bytes spread so that all are about as frequent, in whole numbers as Pillow's `ImageOps.equalize` counts. */
export const equalise = (picture: Picture): Picture =>
  throughTables(picture, counts => {
    const present = counts.filter(count => count > 0)
    const step = Math.floor((present.reduce((a, b) => a + b, 0) - present.at(-1)!) / 255)
    if (present.length < 2 || !step) return undefined
    let below = Math.floor(step / 2)
    const table = counts.map(count => {
      const byte = Math.min(Math.floor(below / step), 255)
      below += count
      return byte
    })
    return byte => table[byte]
  })

/** Bytes from `threshold` on turned into their opposites. */
export const solarise = (picture: Picture, threshold: number): Picture =>
  throughTables(picture, () => byte => (byte < threshold ? byte : 255 - byte))

/** The first `bits` of each byte, the others 0. */
export const posterise = (picture: Picture, bits: number): Picture =>
  throughTables(picture, () => byte => byte & (256 - 2 ** (8 - bits)))

/** Every pixel but those of the border `factor` times as far from its neighbourhood's mean, in which it counts five times. */
export function sharpen({ data, width, height }: Picture, factor: number): Picture {
  const result = Uint8ClampedArray.from(data)
  const row = width * 3
  for (let y = 1; y < height - 1; y++)
    for (let i = y * row + 3; i < (y + 1) * row - 3; i++) {
      let sum = 4 * data[i]
      for (const line of [i - row, i, i + row]) sum += data[line - 3] + data[line] + data[line + 3]
      const smooth = sum / 13
      result[i] = smooth + factor * (data[i] - smooth)
    }
  return { data: result, width, height }
}

const signed = (strength: number, random: Random) => (random.next() < 0.5 ? -strength : strength)
const moved =
  (mapOf: (amount: number, picture: Picture) => Affine): Change =>
  (picture, strength, random) =>
    warp(picture, mapOf(signed(strength, random), picture))
/** Factors from 0.1 to 1.9. */
const factor = (strength: number, random: Random) => 1 + 0.9 * signed(strength, random)

/** The paper's transforms, with torchvision's ranges. */
const changes: Readonly<Record<string, Change>> = {
  identity: picture => picture,
  autoContrast,
  equalise,
  rotate: moved(amount => rotated(30 * amount)),
  solarise: (picture, strength) => solarise(picture, 255 * (1 - strength)),
  colour: (picture, strength, random) => recolour(picture, saturated(factor(strength, random))),
  posterise: (picture, strength) => posterise(picture, 8 - Math.round(4 * strength)),
  contrast: (picture, strength, random) =>
    recolour(picture, contrasted(factor(strength, random), greyOf(meanColourOf(picture), unchanged))),
  brightness: (picture, strength, random) => recolour(picture, brighter(factor(strength, random))),
  sharpness: (picture, strength, random) => sharpen(picture, factor(strength, random)),
  shearX: moved(amount => [1, 0.3 * amount, 0, 0, 1, 0]),
  shearY: moved(amount => [1, 0, 0, 0.3 * amount, 1, 0]),
  shiftX: moved((amount, { width }) => shifted((150 / 331) * amount * width, 0)),
  shiftY: moved((amount, { height }) => shifted(0, (150 / 331) * amount * height))
}

/**
 * `count` transforms, one behind the other, each drawn anew from fourteen, all of strength `magnitude` from 0 to 10 (Cubuk, Zoph,
 * Shlens and Le, "RandAugment: practical automated data augmentation with a reduced search space", 2020, §3 and figure 2).
 */
export const randAugment = (magnitude = 9, count = 2): Retouching => ({
  stage: 'pixels',
  apply(picture, random) {
    const names = Object.keys(changes)
    let result = rgbOf(picture)
    for (let i = 0; i < count; i++) result = changes[names[random.whole(names.length)]](result, magnitude / 10, random)
    return result
  }
})
