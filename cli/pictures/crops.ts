import { crop, fitting, type Picture, resize } from '../../runtime/tensor/index.js'
import { type Flags, InputError, type Option, UsageError } from '../terminal/index.js'
import { upright } from './picture-tags.js'

/** Several parts of a picture whose classes are averaged. */
export const cropsOption: Option = {
  flag: '--crops',
  value: '5|10|144',
  help: 'average over the centre and corners, with 10 mirrored too (AlexNet), with 144 at four scales (GoogLeNet)'
}

export type Crops = 1 | 5 | 10 | 144

export function cropsOf(flags: Flags): Crops {
  const crops = Number(flags.choice('crops', ['1', '5', '10', '144'], '1')) as Crops
  if (crops === 1) return crops
  flags.refuse(['stretch', 'pad'], 'with --crops, which cuts parts out')
  if (crops === 144 && flags.text('resize') !== undefined)
    throw new UsageError('--resize is of no use with --crops 144, which has four scales of its own')
  return crops
}

interface Sides {
  readonly width: number
  readonly height: number
  /** Of the shorter side before anything is cut out. */
  readonly resize?: number
}

/** Left and right exchanged, which is the second of the orientations that photos have. */
const mirrored = (picture: Picture) => upright(picture, 2)

const middle = (spare: number) => Math.floor(spare / 2)

/** Four corners, then the centre. */
function fiveOf(picture: Picture, { width, height }: Sides): Picture[] {
  const [right, bottom] = [picture.width - width, picture.height - height]
  const places = [
    [0, 0],
    [right, 0],
    [0, bottom],
    [right, bottom],
    [middle(right), middle(bottom)]
  ]
  return places.map(([left, top]) => crop(picture, left, top, width, height))
}

/** Shorter sides, as sevenths of the input's: 256, 288, 320 and 352 for 224. */
const scales = [8, 9, 10, 11]

/** Of each scale three squares, of each its corners, its centre and all of it (Szegedy et al. 2015, section 7). */
function manyOf(picture: Picture, sides: Sides): Picture[] {
  const { width, height } = sides
  if (width !== height) throw new InputError(`--crops 144: the input is ${height}×${width}; square ones are allowed`)
  return scales.flatMap(scale => {
    const side = Math.round((width * scale) / 7)
    const factor = side / Math.min(picture.width, picture.height)
    const [wide, high] = [picture.width, picture.height].map(length => Math.max(side, Math.round(length * factor)))
    const resized = resize(picture, wide, high)
    const spare = [wide - side, high - side]
    return [0, 1, 2].flatMap(place => {
      const [left, top] = spare.map(length => [0, middle(length), length][place])
      const square = crop(resized, left, top, side, side)
      return [...fiveOf(square, sides), resize(square, width, height)]
    })
  })
}

/**
 * The parts of a picture that are looked at, each `width` × `height`: its centre, or the corners and the centre of the middle of the
 * resized picture, also mirrored (Krizhevsky et al. 2012, section 4.1), or those of four scales.
 */
export function partsOf(picture: Picture, crops: Exclude<Crops, 1>, sides: Sides): Picture[] {
  if (crops === 144) return manyOf(picture, sides).flatMap(part => [part, mirrored(part)])
  const { width, height } = sides
  const { wide, high } = fitting(picture, sides)
  const shorter = sides.resize ?? Math.round((Math.min(width, height) * 8) / 7)
  const [across, down] = [width, height].map(side => Math.round((shorter * side) / Math.min(width, height)))
  const [kept, tall] = [Math.min(across, wide), Math.min(down, high)]
  const resized = resize(picture, wide, high)
  const five = fiveOf(crop(resized, middle(wide - kept), middle(high - tall), kept, tall), sides)
  return crops === 5 ? five : [...five, ...five.map(mirrored)]
}
