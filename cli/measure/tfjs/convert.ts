import { type Elements, type Graph, isConstant, type Node, type Value } from '../../../compiler/graph/index.js'
import {
  type ActivationName,
  channelsLastOrder,
  numbersOf,
  orderOf,
  plainOrder,
  transposedWindows,
  windows
} from '../../../compiler/ops/index.js'
import type { Bindings } from '../../../runtime/file/index.js'
import { permuted } from './plan.js'
import { type Options, Planner, refuse } from './planner.js'

/**
 * The calls of TensorFlow.js that compute a graph as Cairn's passes leave it: BatchNorms folded, activations and biases
 * fused where its calls take them, channels innermost. What it has no call for is refused by name.
 */
export function convert(graph: Graph, bindings: Bindings): Uint8Array {
  const to = new Planner(bindings)
  for (const input of graph.inputs)
    if (!input.users.length || input.users.some(user => user.op !== 'Copy'))
      to.define(input, to.input(orderOf(input), input.name))
  for (const node of graph.nodes) {
    const rule = rules[node.op]
    if (!rule) throw refuse(node, 'no call is known for it')
    if (node.op === 'Copy' && graph.inputs.includes(node.inputs[0]!))
      to.define(node.output, to.input(orderOf(node.output), node.inputs[0]!.name))
    else rule(node, to)
  }
  return to.finish(graph.outputs.map((value, i) => ({ value, name: graph.outputNames[i] })))
}

type Rule = (node: Node, to: Planner) => void

/** Groups up to which a grouped convolution is split into one call a group; beyond, nobody would. */
const mostGroups = 4

/** A map as the calls take it: one whose channels or pixels are single may lie in plain order. */
function mapOf(node: Node, to: Planner): number {
  const x = node.inputs[0]!
  if (x.rank !== 4) throw refuse(node, `only maps of 4 axes are taken, not ${x.rank}`)
  return to.aligned(x, channelsLastOrder(4))
}

const explicit = (begin: readonly number[], end: readonly number[]) => [
  [0, 0],
  [begin[0], end[0]],
  [begin[1], end[1]],
  [0, 0]
]

type Constant = Value & { readonly data: Elements }

function weightsOf(node: Node, index: number): Constant {
  const value = node.inputs[index]!
  if (!isConstant(value)) throw refuse(node, `operand "${value.name}" is no constant`)
  return value as Constant
}

const conv: Rule = (node, to) => {
  const x = node.inputs[0]!
  const map = mapOf(node, to)
  const weights = weightsOf(node, 1)
  const [filters, channels, ...kernel] = to.sizes(weights.shape)
  const groups = node.number('group', 1)
  const window = windows(node, x.shape.slice(2), kernel)
  const pad = explicit(to.sizes(window.padsBegin), to.sizes(window.padsEnd))
  const slope = node.inputs[3]
  const residual = node.inputs[4]
  const before = residual && node.text('residual', '') === 'before'
  const act = before || slope ? { name: 'identity', options: { activation: 'linear' } } : to.fused(node)
  const options: Options = { strides: window.strides, dilations: window.dilations, pad, ...act.options }
  const vector = (index: number, count: number, from = 0) => {
    const value = node.inputs[index]
    const data = value ? weightsOf(node, index).data.subarray(from, from + count) : new Float32Array(count)
    return to.constant(value ? `${value.name} from ${from} ${count}` : `zeros ${count}`, data, [count])
  }
  const part = (name: string, group: number, count: number) => {
    const size = count * channels * kernel[0] * kernel[1]
    return { data: weights.data.subarray(group * size, group * size + size), name: `${weights.name} ${name} ${group}` }
  }
  let y: number
  if (groups > 1 && channels === 1 && filters % groups === 0) {
    // [channel * multiplier, 1, h, w] to [h, w, channel, multiplier].
    const { data, name } = part('depthwise', 0, filters)
    const shape = [groups, filters / groups, ...kernel]
    const filter = to.constant(name, permuted(data, shape, [2, 3, 0, 1]), [...kernel, groups, filters / groups])
    y = to.call('depthwise', [map, filter, vector(2, filters)], options)
  } else {
    if (groups > mostGroups) throw refuse(node, `it has no convolution in ${groups} groups`)
    const own = filters / groups
    const parts =
      groups > 1 ? to.callMany('split', [map], groups, { sizes: new Array(groups).fill(channels), axis: 3 }) : [map]
    const results = parts.map((input, g) => {
      const { data, name } = part('conv', g, own)
      const filter = to.constant(name, permuted(data, [own, channels, ...kernel], [2, 3, 1, 0]), [
        ...kernel,
        channels,
        own
      ])
      return to.call('conv2d', [input, filter, vector(2, own, g * own)], options)
    })
    y = groups > 1 ? to.call('concat', results, { axis: 3 }) : results[0]
  }
  finishEpilogue(node, to, y, act.name)
}

