import { nearestHalves } from '../../cli/model/index.js'
import type { CompileOptions } from '../../compiler/index.js'
import { GraphBuilder } from '../../models/builder/builder.js'
import { constant } from '../../models/builder/moments.js'
import type { Attribute } from '../../models/builder/tensor.js'
import { Tensor } from '../../models/builder/tensor.js'
import { type Act, binaries, type Layer, outputShape, windowed } from './layers.js'

/** How often a layer stands in a model, side by side and each with inputs of its own. */
export interface Copies {
  /** Sets of inputs; the model takes all of them in either case. */
  readonly sets: number
  /** Sets that go through the layer; of the others the first element is taken. */
  readonly applied: number
}

/**
 * One layer as an ONNX model; for weights that are stored as halves its weights are halves already. With `copies` its output is one element of each set's result: two such models that differ
 * in `applied` alone take and give the same bytes, and the difference of their times is the layers'.
 */
export function layerModel(layer: Layer, copies?: Copies, weights: CompileOptions['weights'] = 'f32'): Uint8Array {
  const graph = new GraphBuilder('layer', { batch: layer.input[0] })
  const model = new LayerModel(graph, layer, weights)
  if (!copies) return graph.finish(tensor(graph, model.apply(0), outputShape(layer).slice(1)))
  const ends = Array.from({ length: copies.sets }, (_, set) =>
    set < copies.applied ? model.first(model.apply(set)) : model.firstOfInputs(set)
  )
  const joined = graph.unique('joined')
  graph.node('Concat', [joined], ends, { axis: 1 })
  const rank = layer.input.length
  return graph.finish(tensor(graph, joined, [copies.sets, ...new Array<number>(rank - 2).fill(1)]))
}

const tensor = (graph: GraphBuilder, name: string, shape: number[]) =>
  new Tensor(graph, name, shape, constant(1, 0, 1), name)

const product = (list: readonly number[]) => list.reduce((a, b) => a * b, 1)

class LayerModel {
  private readonly parameters: string[]

  constructor(
    private readonly graph: GraphBuilder,
    private readonly layer: Layer,
    private readonly stored: CompileOptions['weights']
  ) {
    this.parameters = this.weights()
  }

  /** The layer on inputs of its own; gives the name of the result. */
  apply(set: number): string {
    const { layer } = this
    const y = this.compute(set)
    const add = (name: string) =>
      layer.residual ? this.emit('Add', [name, this.input(`r${set}`, outputShape(layer))]) : name
    const sum = layer.residual === 'before' ? add(y) : y
    const done = layer.act ? this.activate(sum, layer.act) : sum
    return layer.residual === 'after' ? add(done) : done
  }

  /** All inputs of a set are declared, so that they are fed, and the first is read. */
  firstOfInputs(set: number): string {
    const { layer } = this
    const x = this.input(`x${set}`, layer.input)
    if (binaries.includes(layer.op)) this.input(`o${set}`, layer.sizes!)
    if (layer.residual) this.input(`r${set}`, outputShape(layer))
    return this.first(x)
  }

  first(name: string): string {
    const rank = this.layer.input.length
    const list = (value: number) => this.graph.ints(new Array<number>(rank - 1).fill(value))
    const axes = this.graph.ints(Array.from({ length: rank - 1 }, (_, axis) => axis + 1))
    return this.emit('Slice', [name, list(0), list(1), axes])
  }

