import { differentiate } from '../../compiler/gradients/index.js'
import { Value } from '../../compiler/graph/index.js'
import { Writer } from '../../compiler/infer/index.js'
import { deadCode, foldBatchNorm, foldPad, foldScaleShift } from '../../compiler/passes/index.js'
import { Breath, CairnError } from '../../runtime/base/index.js'
import type { Picture } from '../../runtime/tensor/index.js'
import { copyFloats, Tensor } from '../../runtime/tensor/index.js'
import { Random } from '../../runtime/train/index.js'
import type { Engine } from '../../train/device/engine.js'
import { lowerStep, makeDifferentiable } from '../../train/network/pipeline.js'
import { opened } from '../gradients.js'
import { pixelsOf } from '../maps.js'
import { checked, type FeatureOptions, settingsOf } from './feature-options.js'
import { beforeSilence, graphOf, layersAsked, nameOf, unitsOf } from './layers.js'
import { blur, Parameters, type PixelRange, roughness, type Shift } from './pixels.js'

/** The layer that pictures are made for. */
export interface VisualiserOptions extends FeatureOptions, PixelRange {
  /** A node or value; by default the last layer with weights. */
  readonly layer?: string
}

/** How a picture is made. */
export interface AscentOptions {
  /** Steps; default 128, of inversions 256. */
  readonly steps?: number
  /** Of Adam, in units of what a logistic function makes pixels of; default 0.05. */
  readonly rate?: number
  /** The first picture's noise, and where it is moved to: the same seed gives the same picture. Default 0. */
  readonly seed?: number
  /** Pixels that the picture is moved by at random in each step, at most; default a 28th of the shorter side. */
  readonly jitter?: number
  /** Deviation in pixels of the Gaussian that blurs the steps at first; it falls to 0.15 of that. Default a 56th of the shorter side. */
  readonly blur?: number
  /** Ends it with the signal's reason, between two steps. */
  readonly signal?: AbortSignal
  /** Called behind each step. */
  readonly onStep?: (done: number, total: number) => void
}

/** A picture that a network has made. */
export interface Preimage {
  /** RGB. */
  readonly picture: Picture
  /** The same as the model's input. */
  readonly input: Tensor
  /** What the unit says of it, in the mean over its map; of an inversion the distance from the layer's output, as a share of its length. */
  readonly value: number
}

const [firstDecay, secondDecay, tiny] = [0.9, 0.999, 1e-8]
/** Share of the blur that is left at the end: without any, the finest stripes win. */
const leastBlur = 0.15

/** Makes pictures by what a layer says of them: what excites a unit most, and what looks to the layer like a given picture. */
export class Visualiser {
  private constructor(
    /** Name of the layer. */
    readonly layer: string,
    /** Channels of the layer. */
    readonly units: number,
    private readonly places: readonly number[],
    private readonly dims: readonly number[],
    private readonly engine: Engine,
    private readonly range: PixelRange
  ) {
    new Parameters(dims, range)
  }

  /** Compiles the network up to the layer, and back. `dims` are those of a picture, [1, C, H, W] or [1, H, W, C]. */
  static async create(
    bytes: Uint8Array,
    dims: readonly number[],
    options: VisualiserOptions = {}
  ): Promise<Visualiser> {
    const settings = settingsOf(options)
    const graph = graphOf(bytes, dims, options)
    const named = layersAsked(graph, options.layer === undefined ? undefined : [options.layer]).at(-1)!
    const layer = beforeSilence(named)
    const { units } = unitsOf(layer.shape)!
    const shape = layer.shape as number[]
    const input = new Value('picture', 'float32', dims)
    graph.replace(graph.inputs[0], input)
    const [scale, direction] = [new Value('scale', 'float32', [1]), new Value('direction', 'float32', shape)]
    graph.inputs = [input, scale, direction]
    graph.outputs = [layer]
    graph.outputNames = ['maps']
    graph.outputTypes = ['float32']
    graph.counts = new Map()
    deadCode.run(graph)
    makeDifferentiable(graph, undefined, [foldBatchNorm, foldScaleShift, foldPad])
    const [maps] = graph.outputs
    const write = new Writer(graph, 'ascent')
    // What is climbed: scale / 2 · |maps|² + direction · maps.
    const seed = write.add('Add', [write.add('Mul', [maps, scale]), direction])
    const [gradient] = differentiate(graph, new Map([[maps, seed]]), [input])
    if (!gradient) throw new CairnError(`layer "${nameOf(named)}" does not depend on the input`)
    graph.outputs = [maps, gradient]
    graph.outputNames = ['maps', 'gradient']
    graph.outputTypes = ['float32', 'float32']
    const engine = await opened(lowerStep(graph, 4), settings)
    return new Visualiser(nameOf(named), units, shape, dims, engine, options)
  }

