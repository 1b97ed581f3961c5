import { CairnError } from '../base/index.js'

/**
 * From a picture to a model's input and from scores to the best classes. A picture is what a canvas or a decoder
 * gives: rows of RGB or RGBA bytes. Resizing is bilinear with antialiasing, bit for bit as Pillow's (and so as
 * torchvision's on PIL images), because models are trained on its pixels.
 */
export interface Picture {
  /** Bytes of the rows from the top, RGB or RGBA: width · height · 3 or 4. */
  readonly data: Uint8Array | Uint8ClampedArray
  /** Pixels. */
  readonly width: number
  /** Pixels. */
  readonly height: number
}

/** What a browser shows, or rows of RGB or RGBA bytes. */
export type ImageSource = Picture | TexImageSource

export const isPicture = (source: ImageSource): source is Picture => ArrayBuffer.isView((source as Picture).data)

export function sizeOf(source: ImageSource): { width: number; height: number } {
  const { naturalWidth, videoWidth, displayWidth } = source as unknown as Record<string, number>
  const { naturalHeight, videoHeight, displayHeight } = source as unknown as Record<string, number>
  const { width, height } = source as Picture
  const size = {
    width: naturalWidth || videoWidth || displayWidth || width,
    height: naturalHeight || videoHeight || displayHeight || height
  }
  if (size.width > 0 && size.height > 0) return size
  throw new CairnError('an image has no width and height yet; it must have loaded')
}

/** The pixels of what a browser shows, by way of a canvas. */
export function pictureOf(source: ImageSource): Picture {
  if (isPicture(source)) return source
  const { width, height } = sizeOf(source)
  const context = new OffscreenCanvas(width, height).getContext('2d')
  if (!context) throw new CairnError('this browser gives no canvas to read an image from')
  context.drawImage(source as CanvasImageSource, 0, 0)
  return context.getImageData(0, 0, width, height)
}

/** How a picture is brought to the size that a model takes: by default resized, and its centre cut out. */
export interface FitOptions {
  /** Pixels of the result. */
  readonly width: number
  /** Pixels of the result. */
  readonly height: number
  /** The shorter side before the centre is cut out; by default 8/7 of what is cut (256 for 224), as ImageNet models expect. */
  readonly resize?: number
  /** Resize straight to width and height, whatever that does to the proportions. */
  readonly stretch?: boolean
}

/** How bytes become elements, and in which order. An element is (byte · scale - mean) / std. */
export interface FloatOptions {
  /** Default `RGB`. */
  readonly channels?: 'RGB' | 'BGR' | 'RBG' | 'RGBA' | 'GRAY'
  /** Default `NCHW`. */
  readonly layout?: 'NCHW' | 'NHWC'
  /** An element is (byte * scale - mean) / std; one number, or one a channel in the order of `channels`. Default 1, 0, 1. */
  readonly scale?: number
  /** Subtracted from the scaled byte: one number, or one a channel. Default 0. */
  readonly mean?: number | readonly number[]
  /** Divided by: one number, or one a channel. Default 1. */
  readonly std?: number | readonly number[]
}

/** Mean and standard deviation of ImageNet's RGB channels, of bytes scaled by 1/255. */
export const imageNet = { scale: 1 / 255, mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] } as const

export function channelsOf({ data, width, height }: Picture): number {
  const channels = data.length / (width * height)
  if (channels === 3 || channels === 4) return channels
  throw new CairnError(`an image of ${width}×${height} has ${data.length} bytes; RGB or RGBA is allowed`)
}

/** Resizes and cuts a picture to `width` × `height`. */
export function fit(picture: Picture, options: FitOptions): Picture {
  const { width, height, stretch } = options
  const { wide, high } = fitting(picture, options)
  const resized = resize(picture, wide, high)
  return stretch ? resized : crop(resized, halfEven((wide - width) / 2), halfEven((high - height) / 2), width, height)
}

/** The size that a picture is brought to before its centre is cut out. */
export function fitting(
  picture: Pick<Picture, 'width' | 'height'>,
  { width, height, resize: short, stretch }: FitOptions
): { wide: number; high: number } {
  if (stretch) return { wide: width, high: height }
  const wanted = (side: number) => (short ? short * (side / Math.min(width, height)) : Math.round((side * 8) / 7))
  const [w, h] = [wanted(width), wanted(height)]
  const [inner, outer] = [w / picture.width, h / picture.height]
  const wide = Math.trunc(inner >= outer ? w : (h * picture.width) / picture.height)
  const high = Math.trunc(inner >= outer ? (w * picture.height) / picture.width : h)
  if (wide < width || high < height)
    throw new CairnError(`resizing to ${wide}×${high} leaves less than the ${width}×${height} to cut out`)
  return { wide, high }
}

