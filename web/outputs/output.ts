import type { Output } from '../engine/protocol.js'

/**
 * What a model's outputs mean, told from their shapes, their numbers and what is known of the model. One module per kind
 * tries, the first that fits counts; what fits none is shown as numbers, because bars and boxes that mean nothing are worse.
 */
export type Finding = { readonly of: readonly string[] } & (
  | Classes
  | Boxes
  | Points
  | Text
  | Mask
  | ClassMap
  | Image
  | Planes
  | Numbers
)

/** Names of classes, and what speaks against them. */
export interface Named {
  readonly labels?: readonly string[]
  readonly caveat?: string
}

export interface Classes extends Named {
  readonly kind: 'classes'
  readonly probabilities: ArrayLike<number>
  /** What the output held: shares of one, their logarithms, scores that a softmax has made shares, or a share for each class alone. */
  readonly given: 'shares' | 'logarithms' | 'scores' | 'independent'
}

export interface Boxes extends Named {
  readonly kind: 'boxes'
  /** Unknown where the output tells the best class alone. */
  readonly classes: number | undefined
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
  readonly points?: readonly Point[]
}

/** A place as shares of the model's input. */
export interface Point {
  readonly x: number
  readonly y: number
}

/** Landmarks, in the model's order. */
export interface Points {
  readonly kind: 'points'
  readonly points: readonly Point[]
}

/** A line of writing; without an alphabet it cannot be read. */
export interface Text {
  readonly kind: 'text'
  readonly steps: number
  readonly signs: number
  readonly read: { readonly text: string; readonly score: number } | undefined
}

/** One number from 0 to 1 for each pixel. */
export interface Mask {
  readonly kind: 'mask'
  readonly width: number
  readonly height: number
  readonly values: Float32Array
  /** The output held no shares; a sigmoid has made it some. */
  readonly squashed: boolean
}

/** The best class of each pixel. */
export interface ClassMap extends Named {
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

/** Maps of which nobody says what they hold: features, heat maps, depths. */
export interface Planes {
  readonly kind: 'planes'
  readonly planes: PlaneView
}

export interface Numbers {
  readonly kind: 'numbers'
  readonly output: Output
  /** All of the first picture's, where they are in one row. */
  readonly vector: Float32Array | undefined
  /** What the numbers may be. */
  readonly guess: string
  /** A vector that would have a share for each class, if somebody said that it has classes. */
  readonly mayBeClasses: boolean
}

/** What the model was fed with, and what is known of it. */
export interface Fed {
  readonly height: number
  readonly width: number
  readonly channels: 'RGB' | 'BGR'
  /** Channels of the input that takes the picture; 0 where none does. */
  readonly planes: 0 | 1 | 3
  /** Pictures that the model takes at once. */
  readonly batch: number
  readonly knowledge: Knowledge
}

export interface Knowledge {
  /** The model's names, in small letters. */
  readonly name: string
  /** Labels that the user has given. */
  readonly own?: readonly string[]
  /** Labels that the model's file brings along. */
  readonly inFile?: readonly string[]
  /** Other labels that lie about; one that has as many lines as the model has classes counts. */
  readonly lists: readonly (readonly string[])[]
  /** Outputs that are known to have a score for each class, or all. */
  readonly classifiers: ReadonlySet<string> | 'all'
}

/** Tries to make sense of some of the outputs together. */
export type Recognise = (outputs: readonly Output[], fed: Fed) => Finding | undefined

/** Tries to make sense of one. */
export type RecogniseOne = (output: Output, fed: Fed) => Finding | undefined

/** Below this no detection is kept, whatever the page shows of the rest. */
export const floor = 0.05

/** A map of the first picture of the batch: its planes in order, each of height × width. */
export interface PlaneView {
  readonly channels: number
  readonly height: number
  readonly width: number
  /** Whether it has the input's proportions, and so can lie on the picture. */
  readonly fits: boolean
  at(channel: number, pixel: number): number
}

/** An output of four axes, or of three for one plane, with both spatial ones larger than one; which they are, the input's proportions tell. */
export function planesOf({ dims, data }: Pick<Output, 'dims' | 'data'>, fed: Fed): PlaneView | undefined {
  const fits = (high: number, wide: number) =>
    high > 1 && wide > 1 && Math.abs((high / wide) * (fed.width / fed.height) - 1) < 0.1
  if (dims.length === 3 && fits(dims[1], dims[2])) return planesOf({ dims: [dims[0], 1, ...dims.slice(1)], data }, fed)
  if (dims.length !== 4 || !data.length) return undefined
  const last = !fits(dims[2], dims[3]) && fits(dims[1], dims[2])
  const [channels, height, width] = last ? [dims[3], dims[1], dims[2]] : dims.slice(1)
  if (height < 2 || width < 2) return undefined
  const pixels = height * width
  const at = last
    ? (channel: number, pixel: number) => data[pixel * channels + channel]
    : (channel: number, pixel: number) => data[channel * pixels + pixel]
  return { channels, height, width, fits: fits(height, width), at }
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

/** How many numbers the first picture of the batch has, where all but one axis are one: [1, K], [1, K, 1, 1], [K]. */
export function vectorOf({ dims, data }: Output, { batch }: Pick<Fed, 'batch'>): Float32Array | undefined {
  // Rows of something else than pictures are no vectors.
  if (dims.length > 1 && dims[0] !== 1 && dims[0] !== batch) return undefined
  const axes = dims.length > 1 ? dims.slice(1) : dims
  const long = axes.filter(size => size > 1)
  return long.length === 1 && dims.length < 5 && data.length >= long[0] ? data.subarray(0, long[0]) : undefined
}

/** The length of a list of numbers as a vector. */
export const lengthOf = (data: Float32Array) => Math.sqrt(data.reduce((sum, value) => sum + value * value, 0))

export const isUnit = (data: Float32Array) => Math.abs(lengthOf(data) - 1) < 1e-3

/** Numbers from 0 to 1. */
export function areShares(data: Float32Array): boolean {
  return data.every(value => value >= -1e-4 && value <= 1 + 1e-4)
}

export const sumOf = (data: Float32Array) => data.reduce((a, b) => a + b, 0)
