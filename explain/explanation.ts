import type { HeatMap } from './maps.js'
import type { Method } from './options.js'

/** What a map is made of, in C order. */
export interface Attribution {
  /** The elements. */
  readonly data: Float32Array
  /** Sizes of the axes. */
  readonly dims: readonly number[]
}

/** How near integrated gradients come to what they have to add up to. */
export interface Completeness {
  /** Steps from the baseline to the input. */
  readonly steps: number
  /** Of all attributions. */
  readonly sum: number
  /** The score of the input less that of the baseline. */
  readonly difference: number
  /** How far the two are apart, as a share of the difference. */
  readonly error: number
}

/** The maps that Grad-CAM weighs. */
export interface LayerMaps extends Attribution {
  /** The value that holds them, [1, C, H, W]. */
  readonly name: string
  /** Of the class's score by them, of the same sizes. */
  readonly gradient: Float32Array
}

/** Why a network gives an input a class. */
export interface Explanation {
  /** How it was made. */
  readonly method: Method
  /** The class, counted from 0. */
  readonly class: number
  /** Its score: in front of a softmax at the end; with occlusion as the model gives it. */
  readonly score: number
  /** All scores in a row. */
  readonly scores: Float32Array
  /** One number of at least 0 a pixel, or a place of the layer, whose first and last pixels are the input's. */
  readonly map: HeatMap
  /**
   * What the map is made of: signed and with the input's sizes for gradients; for occlusion what each position of the window takes
   * from the score, [rows, columns]; for Grad-CAM the map.
   */
  readonly attribution: Attribution
  /** Of Grad-CAM: the name of the layer. */
  readonly layer?: string
  /** Of Grad-CAM: the layer's maps, and the gradient by them. */
  readonly maps?: LayerMaps
  /** Of integrated gradients. */
  readonly completeness?: Completeness
}