/** What a convolution or matrix product does behind its sum and has not done itself: activation, slope, residual. */
function finishEpilogue(node: Node, to: Planner, id: number, done: string): void {
  const residual = node.inputs[4]
  const slope = node.inputs[3]
  const order = orderOf(node.output)
  const before = residual && node.text('residual', '') === 'before'
  const add = (y: number) => (residual ? to.call('add', [y, to.aligned(residual, order)]) : y)
  const sum = before ? add(id) : id
  if (slope) throw refuse(node, 'a PRelu inside it is not converted')
  const y = to.activated(node, sum, done)
  to.define(node.output, before ? y : add(y))
}

const convTranspose: Rule = (node, to) => {
  const x = node.inputs[0]!
  const map = mapOf(node, to)
  const weights = weightsOf(node, 1)
  const shape = to.sizes(weights.shape)
  const kernel = shape.slice(2)
  const window = transposedWindows(node, x.shape.slice(2), kernel)
  const pads = to.sizes([...window.padsBegin, ...window.padsEnd])
  if (node.number('group', 1) > 1 || window.dilations.some(d => d > 1) || new Set(pads).size > 1)
    throw refuse(node, 'groups, dilations and uneven padding are not taken')
  // [in, out, h, w] to [h, w, out, in].
  const filter = to.constant(`${weights.name} transposed`, permuted(weights.data, shape, [2, 3, 1, 0]), [
    ...kernel,
    shape[1],
    shape[0]
  ])
  const options = { shape: to.physical(node.output), strides: window.strides, pad: pads[0] }
  const y = to.call('conv2dTranspose', [map, filter], options)
  finishEpilogue(node, to, node.inputs[2] ? to.call('add', [y, to.id(node.inputs[2])]) : y, 'identity')
}

const gemm: Rule = (node, to) => {
  const bias = node.inputs[2]
  const fused = node.inputs[4] ? { name: 'identity', options: { activation: 'linear' } } : to.fused(node)
  const columns = to.sizes(node.output.shape)[1]
  const vector = bias
    ? to.constant(`${bias.name} vector`, weightsOf(node, 2).data, [columns])
    : to.constant(`zeros ${columns}`, new Float32Array(columns), [columns])
  // TensorFlow.js 4.22 computes something else with transposeB, so the weights are turned here.
  const weights = weightsOf(node, 1)
  const shape = to.sizes(weights.shape)
  const turned = node.number('transB', 0) ? permuted(weights.data, shape, [1, 0]) : weights.data
  const inner = weights.data.length / columns
  const inputs = [to.id(node.inputs[0]!), to.constant(`${weights.name} gemm`, turned, [inner, columns]), vector]
  const y = to.call('matMul', inputs, fused.options)
  finishEpilogue(node, to, y, fused.name)
}

