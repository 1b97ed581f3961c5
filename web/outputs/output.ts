import type { Output } from '../protocol.js'

/** What a model's outputs mean, told from their shapes alone: one module per kind tries, the first that fits counts. */
export type Finding = Classes | Boxes | Mask | ClassMap | Image

export interface Classes {
  readonly kind: 'classes'
  readonly probabilities: ArrayLike<number>
  /** The output held no probabilities; a softmax has made it some. */
  readonly softmaxed: boolean
}

export interface Boxes {
  readonly kind: 'boxes'
  readonly classes: number
  /** The surest first, none below `floor`; corners as shares of the model's input. */
  readonly boxes: readonly Box[]
}

export interface Box {
  readonly left: number
  readonly top: number
  readonly right: number
  readonly bottom: number
  readonly score: number
  readonly index: number
}

/** One number from 0 to 1 for each pixel. */
export interface Mask {
  readonly kind: 'mask'
  readonly width: number
  readonly height: number
  readonly values: Float32Array
}

/** The best class of each pixel. */
export interface ClassMap {
  readonly kind: 'map'
  readonly width: number
  readonly height: number
  readonly classes: number
  readonly best: Uint16Array
}

export interface Image {
  readonly kind: 'image'
  readonly grey: boolean
  readonly pixels: ImageData
}

/** What the model was fed with. */
export interface Fed {
  readonly height: number
  readonly width: number
  readonly channels: 'RGB' | 'BGR'
}

export type Recognise = (outputs: readonly Output[], fed: Fed) => Finding | undefined

/** Below this no detection is kept, whatever the page shows of the rest. */
export const floor = 0.05

/** A map of the first picture of the batch: its planes in order, each of height × width. */
export interface Planes {
  readonly channels: number
  readonly height: number
  readonly width: number
  at(channel: number, pixel: number): number
}

/** An output of four axes with both spatial ones larger than one; which they are, the input's proportions tell. */
export function planesOf({ dims, data }: Output, fed: Fed): Planes | undefined {
  if (dims.length !== 4) return undefined
  const fits = (high: number, wide: number) => Math.abs((high / wide) * (fed.width / fed.height) - 1) < 0.05
  const last = !fits(dims[2], dims[3]) && fits(dims[1], dims[2])
  const [channels, height, width] = last ? [dims[3], dims[1], dims[2]] : dims.slice(1)
  if (height < 2 || width < 2) return undefined
  const pixels = height * width
  const at = last
    ? (channel: number, pixel: number) => data[pixel * channels + channel]
    : (channel: number, pixel: number) => data[channel * pixels + pixel]
  return { channels, height, width, at }
}

export function range(data: ArrayLike<number>): { least: number; most: number; mean: number } {
  let [least, most, sum] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0]
  for (let i = 0; i < data.length; i++) {
    least = Math.min(least, data[i])
    most = Math.max(most, data[i])
    sum += data[i]
  }
  return { least, most, mean: sum / data.length }
}

export const sigmoid = (x: number) => 1 / (1 + Math.exp(-x))