export function crop(picture: Picture, left: number, top: number, width: number, height: number): Picture {
  const channels = channelsOf(picture)
  const data = new Uint8Array(width * height * channels)
  for (let y = 0; y < height; y++) {
    const from = ((top + y) * picture.width + left) * channels
    data.set(picture.data.subarray(from, from + width * channels), y * width * channels)
  }
  return { data, width, height }
}

/** The grey that detectors are trained to see around a photo. */
const padding = 114

/** The whole picture at the top left of `width` × `height`, its proportions kept; grey beside or below it. */
export function letterbox(picture: Picture, width: number, height: number): Picture {
  const scale = Math.min(width / picture.width, height / picture.height)
  const [wide, high] = [picture.width, picture.height].map(side => Math.max(1, Math.round(side * scale)))
  const inner = resize(picture, wide, high)
  const row = inner.data.length / high
  const channels = channelsOf(inner)
  const data = new Uint8Array(width * height * channels).fill(padding)
  for (let y = 0; y < high; y++) data.set(inner.data.subarray(y * row, (y + 1) * row), y * width * channels)
  return { data, width, height }
}

/** Bilinear with a support that grows with the reduction; columns first, rounded to bytes between the two passes. */
export function resize(picture: Picture, width: number, height: number): Picture {
  const channels = channelsOf(picture)
  let { data } = picture
  if (width !== picture.width) {
    const step = {
      across: channels,
      along: channels,
      lines: picture.height,
      from: picture.width * channels,
      to: width * channels
    }
    data = resample(data, taps(picture.width, width), step)
  }
  if (height !== picture.height) {
    const row = width * channels
    data = resample(data, taps(picture.height, height), { across: row, along: row, lines: 1, from: 0, to: 0 })
  }
  return { data, width, height }
}

interface Taps {
  readonly first: number
  readonly weights: readonly number[]
}

const one = 2 ** 22

/** Which input pixels each output pixel reads, and with which weights in units of 2^-22 (Pillow's fixed point). */
function taps(from: number, to: number): Taps[] {
  const scale = from / to
  const support = Math.max(scale, 1)
  return Array.from({ length: to }, (_, i) => {
    const centre = (i + 0.5) * scale
    const first = Math.max(Math.trunc(centre - support + 0.5), 0)
    const end = Math.min(Math.trunc(centre + support + 0.5), from)
    const weights = Array.from({ length: end - first }, (_, k) =>
      Math.max(0, 1 - Math.abs((first + k - centre + 0.5) / support))
    )
    const sum = weights.reduce((a, b) => a + b, 0)
    return { first, weights: weights.map(weight => Math.round((weight / sum) * one)) }
  })
}

interface Steps {
  /** Elements that one tap applies to, side by side, and the distance from one tap's to the next's. */
  readonly across: number
  readonly along: number
  readonly lines: number
  readonly from: number
  readonly to: number
}

function resample(data: Picture['data'], all: readonly Taps[], { across, along, lines, from, to }: Steps): Uint8Array {
  const result = new Uint8Array(lines * all.length * across)
  for (let line = 0; line < lines; line++)
    for (const [i, { first, weights }] of all.entries())
      for (let c = 0; c < across; c++) {
        let sum = one / 2
        for (let k = 0; k < weights.length; k++) sum += data[line * from + (first + k) * along + c] * weights[k]
        result[line * to + i * across + c] = Math.min(Math.max(Math.floor(sum / one), 0), 255)
      }
  return result
}

/** The picture's elements as a model reads them. */
export function toFloatData(picture: Picture, options: FloatOptions = {}): Float32Array {
  const { channels = 'RGB', layout = 'NCHW', scale = 1, mean = 0, std = 1 } = options
  const step = channelsOf(picture)
  const pixels = picture.width * picture.height
  const data = new Float32Array(pixels * channelCount(channels))
  for (let c = 0; c < channelCount(channels); c++) {
    const [m, s] = [ofChannel(mean, c, 'mean', channels), ofChannel(std, c, 'std', channels)]
    const source = channels === 'GRAY' ? -1 : 'RGBA'.indexOf(channels[c])
    const [first, stride] = layout === 'NCHW' ? [c * pixels, 1] : [c, channelCount(channels)]
    for (let i = 0; i < pixels; i++) {
      const from = i * step
      const byte = source < 0 ? luma(picture.data, from) : source < step ? picture.data[from + source] : 255
      data[first + i * stride] = (byte * scale - m) / s
    }
  }
  return data
}

