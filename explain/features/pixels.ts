import { CairnError } from '../../runtime/base/index.js'
import { copyFloats, type Picture, type Tensor } from '../../runtime/tensor/index.js'
import { components, spreads } from '../../runtime/train/index.js'
import { pixelsOf } from '../maps.js'

/** The model's numbers of black and of white, by channel in the model's order; one number stands for all channels. */
export interface PixelRange {
  /** Of a black pixel, the element of each channel; default 0. */
  readonly black?: number | readonly number[]
  /** Of a white pixel; default 1. */
  readonly white?: number | readonly number[]
  /** Channels are in the order B, G, R. */
  readonly bgr?: boolean
}

/**
 * The square root of the covariance of ImageNet's colours, scaled so that its longest column is 1: what is drawn independently
 * becomes red, green and blue as they go together in photos (Olah et al., "Feature visualization", distill.pub, 2017).
 */
const colours = components.map((component, i) => (component * Math.sqrt(spreads[i % 3])) / Math.sqrt(spreads[0]))

/**
 * A picture by what is changed to make it: three independent colours (or one grey) a pixel, any numbers, which a matrix and a
 * logistic function make into pixels from black to white, and these into a model's input.
 */
export class Parameters {
  readonly values: Float64Array
  readonly width: number
  readonly height: number
  readonly planes: number
  private readonly black: readonly number[]
  private readonly extent: readonly number[]
  private readonly at: (plane: number, pixel: number) => number

  constructor(
    dims: readonly number[],
    private readonly range: PixelRange
  ) {
    const { channels, width, height, channel, pixel } = pixelsOf(dims)
    if (channels !== 1 && channels !== 3)
      throw new CairnError(`a picture of ${channels} channels cannot be drawn; 1 or 3 are allowed`)
    this.planes = channels
    this.width = width
    this.height = height
    this.values = new Float64Array(channels * width * height)
    const list = (given: number | readonly number[], name: string) => {
      const all = typeof given === 'number' ? new Array<number>(channels).fill(given) : given
      if (all.length !== channels || !all.every(Number.isFinite))
        throw new CairnError(
          `${name} [${all}]; ${channels === 1 ? 'one number' : 'a number for each channel'} is allowed`
        )
      return all
    }
    this.black = list(range.black ?? 0, 'black')
    const white = list(range.white ?? 1, 'white')
    this.extent = white.map((value, i) => value - this.black[i])
    this.at = (plane, i) => plane * channel + i * pixel
  }

  /** Of a plane (red, green, blue), the channel of the input. */
  private channelOf(plane: number): number {
    return this.range.bgr ? this.planes - 1 - plane : plane
  }

  /** From 0 to 1, red, green and blue plane by plane. */
  pixels(): Float64Array {
    const { values, planes } = this
    const size = this.width * this.height
    const found = new Float64Array(values.length)
    for (let i = 0; i < size; i++)
      for (let c = 0; c < planes; c++) {
        let sum = 0
        if (planes === 1) sum = values[i]
        else for (let k = 0; k < 3; k++) sum += colours[c * 3 + k] * values[k * size + i]
        found[c * size + i] = 1 / (1 + Math.exp(-sum))
      }
    return found
  }

  /** The input that these pixels are, moved in a circle by columns and rows. */
  input(pixels: Float64Array, [right, down]: Shift): Float32Array {
    const { width, height, planes, black, extent } = this
    const made = new Float32Array(pixels.length)
    for (let c = 0; c < planes; c++) {
      const channel = this.channelOf(c)
      for (let y = 0; y < height; y++)
        for (let x = 0; x < width; x++) {
          const to = ((y + down) % height) * width + ((x + right) % width)
          made[this.at(channel, to)] = black[channel] + extent[channel] * pixels[(c * height + y) * width + x]
        }
    }
    return made
  }

