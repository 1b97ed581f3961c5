import { type Dim, div, isStatic, mul, product, same, sameShape, show, showShape } from '../../algebra/index.js'
import { refuse } from '../../errors.js'
import { largestEqual, largestFolded, type Node, type Tensor, type Value } from '../../graph/index.js'
import { alignedAxis, broadcastShape } from '../broadcast.js'
import { axisOf, describe, hasOneOutput, intsOf, type Op } from '../op.js'
import { emitCopy } from './elementwise.js'

/** Operators without a kernel: sources of constants, and what the decompose pass spells with other operators. */

function like(node: Node): void {
  node.output.shape = node.inputs[0]!.shape
  node.output.dtype = node.inputs[0]!.dtype
}

const constant: Op = {
  required: 0,
  infer(node) {
    const tensor = node.attributes.get('value') as Tensor | undefined
    const single = node.attributes.get('value_float') ?? node.attributes.get('value_int')
    const list =
      node.list('value_floats') ?? node.list('value_ints') ?? (single === undefined ? undefined : [single as number])
    const { output } = node
    if (tensor && typeof tensor === 'object' && 'data' in tensor) {
      output.dtype = tensor.dtype
      output.shape = tensor.shape
      output.data = tensor.data
    } else if (list) {
      const float = node.attributes.has('value_float') || node.attributes.has('value_floats')
      output.dtype = float ? 'float32' : 'int64'
      output.shape = single === undefined ? [list.length] : []
      output.data = float ? Float32Array.from(list) : Float64Array.from(list)
    } else
      throw refuse(
        node,
        `holds ${[...node.attributes.keys()].join(', ') || 'nothing'}; a dense numeric tensor is allowed`
      )
  }
}

/** Whether layers read a value as their weights, and nothing else does. */
function areWeights(value: Value): boolean {
  const layers = ['Conv', 'ConvTranspose', 'Gemm', 'MatMul']
  return (
    value.users.length > 0 && value.users.every(({ op, inputs }) => layers.includes(op) && inputs.indexOf(value) > 0)
  )
}

const constantOfShape: Op = {
  infer(node) {
    const value = node.attributes.get('value') as Tensor | undefined
    const { output } = node
    output.dtype = value?.dtype ?? 'float32'
    output.shape = [...intsOf(node, 0, 'shape')!]
    const fill = value?.data[0] ?? 0
    const count = isStatic(output.shape) ? output.shape.reduce((n, size) => n * size, 1) : Number.NaN
    const isFloat = output.dtype.startsWith('float')
    if (!(count >= 0 && count <= (isFloat && areWeights(output) ? largestEqual : largestFolded))) return
    output.data = isFloat ? new Float32Array(count).fill(fill) : new Float64Array(count).fill(fill)
  },
  lower(node, to) {
    const value = node.attributes.get('value') as Tensor | undefined
    const fill = value?.data[0] ?? 0
    const one = to.constant(`#fill ${fill}`, () => Float32Array.of(fill))
    emitCopy(to, node, { ...one, shape: [], strides: [], order: [] }, to.view(node.output))
  }
}

/** Inference takes dropout as the identity; its mask is then all true. */
const identity: Op = {
  infer(node) {
    like(node)
    const [, ratio, training] = node.inputs
    if (training && !(training.data?.[0] === 0) && ratio?.data?.[0] !== 0)
      throw refuse(node, 'may run in training mode; only training_mode = false is allowed')
    const mask = node.outputs[1]
    if (!mask) return
    mask.shape = node.output.shape
    mask.dtype = 'bool'
  },
  countedAxis: (_, index, axis) => (index === 0 ? axis : undefined),
  lower(node, to) {
    emitCopy(to, node, to.view(node.inputs[0]!), to.view(node.output))
  }
}

