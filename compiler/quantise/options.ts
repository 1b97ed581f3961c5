import type { ImportOptions } from '../onnx/index.js'
import type { Chooser } from './ranges.js'
import type { Feed } from './session.js'
import type { WeightBits } from './weights.js'

/** How a model is quantised; all of it has a default. */
export interface QuantiseOptions extends Omit<ImportOptions, 'externalData'> {
  /** Inputs as the model will meet them, read several times; or a number of scenes to be drawn, 8 where nothing is given. */
  readonly calibrate?: Iterable<Feed> | AsyncIterable<Feed> | number
  /** Contents of an external data file by the location that the model names. */
  readonly externalData?: (location: string) => Uint8Array | Promise<Uint8Array>
  /** Names of layers that stay float. */
  readonly keep?: readonly string[]
  /** The largest error of the outputs (as in the report): what costs most stays float until it holds. */
  readonly budget?: number
  /**
   * Bits of the weights. With 7, from -64 to 64 (onnxruntime's reduce_range), sums on processors without VNNI do not saturate in
   * onnxruntime, which Cairn's never do; 8 by default.
   */
  readonly weightBits?: WeightBits
  /** Bytes that a model may take while it is run; 4 GiB by default. */
  readonly maxMemory?: number
  /** Called behind each run of the model with what it is run for. */
  readonly onRun?: (what: string) => void
  /** Called at the end with ranges and errors. */
  readonly onReport?: (report: QuantiseReport) => void
}

/** What quantising has found, for whoever shows it. */
export interface QuantiseReport {
  /** Layers with weights, in the order of the graph. */
  readonly layers: readonly LayerReport[]
  /** Tensors that become bytes, in the order of the graph. */
  readonly tensors: readonly TensorReport[]
  /** Root mean square error of the outputs over their root mean square, on at most 12 feeds that are spread over the calibration data. */
  readonly error: number
  /** Feeds that ranges were measured on. */
  readonly feeds: number
  /** Whether tensors have the ranges of least error, of least divergence, or hold all values, whichever leaves the outputs nearer. */
  readonly ranges: 'least error' | 'least divergence' | 'min-max'
  /** Whether biases make up for what rounding the weights adds to means. */
  readonly isCorrected: boolean
  /** Whether weights were equalised across layers. */
  readonly isEqualised: boolean
}

/** A layer with weights. */
export interface LayerReport {
  /** The node's name; where it has none, that of its first output. */
  readonly name: string
  /** The ONNX operator. */
  readonly op: string
  /** Decibels of the layer's own output over its error where this layer alone is quantised, its input included. */
  readonly sqnr: number
  /** The error of the outputs where this layer alone is quantised; measured where something had to stay float. */
  readonly cost?: number
  /** Why it stays float; undefined of a layer on bytes. */
  readonly kept?: 'asked' | 'budget'
}

/** A tensor of bytes. */
export interface TensorReport {
  /** The tensor's name in the graph. */
  readonly name: string
  /** The smallest number that its bytes can say, in the tensor's own unit. */
  readonly low: number
  /** The largest number that its bytes can say. */
  readonly high: number
  /** How the range was chosen. */
  readonly chooser: Chooser
  /** Share of the data that is clipped. */
  readonly clipped: number
  /** Decibels of the tensor over the error of its bytes. */
  readonly sqnr: number
}
