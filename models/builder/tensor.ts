// A value of the graph under construction, with the layers as methods. It knows its shape without the batch dimension
// (NaN where a size is free) and the moments that its elements are expected to have.
import * as moments from './moments.js'
import type { Random } from './random.js'

/** Height and width, or one number for both. */
export type Pair = number | [number, number]

/**
 * The standard deviation of weights: `he` is sqrt(2 / fan_in) (He et al. 2015, eq. 10), `he-fan-out` its backward form
 * (eq. 14), `xavier` sqrt(2 / (fan_in + fan_out)) (Glorot and Bengio 2010, eq. 12), and a number is itself.
 */
export type Init = 'he' | 'he-fan-out' | 'xavier' | number

export interface WindowOptions {
  kernel: Pair
  stride?: number
  pad?: Pair
  /** Pooling only: rounds the output size up, as Caffe does. */
  ceil?: boolean
}

export interface ConvOptions extends WindowOptions {
  dilation?: number
  groups?: number
  bias?: boolean
  init?: Init
}

export interface NormOptions {
  epsilon?: number
  /** About how large the scales are: 1, or less at the end of a residual branch (Goyal et al. 2017, section 5.1). */
  gain?: number
}

const pair = (value: Pair): [number, number] => (typeof value === 'number' ? [value, value] : value)

function deviation(init: Init, fanIn: number, fanOut: number): number {
  if (typeof init === 'number') return init
  if (init === 'xavier') return Math.sqrt(2 / (fanIn + fanOut))
  return Math.sqrt(2 / (init === 'he' ? fanIn : fanOut))
}

export type Attribute = number | number[] | string | { float: number }

/** What a tensor's methods write the graph with. */
export interface Sink {
  readonly random: Random
  unique(name: string): string
  node(opType: string, outputs: string[], inputs: string[], attributes?: Record<string, Attribute>): void
  floats(name: string, dims: number[], values: Float32Array<ArrayBuffer>): string
  constant(values: number[], dims: number[]): string
  ints(values: number[]): string
}

export class Tensor {
  constructor(
    readonly graph: Sink,
    readonly name: string,
    readonly shape: number[],
    readonly moments: moments.Moments,
    /** The named layer that the value comes from; unnamed nodes after it borrow it. */
    private readonly layer: string
  ) {}

  get channels(): number {
    return this.shape[0]
  }

  /** Adds a node that reads this value, then `inputs`; what `changes` does not name stays as it is here. */
  emit(
    opType: string,
    name: string | undefined,
    inputs: string[],
    attributes: Record<string, Attribute> = {},
    changes: { shape?: number[]; moments?: moments.Moments } = {}
  ): Tensor {
    const output = this.graph.unique(name ?? `${this.layer}.${opType.toLowerCase()}`)
    this.graph.node(opType, [output], [this.name, ...inputs], attributes)
    const { shape = this.shape, moments = this.moments } = changes
    return new Tensor(this.graph, output, shape, moments, name ?? this.layer)
  }

  /** Adds normally distributed parameters, and returns their values. */
  private normal(name: string, dims: number[], deviation: number): Float32Array<ArrayBuffer> {
    const count = dims.reduce((product, dim) => product * dim, 1)
    const values = this.graph.random.normal(0, deviation, count)
    this.graph.floats(name, dims, values)
    return values
  }

  /** A small bias, in proportion to the sums that it is added to. */
  private bias(name: string, channels: number, fanIn: number, std: number): Float32Array<ArrayBuffer> {
    return this.normal(`${name}.bias`, [channels], 0.1 * std * Math.sqrt(fanIn * moments.power(this.moments)))
  }

  conv(name: string, channels: number, options: ConvOptions): Tensor {
    const { stride = 1, dilation = 1, groups = 1, bias = true, init = 'he' } = options
    const [kernel, pad] = [pair(options.kernel), pair(options.pad ?? 0)]
    const inputs = this.channels / groups
    const area = kernel[0] * kernel[1]
    const sizes = this.shape
      .slice(1)
      .map((size, i) => Math.floor((size + 2 * pad[i] - dilation * (kernel[i] - 1) - 1) / stride) + 1)
    const inside = sizes.map((out, i) => moments.coverage(this.shape[i + 1], out, kernel[i], stride, dilation, pad[i]))
    const std = deviation(init, inputs * area, (channels / groups) * area)
    const weights = this.normal(`${name}.weight`, [channels, inputs, ...kernel], std)
    const biases = bias ? this.bias(name, channels, inputs * area, std) : new Float32Array()
    const layout = { outputs: channels, groups, area, share: inside[0] * inside[1] }
    const attributes = {
      kernel_shape: kernel,
      strides: [stride, stride],
      pads: [...pad, ...pad],
      dilations: [dilation, dilation],
      group: groups
    }
    const operands = bias ? [`${name}.weight`, `${name}.bias`] : [`${name}.weight`]
    const result = moments.weighted(this.moments, weights, biases, layout)
    return this.emit('Conv', name, operands, attributes, { shape: [channels, ...sizes], moments: result })
  }

