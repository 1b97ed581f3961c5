import { PNG } from 'pngjs'
import { channelsOf, type Picture } from '../../runtime/tensor/index.js'
import { InputError } from '../terminal/index.js'

/** Pictures to look at: sheets of photos, filters and feature maps, and PNG files of them. */

/**
 * Pictures side by side on white, row by row, as RGB. All cells are as large as the largest picture, smaller ones are
 * centred; `gap` is the pixels between cells and around them.
 */
export function contactSheet(pictures: readonly Picture[], columns: number, gap = 4): Picture {
  if (!pictures.length) throw new InputError('a contact sheet of no pictures: at least one is needed')
  if (!Number.isInteger(columns) || columns < 1)
    throw new InputError(`a contact sheet of ${columns} columns: a whole number of at least 1 is allowed`)
  const across = Math.min(columns, pictures.length)
  const down = Math.ceil(pictures.length / across)
  const wide = Math.max(...pictures.map(({ width }) => width))
  const high = Math.max(...pictures.map(({ height }) => height))
  const [width, height] = [across * (wide + gap) + gap, down * (high + gap) + gap]
  const data = new Uint8Array(width * height * 3).fill(255)
  pictures.forEach((picture, i) => {
    const left = gap + (i % across) * (wide + gap) + ((wide - picture.width) >> 1)
    const top = gap + Math.floor(i / across) * (high + gap) + ((high - picture.height) >> 1)
    paste(picture, { data, width, height }, left, top)
  })
  return { data, width, height }
}

/** Writes the red, green and blue of `picture` into `sheet`. */
function paste(picture: Picture, sheet: Picture, left: number, top: number): void {
  const channels = channelsOf(picture)
  for (let y = 0; y < picture.height; y++)
    for (let x = 0; x < picture.width; x++) {
      const from = (y * picture.width + x) * channels
      sheet.data.set(picture.data.subarray(from, from + 3), ((top + y) * sheet.width + left + x) * 3)
    }
}

/** The bytes of a PNG file, of RGB or RGBA. */
export function pngOf(picture: Picture): Uint8Array {
  const { data, width, height } = picture
  const colorType = channelsOf(picture) === 4 ? 6 : 2
  const png = { width, height, data: Buffer.from(data) } as PNG
  return PNG.sync.write(png, { colorType, inputColorType: colorType, inputHasAlpha: colorType === 6 })
}

export interface TileOptions {
  /** Pixels a side of each element; default 1. */
  readonly enlarge?: number
  /** Shown black and white; by default the least and the largest element. */
  readonly range?: readonly [black: number, white: number]
}

/** A grey tile of one feature map, [height, width]; one that is the same everywhere is mid-grey. */
export function tileOf(plane: Float32Array, width: number, height: number, options: TileOptions = {}): Picture {
  return tile(plane, { channels: 1, width, height }, options)
}

/**
 * A tile of one first-layer filter, [channels, height, width]: grey of 1 channel, in colour of 3 (red, green, blue),
 * all on one scale.
 */
export function filterTile(
  weights: Float32Array,
  channels: number,
  height: number,
  width: number,
  options: TileOptions = {}
): Picture {
  if (channels !== 1 && channels !== 3)
    throw new InputError(`a tile of a filter with ${channels} channels: 1 or 3 are allowed`)
  return tile(weights, { channels, width, height }, options)
}

interface Planes {
  readonly channels: 1 | 3
  readonly width: number
  readonly height: number
}

function tile(
  values: Float32Array,
  { channels, width, height }: Planes,
  { enlarge = 1, range = extremes(values) }: TileOptions
): Picture {
  if (values.length !== channels * width * height)
    throw new InputError(`a tile of ${channels}×${height}×${width} was given ${values.length} elements`)
  const [black, white] = range
  const byte = (value: number) => (white > black ? (255 * (value - black)) / (white - black) : 128)
  const data = new Uint8ClampedArray(width * height * enlarge * enlarge * 3)
  for (let y = 0, at = 0; y < height * enlarge; y++)
    for (let x = 0; x < width * enlarge; x++)
      for (let c = 0; c < 3; c++) {
        const pixel = Math.floor(y / enlarge) * width + Math.floor(x / enlarge)
        data[at++] = byte(values[(channels === 3 ? c : 0) * width * height + pixel])
      }
  return { data, width: width * enlarge, height: height * enlarge }
}

function extremes(values: Float32Array): [number, number] {
  let [least, largest] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]
  for (const value of values) {
    least = Math.min(least, value)
    largest = Math.max(largest, value)
  }
  return [least, largest]
}