  private compute(set: number): string {
    const { op, flags, size, sizes, strides, pads, dilations, groups, input } = this.layer
    const x = this.input(`x${set}`, input)
    const window = { kernel_shape: [...(sizes ?? [])], strides: [...strides], pads: [...pads] }
    const pool = { ...window, ...(flags.includes('ceil') && { ceil_mode: 1 }) }
    const convolution = { ...window, dilations: [...dilations], group: groups }
    if (op === 'conv') return this.emit('Conv', [x, ...this.parameters], convolution)
    if (op === 'convtranspose') return this.emit('ConvTranspose', [x, ...this.parameters], convolution)
    if (op === 'gemm') return this.emit('Gemm', [x, ...this.parameters], { transB: 1 })
    if (op === 'maxpool') return this.emit('MaxPool', [x], pool)
    if (op === 'avgpool')
      return this.emit('AveragePool', [x], { ...pool, ...(flags.includes('padded') && { count_include_pad: 1 }) })
    if (op === 'globalavgpool') return this.emit('GlobalAveragePool', [x])
    if (op === 'globalmaxpool') return this.emit('GlobalMaxPool', [x])
    if (op === 'reducemax') return this.emit('ReduceMax', [x], { axes: [1] })
    if (op === 'reducemean') return this.emit('ReduceMean', [x], { axes: [1] })
    if (op === 'softmax') return this.emit('Softmax', [x], { axis: 1 })
    if (op === 'lrn') return this.emit('LRN', [x], { size: size! })
    if (op === 'prelu') return this.emit('PRelu', [x, ...this.parameters])
    if (op === 'instancenorm') return this.emit('InstanceNormalization', [x, ...this.parameters])
    if (op === 'scaleshift') return this.emit('BatchNormalization', [x, ...this.parameters])
    if (op === 'resize') {
      const attributes = { mode: 'linear', coordinate_transformation_mode: flags[0] }
      return this.emit('Resize', [x, '', '', this.graph.ints([...input.slice(0, 2), ...sizes!])], attributes)
    }
    if (binaries.includes(op)) {
      const name = op[0].toUpperCase() + op.slice(1)
      return this.emit(name, [x, this.input(`o${set}`, sizes!)])
    }
    if (op === 'act') return x
    throw new Error(`no layer "${op}"; see bench/layers/layers.ts`)
  }

  private weights(): string[] {
    const { op, input, outputs, sizes, groups } = this.layer
    const random = (name: string, dims: number[], fan: number) => {
      const values = this.graph.random.normal(0, Math.sqrt(2 / fan), product(dims))
      const rounded = this.stored === 'f16' ? nearestHalves(values) : values
      return this.graph.floats(name, dims, rounded)
    }
    const bias = () => random('bias', [outputs!], 1)
    if (windowed.includes(op) && op.startsWith('conv')) {
      const dims = op === 'conv' ? [outputs!, input[1] / groups, ...sizes!] : [input[1], outputs! / groups, ...sizes!]
      return [random('weight', dims, product(dims.slice(1))), bias()]
    }
    if (op === 'gemm') return [random('weight', [outputs!, input[1]], input[1]), bias()]
    if (op === 'prelu') return [random('slope', [input[1], ...input.slice(2).map(() => 1)], 8)]
    if (op === 'instancenorm') return [random('scale', [input[1]], 1), random('shift', [input[1]], 1)]
    if (op === 'scaleshift') {
      const ones = new Float32Array(input[1]).fill(1)
      return [
        ...['scale', 'shift', 'mean'].map(name => random(name, [input[1]], 1)),
        this.graph.floats('variance', [input[1]], ones)
      ]
    }
    return []
  }

  private activate(x: string, { name, alpha, beta }: Act): string {
    const scalar = (value: number) => this.graph.constant([value], [])
    if (name === 'clip' && beta === Number.POSITIVE_INFINITY && alpha === 0) return this.emit('Relu', [x])
    if (name === 'clip') return this.emit('Clip', [x, scalar(alpha), scalar(beta)])
    const float = { alpha: { float: alpha }, beta: { float: beta } }
    if (name === 'hardSigmoid') return this.emit('HardSigmoid', [x], float)
    if (name === 'hardSwish') return this.emit('HardSwish', [x])
    if (name === 'silu') return this.emit('Mul', [x, this.emit('Sigmoid', [x])])
    if (name === 'leakyRelu') return this.emit('LeakyRelu', [x], { alpha: { float: alpha } })
    const plain: Readonly<Record<string, string>> = {
      sigmoid: 'Sigmoid',
      tanh: 'Tanh',
      softplus: 'Softplus',
      exp: 'Exp',
      erf: 'Erf',
      abs: 'Abs',
      sqrt: 'Sqrt',
      floor: 'Floor',
      reciprocal: 'Reciprocal'
    }
    if (plain[name]) return this.emit(plain[name], [x])
    throw new Error(`no ONNX operator is known here for the activation ${name}`)
  }

  private input(name: string, shape: readonly number[]): string {
    return this.graph.input([...shape.slice(1)], name).name
  }

  private emit(op: string, inputs: string[], attributes: Record<string, Attribute> = {}): string {
    const name = this.graph.unique(op.toLowerCase())
    this.graph.node(op, [name], inputs, attributes)
    return name
  }
}