  /** Convolution without bias, then batch normalisation. */
  convNorm(name: string, channels: number, options: ConvOptions & NormOptions): Tensor {
    return this.conv(name, channels, { bias: false, ...options }).batchNorm(undefined, options)
  }

  /** Transposed convolution with as large a stride as kernel, so that every output has one tap per channel. */
  convTranspose(name: string, channels: number, kernel: number, init: Init = 'he'): Tensor {
    const std = deviation(init, this.channels, channels)
    const area = kernel * kernel
    const weights = this.normal(`${name}.weight`, [this.channels, channels, kernel, kernel], std)
    const bias = this.bias(name, channels, this.channels, std)
    const layout = { outputs: channels, groups: 1, area, share: 1 / area, transposed: true }
    const result = moments.weighted(this.moments, weights, bias, layout)
    const attributes = { kernel_shape: [kernel, kernel], strides: [kernel, kernel] }
    const shape = [channels, ...this.shape.slice(1).map(size => size * kernel)]
    const operands = [`${name}.weight`, `${name}.bias`]
    return this.emit('ConvTranspose', name, operands, attributes, { shape, moments: result })
  }

  /** Fully connected layer. */
  gemm(name: string, outputs: number, init: Init = 'he'): Tensor {
    const inputs = this.channels
    const std = deviation(init, inputs, outputs)
    const weights = this.normal(`${name}.weight`, [outputs, inputs], std)
    const bias = this.bias(name, outputs, inputs, std)
    const result = moments.weighted(this.moments, weights, bias, { outputs, groups: 1, area: 1, share: 1 })
    const operands = [`${name}.weight`, `${name}.bias`]
    return this.emit('Gemm', name, operands, { transB: 1 }, { shape: [outputs], moments: result })
  }

  /** Batch normalisation whose running statistics bring the expected elements to about unit variance. */
  batchNorm(name = `${this.layer}.bn`, { epsilon = 1e-5, gain = 1 }: NormOptions = {}): Tensor {
    const { graph, channels } = this
    const { random } = graph
    const scale = random.uniform(0.8 * gain, 1.2 * gain, channels)
    const shift = random.normal(0, 0.1, channels)
    // The spread of the whole tensor's elements, whose channels have different means.
    const offsets = moments.power({ mean: this.moments.mean, variance: new Float64Array(channels) })
    const spread = this.moments.variance.map(value => value + offsets)
    const mean = random.normal(0, 0.1, channels).map((value, i) => value * Math.sqrt(spread[i]))
    const variance = random.uniform(0.75, 1.25, channels).map((value, i) => value * spread[i])
    const operands = Object.entries({ weight: scale, bias: shift, running_mean: mean, running_var: variance })
    const names = operands.map(([key, values]) => graph.floats(`${name}.${key}`, [channels], values))
    const slope = scale.map((value, i) => value / Math.sqrt(variance[i] + epsilon))
    const offset = shift.map((value, i) => value - mean[i] * slope[i])
    const result = moments.affine(this.moments, slope, offset)
    return this.emit('BatchNormalization', name, names, { epsilon: { float: epsilon } }, { moments: result })
  }

  groupNorm(groups: number, { epsilon = 1e-5, gain = 1 }: NormOptions = {}): Tensor {
    const name = `${this.layer}.gn`
    const { graph, channels } = this
    const scale = graph.random.uniform(0.8 * gain, 1.2 * gain, channels)
    const shift = graph.random.normal(0, 0.1, channels)
    const names = [graph.floats(`${name}.weight`, [channels], scale), graph.floats(`${name}.bias`, [channels], shift)]
    const result = moments.affine(moments.groupNormalised(this.moments, groups), scale, shift)
    const attributes = { num_groups: groups, epsilon: { float: epsilon } }
    return this.emit('GroupNormalization', name, names, attributes, { moments: result })
  }