const pool =
  (kind: 'maxPool' | 'avgPool'): Rule =>
  (node, to) => {
    const x = node.inputs[0]!
    const map = mapOf(node, to)
    const size = node.list('kernel_shape')!
    const window = windows(node, x.shape.slice(2), size)
    if (window.dilations.some(d => d > 1)) throw refuse(node, 'dilations are not taken')
    const [begin, given] = [to.sizes(window.padsBegin), to.sizes(window.padsEnd)]
    const input = to.sizes(x.shape.slice(2))
    const out = to.sizes(window.out)
    // With ceil_mode the last window may hang over the end.
    const end = out.map((count, i) => Math.max((count - 1) * window.strides[i] + size[i] - input[i] - begin[i], 0))
    const padded = kind === 'avgPool' && node.number('count_include_pad', 0) === 1
    if (padded && end.some((pad, i) => pad > given[i]))
      throw refuse(node, 'ceil_mode that counts the padding is not taken')
    const pads = explicit(begin, end)
    const isPadded = pads.flat().some(Boolean)
    const strides = window.strides
    if (padded && isPadded) {
      const wide = to.call('pad', [map], { pads, value: 0 })
      to.define(node.output, to.call(kind, [wide], { size, strides, pad: 'valid' }))
    } else to.define(node.output, to.call(kind, [map], { size, strides, pad: isPadded ? pads : 'valid' }))
  }

const globalPool =
  (kind: 'maxPool' | 'avgPool'): Rule =>
  (node, to) => {
    const x = node.inputs[0]!
    const map = mapOf(node, to)
    const pooled = to.call(kind, [map], { size: to.sizes(x.shape.slice(2)), strides: [1, 1], pad: 'valid' })
    to.define(node.output, pooled)
  }

const binary =
  (call: string): Rule =>
  (node, to) => {
    const order = orderOf(node.output)
    const [a, b] = node.inputs.map(input => to.aligned(input!, order))
    to.define(node.output, to.activated(node, to.call(call, [a, b])))
  }

const unary =
  (call: string): Rule =>
  (node, to) =>
    to.define(node.output, to.call(call, [to.aligned(node.inputs[0]!, orderOf(node.output))]))

const scaleShift: Rule = (node, to) => {
  const x = node.inputs[0]!
  if (orderOf(x).at(-1) !== 1) throw refuse(node, 'channels must lie innermost')
  const product = to.call('mul', [to.id(x), to.id(node.inputs[1]!)])
  to.define(node.output, to.activated(node, to.call('add', [product, to.id(node.inputs[2]!)])))
}

const reshape: Rule = (node, to) => {
  to.define(node.output, to.call('reshape', [to.id(node.inputs[0]!)], { shape: to.physical(node.output) }))
}

const transpose: Rule = (node, to) => {
  const x = node.inputs[0]!
  const perm = node.list('perm') ?? plainOrder(x.rank).reverse()
  const lies = orderOf(node.output).map(axis => perm[axis])
  const own = orderOf(x)
  to.define(
    node.output,
    lies.join() === own.join()
      ? to.call('reshape', [to.id(x)], { shape: to.physical(node.output) })
      : to.call('transpose', [to.id(x)], { perm: lies.map(axis => own.indexOf(axis)) })
  )
}

const axisIn = (node: Node, value: Value, fallback: number) => {
  const axis = node.number('axis', fallback)
  return orderOf(value).indexOf(axis < 0 ? axis + value.rank : axis)
}

const resize: Rule = (node, to) => {
  const map = mapOf(node, to)
  const mode = node.text('mode', 'nearest')
  const coordinates = node.text('coordinate_transformation_mode', 'half_pixel')
  const size = to.sizes(node.output.shape.slice(2))
  const corners = coordinates === 'align_corners'
  const half = coordinates === 'half_pixel' || coordinates === 'pytorch_half_pixel'
  const nearest = mode === 'nearest' && coordinates === 'asymmetric' && node.text('nearest_mode', '') === 'floor'
  if (mode !== 'linear' && !nearest) throw refuse(node, `mode ${mode} with ${coordinates} coordinates has no call`)
  const call = nearest ? 'resizeNearest' : 'resizeLinear'
  to.define(node.output, to.call(call, [map], { size, corners, half }))
}