/** The mean or standard deviation of channel `c`. */
export function ofChannel(value: number | readonly number[], c: number, name: string, channels: string): number {
  const own = typeof value === 'number' ? value : value[value.length === 1 ? 0 : c]
  if (own !== undefined) return own
  throw new CairnError(
    `${name} has ${(value as readonly number[]).length} numbers; one, or one for each of ${channels}`
  )
}

export const channelCount = (channels: NonNullable<FloatOptions['channels']>) =>
  channels === 'GRAY' ? 1 : channels.length

/** The dims of one picture as a model reads it. */
export function imageDims({ width, height, channels = 'RGB', layout = 'NCHW' }: FitOptions & FloatOptions): number[] {
  const count = channelCount(channels)
  return layout === 'NCHW' ? [1, count, height, width] : [1, height, width, count]
}

/** ITU-R 601, in Pillow's integers. */
function luma(data: Picture['data'], at: number): number {
  return (data[at] * 19595 + data[at + 1] * 38470 + data[at + 2] * 7471 + 0x8000) >> 16
}

/** Python's round, which torchvision's centre crop uses. */
export function halfEven(value: number): number {
  const floor = Math.floor(value)
  if (value - floor !== 0.5) return Math.round(value)
  return floor % 2 ? floor + 1 : floor
}

/** A class with its score. */
export interface Scored {
  /** The class, counted from 0. */
  readonly index: number
  /** As the model gives it, or a probability where softmax was asked for. */
  readonly score: number
}

/** The `count` largest scores, best first; equal ones by index. */
export function topK(scores: ArrayLike<number> | ArrayLike<bigint>, count: number): Scored[] {
  return Array.from(scores as ArrayLike<number>, (score, index) => ({ index, score: Number(score) }))
    .sort((a, b) => b.score - a.score || a.index - b.index)
    .slice(0, count)
}

/** Scores as probabilities: exp(score) over the sum of all, in double precision; as many as are given. */
export function softmax(scores: ArrayLike<number>): Float64Array {
  const all = Float64Array.from(scores)
  const largest = all.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY)
  const powers = all.map(score => Math.exp(score - largest))
  const sum = powers.reduce((a, b) => a + b, 0)
  return powers.map(power => power / sum)
}

/** What onnxruntime-web's `Tensor.fromImage` takes for ImageData. */
export interface ImageTensorOptions {
  /** Order of the channels; default `RGB`. */
  readonly tensorFormat?: 'RGB' | 'BGR' | 'RBG' | 'RGBA'
  /** Axes of the tensor; default `NCHW`. */
  readonly tensorLayout?: 'NCHW' | 'NHWC'
  /** Element type. */
  readonly dataType?: 'float32'
  /** Pixels; the picture's own by default. */
  readonly resizedWidth?: number
  /** Pixels; the picture's own by default. */
  readonly resizedHeight?: number
  /** An element is (byte + bias) / mean; by channel in the order R, G, B, A. Default mean 255, bias 0. */
  readonly norm?: { readonly mean?: number | readonly number[]; readonly bias?: number | readonly number[] }
}

/** Elements and dims of the tensor that onnxruntime-web's `Tensor.fromImage` makes of ImageData. */
export function fromImageData(
  picture: Picture,
  options: ImageTensorOptions = {}
): { data: Float32Array; dims: number[] } {
  const { tensorFormat: channels = 'RGB', tensorLayout: layout = 'NCHW', norm = {} } = options
  const { resizedWidth: width = picture.width, resizedHeight: height = picture.height } = options
  const resized = resize(picture, width, height)
  const ordered = (value: number | readonly number[], rest: number) =>
    Array.from(channels, letter => (typeof value === 'number' ? value : (value['RGBA'.indexOf(letter)] ?? rest)))
  const mean = ordered(norm.bias ?? 0, 0).map(bias => -bias)
  const data = toFloatData(resized, { channels, layout, mean, std: ordered(norm.mean ?? 255, 255) })
  return { data, dims: imageDims({ width, height, channels, layout }) }
}

/** Refuses what is no image. */
export function checkSource(source: ImageSource): void {
  if (!source || typeof source !== 'object')
    throw new CairnError('an image is { data, width, height } with RGB or RGBA bytes, or what a browser shows')
}

/** Refuses what is no image, or no size to bring it to. */
export function checkImage(source: ImageSource, options: FitOptions | undefined): void {
  checkSource(source)
  const { width, height } = options ?? { width: 0, height: 0 }
  if (!(width > 0 && height > 0)) throw new CairnError('the width and height that the model takes are missing')
}

/** A fitted picture as a model reads it. */
export function imageElements(
  picture: Picture,
  options: FitOptions & FloatOptions
): { data: Float32Array; dims: number[] } {
  return { data: toFloatData(fit(picture, options), options), dims: imageDims(options) }
}