  relu(): Tensor {
    return this.emit('Relu', undefined, [], {}, { moments: moments.mapped(this.moments, rectified) })
  }

  /** Rectifier with a learned slope for each channel, or each unit, about the 0.25 that training starts from. */
  prelu(name: string): Tensor {
    const slopes = this.graph.random.uniform(0.1, 0.4, this.channels)
    const operand = this.graph.floats(`${name}.weight`, [this.channels, ...this.shape.slice(1).fill(1)], slopes)
    const result = moments.mapped(this.moments, x => Math.max(x, 0) + 0.25 * Math.min(x, 0))
    return this.emit('PRelu', name, [operand], {}, { moments: result })
  }

  relu6(): Tensor {
    const bounds = [this.graph.constant([0], []), this.graph.constant([6], [])]
    return this.emit('Clip', undefined, bounds, {}, { moments: moments.mapped(this.moments, rectified) })
  }

  sigmoid(): Tensor {
    return this.emit('Sigmoid', undefined, [], {}, { moments: moments.mapped(this.moments, logistic) })
  }

  hardSigmoid(): Tensor {
    const attributes = { alpha: { float: 1 / 6 }, beta: { float: 0.5 } }
    return this.emit('HardSigmoid', undefined, [], attributes, { moments: moments.mapped(this.moments, hardLogistic) })
  }

  hardSwish(): Tensor {
    const result = moments.mapped(this.moments, x => x * hardLogistic(x))
    return this.emit('HardSwish', undefined, [], {}, { moments: result })
  }

  /** x * sigmoid(x), written with two nodes as exporters do. */
  silu(): Tensor {
    const result = moments.mapped(this.moments, x => x * logistic(x))
    return this.emit('Mul', undefined, [this.sigmoid().name], {}, { moments: result })
  }

  tanh(): Tensor {
    return this.emit('Tanh', undefined, [], {}, { moments: moments.mapped(this.moments, Math.tanh) })
  }

  softmax(): Tensor {
    return this.emit('Softmax', undefined, [], { axis: 1 })
  }

  dropout(ratio: number): Tensor {
    return this.emit('Dropout', undefined, [this.graph.constant([ratio], [])])
  }

  maxPool(options: WindowOptions, name?: string): Tensor {
    return this.pool('MaxPool', name, options, {}, moments.maximum)
  }

  averagePool(options: WindowOptions, name?: string): Tensor {
    return this.pool('AveragePool', name, options, { count_include_pad: 1 }, moments.averaged)
  }

  /** Roots of the sums of squares (Hyvarinen and Koster 2007, "Complex cell pooling"). */
  l2Pool(options: WindowOptions, name?: string): Tensor {
    return this.pool('LpPool', name, options, { p: 2 }, (input, count) =>
      moments.mapped(moments.affine(input, spread(input, Math.sqrt(count)), spread(input, 0)), Math.abs)
    )
  }

  private pool(
    opType: string,
    name: string | undefined,
    options: WindowOptions,
    extra: Record<string, Attribute>,
    combine: (input: moments.Moments, count: number) => moments.Moments
  ): Tensor {
    const [kernel, pad] = [pair(options.kernel), pair(options.pad ?? 0)]
    const { stride = 1, ceil = false } = options
    const round = ceil ? Math.ceil : Math.floor
    const sizes = this.shape.slice(1).map((size, i) => round((size + 2 * pad[i] - kernel[i]) / stride) + 1)
    const attributes = {
      kernel_shape: kernel,
      strides: [stride, stride],
      pads: [...pad, ...pad],
      ...(ceil && { ceil_mode: 1 }),
      ...extra
    }
    const result = combine(this.moments, kernel[0] * kernel[1])
    return this.emit(opType, name, [], attributes, { shape: [this.channels, ...sizes], moments: result })
  }

  globalAveragePool(name?: string): Tensor {
    const result = moments.averaged(this.moments, this.shape[1] * this.shape[2])
    return this.emit('GlobalAveragePool', name, [], {}, { shape: [this.channels, 1, 1], moments: result })
  }

  /** Local response normalisation over `size` channels; `alpha` is ONNX's, which divides it by `size`. */
  lrn(size: number, alpha: number, beta: number, bias: number): Tensor {
    const attributes = { size, alpha: { float: alpha }, beta: { float: beta }, bias: { float: bias } }
    const factor = (bias + alpha * moments.power(this.moments)) ** -beta
    return this.emit('LRN', undefined, [], attributes, {
      moments: moments.mapped(this.moments, x => x * factor)
    })
  }