const slice: Rule = (node, to) => {
  const x = node.inputs[0]!
  const starts = numbersOf(node, 1, 'starts') ?? []
  const axes = (numbersOf(node, 3, 'axes') ?? starts.map((_, i) => i)).map(axis => (axis < 0 ? axis + x.rank : axis))
  const shape = to.sizes(x.shape)
  const begin = shape.map(() => 0)
  const steps = shape.map(() => 1)
  axes.forEach((axis, i) => {
    begin[axis] = Math.min(starts[i] < 0 ? Math.max(starts[i] + shape[axis], 0) : starts[i], shape[axis])
    steps[axis] = numbersOf(node, 4, 'steps')?.[i] ?? 1
  })
  if (steps.some(step => step < 1)) throw refuse(node, 'steps backwards are not converted')
  const size = to.sizes(node.output.shape)
  const laid = (list: readonly number[]) => orderOf(x).map(axis => list[axis])
  const options = steps.some(step => step > 1)
    ? { begin: laid(begin), end: laid(begin.map((at, i) => at + (size[i] - 1) * steps[i] + 1)), steps: laid(steps) }
    : { begin: laid(begin), size: laid(size) }
  to.define(node.output, to.call('end' in options ? 'stridedSlice' : 'slice', [to.id(x)], options))
}

const pad: Rule = (node, to) => {
  const x = node.inputs[0]!
  const amounts = numbersOf(node, 1, 'pads') ?? []
  const axes = numbersOf(node, 3, 'axes') ?? amounts.slice(x.rank).map((_, i) => i)
  const value = node.inputs[2]?.data?.[0] ?? node.number('value', 0)
  if (node.text('mode', 'constant') !== 'constant' || amounts.some(amount => amount < 0))
    throw refuse(node, 'only constant padding is converted')
  const pads = x.shape.map(() => [0, 0])
  axes.forEach((axis, i) => (pads[axis < 0 ? axis + x.rank : axis] = [amounts[i], amounts[i + axes.length]]))
  to.define(node.output, to.call('pad', [to.id(x)], { pads: orderOf(x).map(axis => pads[axis]), value }))
}

const rules: Readonly<Record<string, Rule>> = {
  Conv: conv,
  ConvTranspose: convTranspose,
  Gemm: gemm,
  MaxPool: pool('maxPool'),
  AveragePool: pool('avgPool'),
  GlobalAveragePool: globalPool('avgPool'),
  GlobalMaxPool: globalPool('maxPool'),
  Add: binary('add'),
  Sub: binary('sub'),
  Mul: binary('mul'),
  Div: binary('div'),
  Pow: binary('pow'),
  Max: binary('max'),
  Min: binary('min'),
  Abs: unary('abs'),
  Exp: unary('exp'),
  Log: unary('log'),
  Neg: unary('neg'),
  Sqrt: unary('sqrt'),
  ScaleShift: scaleShift,
  Reshape: reshape,
  Flatten: reshape,
  Squeeze: reshape,
  Unsqueeze: reshape,
  Transpose: transpose,
  Slice: slice,
  Pad: pad,
  Resize: resize,
  Upsample: resize,
  Copy: (node, to) => to.define(node.output, to.aligned(node.inputs[0]!, orderOf(node.output))),
  Activation: (node, to) => {
    const name = node.text('act', 'identity') as ActivationName
    to.define(node.output, to.activation(node, name, to.id(node.inputs[0]!)))
  },
  Concat: (node, to) => {
    const order = orderOf(node.output)
    const inputs = node.inputs.map(input => to.aligned(input!, order))
    to.define(node.output, to.call('concat', inputs, { axis: axisIn(node, node.output, 1) }))
  },
  Split: (node, to) => {
    const axis = node.number('axis', 0)
    const x = node.inputs[0]!
    const sizes = node.outputs.map(({ shape }) => to.sizes(shape).at(axis))
    const options = { sizes, axis: axisIn(node, x, 0) }
    to.callMany('split', [to.id(x)], sizes.length, options).forEach((id, i) => to.define(node.outputs[i], id))
  },
  Softmax: (node, to) => {
    const x = node.inputs[0]!
    if (axisIn(node, x, -1) !== x.rank - 1) throw refuse(node, 'the axis must lie innermost')
    to.define(node.output, to.call('softmax', [to.id(x)]))
  },
  LRN: (node, to) => {
    const size = node.number('size', 5)
    const map = mapOf(node, to)
    if (size % 2 === 0) throw refuse(node, 'an even size is not taken')
    const options = {
      radius: (size - 1) / 2,
      bias: node.number('bias', 1),
      alpha: node.number('alpha', 1e-4) / size,
      beta: node.number('beta', 0.75)
    }
    to.define(node.output, to.call('lrn', [map], options))
  }
}