  /** By the values, of a gradient by the input that `input` has made of `pixels`, and of one by the pixels themselves. */
  gradient(byInput: Float32Array, pixels: Float64Array, [right, down]: Shift, byPixels?: Float64Array): Float64Array {
    const { width, height, planes, extent } = this
    const size = width * height
    const found = new Float64Array(pixels.length)
    for (let y = 0; y < height; y++)
      for (let x = 0; x < width; x++) {
        const i = y * width + x
        const from = ((y + down) % height) * width + ((x + right) % width)
        for (let c = 0; c < planes; c++) {
          const p = pixels[c * size + i]
          const channel = this.channelOf(c)
          const slope = extent[channel] * byInput[this.at(channel, from)] + (byPixels ? byPixels[c * size + i] : 0)
          const by = p * (1 - p) * slope
          if (planes === 1) found[i] += by
          else for (let k = 0; k < 3; k++) found[k * size + i] += colours[c * 3 + k] * by
        }
      }
    return found
  }

  /** RGB. */
  picture(): Picture {
    const { width, height, planes } = this
    const size = width * height
    const pixels = this.pixels()
    const data = new Uint8ClampedArray(size * 3)
    for (let i = 0; i < size; i++)
      for (let c = 0; c < 3; c++) data[i * 3 + c] = 255 * pixels[(planes === 1 ? 0 : c) * size + i]
    return { data, width, height }
  }

  /** The picture that an input is, RGB. */
  shown(input: Float32Array): Picture {
    const { width, height, planes, black, extent } = this
    const data = new Uint8ClampedArray(width * height * 3)
    for (let i = 0; i < width * height; i++)
      for (let c = 0; c < 3; c++) {
        const channel = this.channelOf(planes === 1 ? 0 : c)
        data[i * 3 + c] = (255 * (input[this.at(channel, i)] - black[channel])) / extent[channel]
      }
    return { data, width, height }
  }
}

/** Columns to the right and rows down. */
export type Shift = readonly [right: number, down: number]

/** Each plane with a Gaussian of this deviation, in pixels, in place; edges go on as they are. */
export function blur(planes: Float64Array, width: number, height: number, deviation: number): void {
  if (!(deviation > 0.1)) return
  const reach = Math.ceil(3 * deviation)
  const weights = Array.from({ length: 2 * reach + 1 }, (_, i) => Math.exp(-((i - reach) ** 2) / (2 * deviation ** 2)))
  const sum = weights.reduce((a, b) => a + b)
  const size = width * height
  const line = new Float64Array(Math.max(width, height))
  const along = (start: number, step: number, length: number) => {
    for (let i = 0; i < length; i++) line[i] = planes[start + i * step]
    for (let i = 0; i < length; i++) {
      let total = 0
      for (let k = -reach; k <= reach; k++) total += weights[k + reach] * line[Math.min(Math.max(i + k, 0), length - 1)]
      planes[start + i * step] = total / sum
    }
  }
  for (let plane = 0; plane < planes.length; plane += size) {
    for (let y = 0; y < height; y++) along(plane + y * width, 1, width)
    for (let x = 0; x < width; x++) along(plane + x, width, height)
  }
}

/** The gradient of the sum of squared differences between neighbours, by pixel. */
export function roughness(pixels: Float64Array, width: number, height: number): Float64Array {
  const size = width * height
  const found = new Float64Array(pixels.length)
  for (let plane = 0; plane < pixels.length; plane += size)
    for (let y = 0; y < height; y++)
      for (let x = 0; x < width; x++) {
        const i = plane + y * width + x
        for (const other of [x + 1 < width ? i + 1 : -1, y + 1 < height ? i + width : -1]) {
          if (other < 0) continue
          const by = 2 * (pixels[i] - pixels[other])
          found[i] += by
          found[other] -= by
        }
      }
  return found
}

/** The picture that a model's input is, RGB. */
export function pictureFrom(input: Tensor, range: PixelRange = {}): Picture {
  const parameters = new Parameters(input.dims, range)
  return parameters.shown(copyFloats(input))
}