  /** What excites a unit most, in the mean over its map, counted from 0 (activation maximisation, Erhan et al. 2009). */
  maximise(unit: number, options: AscentOptions = {}): Promise<Preimage> {
    const { units, places } = this
    checked('unit', unit, n => Number.isInteger(n) && n >= 0 && n < units, `a whole number from 0 to ${units - 1}`)
    const count = places.reduce((all, size) => all * size, 1)
    const size = count / units
    const direction = new Float32Array(count)
    direction.fill(1 / size, unit * size, (unit + 1) * size)
    const mean = (maps: Float32Array) => maps.reduce((sum, value, i) => sum + value * direction[i], 0)
    return this.climb({ scale: 0, direction, smooth: false, value: mean }, { ...options, steps: options.steps ?? 128 })
  }

  /**
   * A picture that the layer cannot tell from `input` (feature inversion: Mahendran and Vedaldi, arXiv 1412.0035), by the squared
   * distance, with a penalty on the differences between neighbouring pixels.
   */
  async invert(input: Tensor, options: AscentOptions = {}): Promise<Preimage> {
    if (input.dims.join() !== this.dims.join())
      throw new CairnError(`the input is ${input.dims.join('×')}; the layer was compiled for ${this.dims.join('×')}`)
    const zeros = new Float32Array(this.places.reduce((all, size) => all * size, 1))
    const { maps } = await this.run(copyFloats(input), 0, zeros)
    const length = maps.reduce((sum, value) => sum + value * value, 0) || 1
    const direction = maps.map(value => value / length)
    const apart = (found: Float32Array) =>
      Math.sqrt(found.reduce((sum, value, i) => sum + (value - maps[i]) ** 2, 0) / length)
    return this.climb(
      { scale: -1 / length, direction, smooth: true, value: apart },
      { ...options, steps: options.steps ?? 256, jitter: options.jitter ?? 0 }
    )
  }

  /** Gives memory and threads back. */
  release(): Promise<void> {
    return this.engine.release()
  }

  private async run(picture: Float32Array, scale: number, direction: Float32Array) {
    const [maps, gradient] = await this.engine.run(1, { picture, scale: Float32Array.of(scale), direction })
    return { maps, gradient }
  }

  /** Adam (Kingma and Ba, arXiv 1412.6980) upwards, on gradients that are blurred less and less. */
  private async climb(
    { scale, direction, smooth, value }: Goal,
    options: AscentOptions & { steps: number }
  ): Promise<Preimage> {
    const { steps, rate, jitter, blurred, seed } = ascentOf(options, this.dims)
    const random = new Random(seed)
    const drawn = new Parameters(this.dims, this.range)
    const { values, width, height } = drawn
    for (let i = 0; i < values.length; i++) values[i] = 0.01 * random.normal()
    const [first, second] = [new Float64Array(values.length), new Float64Array(values.length)]
    const breath = new Breath()
    for (let step = 1; step <= steps; step++) {
      await breath.take()
      options.signal?.throwIfAborted()
      const shift = [random.whole(jitter + 1), random.whole(jitter + 1)] as Shift
      const pixels = drawn.pixels()
      const { gradient } = await this.run(drawn.input(pixels, shift), scale, direction)
      const rough = smooth
        ? roughness(pixels, width, height).map(by => (-roughWeight * by) / (width * height))
        : undefined
      const by = drawn.gradient(gradient, pixels, shift, rough)
      blur(by, width, height, blurred * (leastBlur + (1 - leastBlur) * (1 - step / steps) ** 2))
      for (let i = 0; i < values.length; i++) {
        first[i] = firstDecay * first[i] + (1 - firstDecay) * by[i]
        second[i] = secondDecay * second[i] + (1 - secondDecay) * by[i] ** 2
        const mean = first[i] / (1 - firstDecay ** step)
        values[i] += (rate * mean) / (Math.sqrt(second[i] / (1 - secondDecay ** step)) + tiny)
      }
      options.onStep?.(step, steps)
    }
    const input = drawn.input(drawn.pixels(), [0, 0])
    const { maps } = await this.run(input, 0, direction)
    return { picture: drawn.picture(), input: new Tensor('float32', input, this.dims), value: value(maps) }
  }
}

interface Goal {
  readonly scale: number
  readonly direction: Float32Array
  /** Whether differences between neighbours count against a picture. */
  readonly smooth: boolean
  readonly value: (maps: Float32Array) => number
}

/** Of the mean square of differences between neighbours, beside half the square of the distance as a share of the layer's length. */
const roughWeight = 0.5

function ascentOf(options: AscentOptions & { steps: number }, dims: readonly number[]) {
  const { width, height } = pixelsOf(dims)
  const side = Math.min(width, height)
  const { steps, rate = 0.05, seed = 0, jitter = Math.floor(side / 28), blur: blurred = side / 56 } = options
  const whole = (least: number) => (n: number) => Number.isInteger(n) && n >= least
  checked('steps', steps, whole(1), 'a whole number of at least 1')
  checked('rate', rate, n => n > 0 && Number.isFinite(n), 'a number above 0')
  checked('jitter', jitter, n => whole(0)(n) && n < side, `a whole number from 0 to ${side - 1}`)
  checked('blur', blurred, n => n >= 0 && n <= side, `a number from 0 to ${side}`)
  checked('seed', seed, n => whole(0)(n) && n < 2 ** 32, `a whole number from 0 to ${2 ** 32 - 1}`)
  return { steps, rate, seed, jitter, blurred }
}