/** Axes of size 1 behind those of input 0, so that they begin at `axis` of input 1. */
const alignAxes: Op = {
  required: 2,
  infer(node) {
    like(node)
    const [b, a] = node.inputs as Value[]
    const missing =
      b.shape.length === 1 && b.shape[0] === 1 ? 0 : a.rank - axisOf(node, node.number('axis', 0), a.rank) - b.rank
    if (missing < 0)
      throw refuse(
        node,
        `${describe(b)} has more axes than stand behind axis ${node.number('axis', 0)} of ${describe(a)}`
      )
    node.output.shape = [...b.shape, ...new Array<Dim>(missing).fill(1)]
  }
}

/** Its scale broadcasts to the input, never the other way round. */
const rmsNormalization: Op = {
  required: 2,
  infer(node) {
    like(node)
    const [x, scale] = node.inputs as Value[]
    if (!sameShape(broadcastShape(node, x.shape, scale.shape), x.shape))
      throw refuse(node, `scale ${describe(scale)} does not broadcast to ${describe(x)}`)
    axisOf(node, node.number('axis', -1), x.rank)
  }
}

const variadic: Op = {
  required: 'all',
  infer(node) {
    node.output.dtype = node.inputs[0]!.dtype
    node.output.shape = broadcastShape(node, ...(node.inputs as Value[]).map(input => input.shape))
  },
  countedAxis: alignedAxis
}

const batchNormalization: Op = {
  // With running statistics in training mode.
  gives: node => (node.number('training_mode', 0) ? 3 : 1),
  required: 5,
  infer(node) {
    like(node)
    if (node.number('spatial', 1) === 0) throw refuse(node, 'has spatial = 0; only statistics per channel are allowed')
    const channels = node.inputs[0]!.shape[1]
    for (const statistic of node.inputs.slice(1))
      if (!same(product(statistic!.shape), channels ?? 0))
        throw refuse(
          node,
          `"${statistic!.name}" has ${show(product(statistic!.shape))} elements for ${show(channels ?? 0)} channels`
        )
    for (const output of node.outputs.slice(1)) output.shape = node.inputs[1]!.shape
  }
}

function pictures(node: Node): readonly Dim[] {
  const { shape, rank } = node.inputs[0]!
  if (rank !== 4) throw refuse(node, `takes four axes (N, C, H, W), not ${showShape(shape)}`)
  return shape
}

/** The block size, which has to divide `size` by `parts`. */
function blockOf(node: Node, size: Dim, parts: number): number {
  if (!(parts >= 1)) throw refuse(node, `blocksize ${node.number('blocksize', 1)} must be at least 1`)
  if (typeof size === 'number' && size % parts) throw refuse(node, `size ${size} does not divide by ${parts}`)
  return node.number('blocksize', 1)
}

const depthToSpace: Op = {
  infer(node) {
    const [n, c, h, w] = pictures(node)
    const block = blockOf(node, c, node.number('blocksize', 1) ** 2)
    like(node)
    node.output.shape = [n, div(c, block * block), mul(h, block), mul(w, block)]
  }
}

const spaceToDepth: Op = {
  infer(node) {
    const [n, c, h, w] = pictures(node)
    const block = blockOf(node, h, node.number('blocksize', 1))
    blockOf(node, w, block)
    like(node)
    node.output.shape = [n, mul(c, block * block), div(h, block), div(w, block)]
  }
}

export const compound: Record<string, Op> = {
  Constant: constant,
  ConstantOfShape: constantOfShape,
  Identity: identity,
  Dropout: { ...identity, gives: 2, takes: hasOneOutput },
  /** What the importer makes of broadcasting as it was before opset 7. */
  AlignAxes: alignAxes,
  Celu: { infer: like },
  MeanVarianceNormalization: { infer: like },
  RMSNormalization: rmsNormalization,
  Sum: variadic,
  Mean: variadic,
  BatchNormalization: batchNormalization,
  DepthToSpace: depthToSpace,
  SpaceToDepth: spaceToDepth
}
