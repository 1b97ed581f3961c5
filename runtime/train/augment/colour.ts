import type { Picture } from '../../tensor/index.js'
import type { Random } from '../random.js'

/**
 * A linear change of colours: three rows, for red, green and blue, of the weights of the old red, green and blue and of
 * an amount to add, in bytes. Nothing is clipped before all changes of a picture are one map.
 */
export type ColourMap = readonly number[]

/** What changes a picture's colours, drawn anew for each; `grey` is the mean brightness so far, in bytes. */
export interface Colouring {
  readonly stage: 'colour'
  draw(grey: number, random: Random): ColourMap
}

/** Rec. 709's weights of red, green and blue in brightness, rounded as in SVG's filters. */
const luma = [0.213, 0.715, 0.072] as const

const rowOf = (map: ColourMap, row: number) => map.slice(row * 4, row * 4 + 4)
const fromRows = (weight: (row: number, column: number) => number): ColourMap =>
  Array.from({ length: 12 }, (_, i) => weight(i >> 2, i & 3))

export const unchanged: ColourMap = fromRows((row, column) => Number(row === column))

/** The map of colours that `first` has changed and then `second` changes. */
export function chained(first: ColourMap, second: ColourMap): ColourMap {
  return fromRows((row, column) => {
    const [r, g, b, offset] = rowOf(second, row)
    return r * first[column] + g * first[4 + column] + b * first[8 + column] + (column === 3 ? offset : 0)
  })
}

/** Every colour multiplied. */
export const brighter = (factor: number): ColourMap => unchanged.map(value => value * factor)

/** Every colour `factor` times as far from `grey`. */
export const contrasted = (factor: number, grey: number): ColourMap =>
  fromRows((row, column) => (column === 3 ? (1 - factor) * grey : row === column ? factor : 0))

/** Every colour `factor` times as far from the grey of its own brightness. */
export const saturated = (factor: number): ColourMap =>
  fromRows((row, column) => (column === 3 ? 0 : (1 - factor) * luma[column] + (row === column ? factor : 0)))

/** Colours turned around the grey axis, brightness kept (hueRotate of SVG 1.1, §15.10). */
export function hueTurned(degrees: number): ColourMap {
  const angle = (degrees * Math.PI) / 180
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)]
  const turn = [-0.213, -0.715, 0.928, 0.143, 0.14, -0.283, -0.787, 0.715, 0.072]
  return fromRows((row, column) =>
    column === 3 ? 0 : luma[column] * (1 - cos) + (row === column ? cos : 0) + turn[row * 3 + column] * sin
  )
}

/** The same amounts, in bytes, on every pixel's red, green and blue. */
const added = (amounts: readonly number[]): ColourMap =>
  fromRows((row, column) => (column === 3 ? amounts[row] : Number(row === column)))

const colouring = (draw: Colouring['draw']): Colouring => ({ stage: 'colour', draw })

const factor = (amount: number, random: Random) => random.between(1 - amount, 1 + amount)

/** By a factor from 1 - amount to 1 + amount, as `contrast` and `saturation`. */
export const brightness = (amount = 0.4): Colouring => colouring((_, random) => brighter(factor(amount, random)))

export const contrast = (amount = 0.4): Colouring =>
  colouring((grey, random) => contrasted(factor(amount, random), grey))

export const saturation = (amount = 0.4): Colouring => colouring((_, random) => saturated(factor(amount, random)))

/** By up to `turn` of the colour circle, either way. */
export const hue = (turn = 0.1): Colouring => colouring((_, random) => hueTurned(360 * random.between(-turn, turn)))

/** Brightness, contrast and saturation by `amount`, hue by a quarter of it; as maps they give the same in any order. */
export function colour(amount = 0.4): Colouring {
  const others = [contrast(amount), saturation(amount), hue(amount / 4)]
  return colouring((grey, random) => {
    const factorOfLight = factor(amount, random)
    return others.reduce(
      (map, other) => chained(map, other.draw(grey * factorOfLight, random)),
      brighter(factorOfLight)
    )
  })
}

/** Principal components of ImageNet's RGB values (of bytes scaled by 1/255), one a column, and how far colours spread along each (fb.resnet.torch). */
export const components = [-0.5675, 0.7192, 0.4009, -0.5808, -0.0045, -0.814, -0.5836, -0.6948, 0.4203]
export const spreads = [0.2175, 0.0188, 0.0045]

/**
 * Light of another colour (Krizhevsky et al., "ImageNet classification with deep convolutional neural networks", 2012,
 * §4.1): along each principal component a normal multiple, of standard deviation `std`, of its spread.
 */
export const lighting = (std = 0.1): Colouring =>
  colouring((_, random) => {
    const steps = spreads.map(spread => 255 * spread * std * random.normal())
    return added([0, 1, 2].map(row => steps.reduce((sum, step, i) => sum + step * components[row * 3 + i], 0)))
  })

/** Brightness of a colour after `map`. */
export const greyOf = ([r, g, b]: readonly number[], map: ColourMap): number =>
  luma.reduce((grey, weight, row) => {
    const [red, green, blue, offset] = rowOf(map, row)
    return grey + weight * (red * r + green * g + blue * b + offset)
  }, 0)

/** Mean red, green and blue of a picture of RGB bytes. */
export function meanColourOf({ data }: Picture): number[] {
  const sums = [0, 0, 0]
  for (let i = 0; i < data.length; i += 3) for (let k = 0; k < 3; k++) sums[k] += data[i + k]
  return sums.map(sum => sum / (data.length / 3))
}

/** A picture of RGB bytes with its colours changed; rounded, and clipped to bytes. */
export function recolour({ data, width, height }: Picture, map: ColourMap): Picture {
  const result = new Uint8ClampedArray(data.length)
  for (let i = 0; i < data.length; i += 3)
    for (let k = 0; k < 3; k++)
      result[i + k] =
        map[k * 4] * data[i] + map[k * 4 + 1] * data[i + 1] + map[k * 4 + 2] * data[i + 2] + map[k * 4 + 3]
  return { data: result, width, height }
}