  add(other: Tensor, name: string): Tensor {
    return this.emit('Add', name, [other.name], {}, { moments: moments.sum(this.moments, other.moments) })
  }

  mul(other: Tensor, name: string): Tensor {
    return this.emit('Mul', name, [other.name], {}, { moments: moments.product(this.moments, other.moments) })
  }

  /** Concatenation along the channels. */
  concat(others: Tensor[], name: string): Tensor {
    const all = [this, ...others]
    const channels = all.reduce((sum, tensor) => sum + tensor.channels, 0)
    const result = moments.concatenated(all.map(tensor => tensor.moments))
    const changes = { shape: [channels, ...this.shape.slice(1)], moments: result }
    const operands = others.map(tensor => tensor.name)
    return this.emit('Concat', name, operands, { axis: 1 }, changes)
  }

  /** Two halves of the channels. */
  split(name: string): [Tensor, Tensor] {
    const half = this.channels / 2
    const outputs = [this.graph.unique(`${name}.0`), this.graph.unique(`${name}.1`)]
    this.graph.node('Split', outputs, [this.name, this.graph.ints([half, half])], { axis: 1 })
    const part = (output: string, first: number) => {
      const selected = moments.select(
        this.moments,
        range(half, i => first + i)
      )
      return new Tensor(this.graph, output, [half, ...this.shape.slice(1)], selected, this.layer)
    }
    return [part(outputs[0], 0), part(outputs[1], half)]
  }

  /** Interleaves the channels of `groups` groups. */
  channelShuffle(groups: number, name: string): Tensor {
    const [channels, ...sizes] = this.shape
    const size = channels / groups
    const order = range(channels, i => (i % groups) * size + Math.floor(i / groups))
    return this.emit('Reshape', `${name}.split`, [this.graph.ints([0, groups, size, ...sizes])])
      .emit('Transpose', `${name}.transpose`, [], { perm: [0, 2, 1, 3, 4] })
      .emit('Reshape', `${name}.merge`, [this.graph.ints([0, channels, ...sizes])], undefined, {
        moments: moments.select(this.moments, order)
      })
  }

  /** Every second row and column. */
  subsample(name: string): Tensor {
    const operands = [
      [0, 0],
      [2 ** 31 - 1, 2 ** 31 - 1],
      [2, 3],
      [2, 2]
    ].map(values => this.graph.ints(values))
    const [channels, ...sizes] = this.shape
    return this.emit('Slice', name, operands, {}, { shape: [channels, ...sizes.map(size => Math.ceil(size / 2))] })
  }

  /** Adds channels of zeros, half of them in front. */
  padChannels(extra: number, name: string): Tensor {
    const half = extra / 2
    const operands = [this.graph.ints([0, half, 0, 0, 0, half, 0, 0]), this.graph.constant([0], [])]
    const shape = [this.channels + extra, ...this.shape.slice(1)]
    const order = range(this.channels + extra, i => (i < half ? -1 : i - half))
    const result = moments.select(this.moments, order)
    return this.emit('Pad', name, operands, { mode: 'constant' }, { shape, moments: result })
  }

  /** Bilinear enlargement by a factor per axis. */
  resize(factor: Pair, name: string): Tensor {
    const [y, x] = pair(factor)
    const shape = [this.channels, this.shape[1] * y, this.shape[2] * x]
    const attributes = { mode: 'linear', coordinate_transformation_mode: 'half_pixel' }
    return this.emit('Resize', name, ['', this.graph.constant([1, 1, y, x], [4])], attributes, { shape })
  }

  flatten(): Tensor {
    const size = this.shape.reduce((product, dim) => product * dim, 1)
    const area = size / this.channels
    const result = moments.select(
      this.moments,
      range(size, i => Math.floor(i / area))
    )
    return this.emit('Flatten', undefined, [], { axis: 1 }, { shape: [size], moments: result })
  }
}

const spread = ({ mean }: moments.Moments, value: number) => new Float64Array(mean.length).fill(value)

function range<T>(length: number, f: (i: number) => T): T[] {
  return Array.from({ length }, (_, i) => f(i))
}

const rectified = (x: number) => Math.max(x, 0)
const logistic = (x: number) => 1 / (1 + Math.exp(-x))
const hardLogistic = (x: number) => Math.min(Math.max(x / 6 + 0.5, 0), 1)
