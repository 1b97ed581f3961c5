// A .tflite file of the same network and the same weights as the ONNX file: written from the plan that TensorFlow.js runs, whose
// channels lie innermost as TensorFlow Lite wants them, in floats or, with ranges, in int8 with a scale for each filter.
import type { decodePlan, Step } from '../../../cli/measure/index.js'
import { fused } from './idioms.js'
import { Network, refuse } from './network.js'
import type { Ranges } from './ranges.js'
import { type Field, type OperatorKind, write } from './write.js'

/** Operators by the numbers of the schema. */
const kinds = {
  add: { code: 0, options: 11, version: 2 },
  avgPool: { code: 1, options: 5, version: 2 },
  concat: { code: 2, options: 10, version: 2 },
  conv2d: { code: 3, options: 1, version: 3 },
  depthwise: { code: 4, options: 2, version: 3 },
  dequantize: { code: 6, options: 38, version: 2 },
  fullyConnected: { code: 9, options: 8, version: 4 },
  sigmoid: { code: 14, options: 0, version: 2 },
  maxPool: { code: 17, options: 5, version: 2 },
  mul: { code: 18, options: 21, version: 2 },
  relu: { code: 19, options: 0, version: 2 },
  relu6: { code: 21, options: 0, version: 2 },
  reshape: { code: 22, options: 17 },
  resizeLinear: { code: 23, options: 15, version: 3 },
  softmax: { code: 25, options: 9 },
  pad: { code: 34, options: 22, version: 2 },
  mean: { code: 40, options: 27, version: 2 },
  sub: { code: 41, options: 28, version: 2 },
  transposeConv: { code: 67, options: 49, version: 2 },
  quantize: { code: 114, options: 89 },
  hardSwish: { code: 117, options: 91 }
} as const satisfies Record<string, OperatorKind>

const activations: Readonly<Record<string, number>> = { linear: 0, relu: 1, relu6: 3 }

/** The activation that an operator fuses, by the schema's number. */
function activationOf(step: Step): number {
  const name = (step.options.activation ?? 'linear') as string
  if (!(name in activations)) throw refuse(step, `${name} is not fused`)
  return activations[name]
}

type Rule = (step: Step, to: Network) => void
type Pads = readonly (readonly number[])[]

const same = 0
const valid = 1

/** The input of a window, with an operator that pads it where neither of TensorFlow's two paddings is meant. */
function window(step: Step, to: Network, kernel: readonly number[], fill: 'zeros' | 'least') {
  const x = to.operand(step.inputs[0])
  const shape = to.shape(x)
  const strides = step.options.strides as readonly number[]
  const dilations = (step.options.dilations ?? [1, 1]) as readonly number[]
  const pads: Pads = step.options.pad === 'valid' ? [0, 0, 0, 0].map(() => [0, 0]) : (step.options.pad as Pads)
  const spans = kernel.map((size, i) => (size - 1) * dilations[i] + 1)
  const out = [1, 2].map(axis => {
    const [begin, end] = pads[axis]
    return Math.floor((shape[axis] + begin + end - spans[axis - 1]) / strides[axis - 1]) + 1
  })
  const needed = out.map((count, i) => Math.max((count - 1) * strides[i] + spans[i] - shape[i + 1], 0))
  const isSame = out.every(
    (count, i) => count === Math.ceil(shape[i + 1] / strides[i]) && pads[i + 1][0] === Math.floor(needed[i] / 2)
  )
  if (pads.flat().every(pad => pad === 0)) return { x, out, padding: valid, strides, dilations }
  if (isSame) return { x, out, padding: same, strides, dilations }
  if (fill === 'least' && !to.rectified.has(step.inputs[0]))
    throw refuse(step, 'its padding may be larger than what is padded')
  const wide = shape.map((size, axis) => size + pads[axis][0] + pads[axis][1])
  const padded = to.like(`padded for ${step.outputs[0]}`, wide, x)
  to.call(kinds.pad, [x, to.sizes(pads.flat(), [4, 2])], [padded])
  return { x: padded, out, padding: valid, strides, dilations }
}

const int = (place: number, value: number): Field => [place, 'int32', value]
const small = (place: number, value: number): Field => [place, 'int8', value]

/** What a layer gives is known not to be negative. */
function define(step: Step, to: Network, shape: readonly number[], range?: readonly [number, number]): number {
  if (activationOf(step) || step.call === 'relu' || step.call === 'relu6') to.rectified.add(step.outputs[0])
  return to.define(step.outputs[0], shape, range)
}

const conv: Rule = (step, to) => {
  const [, filter, bias] = step.inputs
  const [height, width, , filters] = to.constant(filter).shape
  const { x, out, padding, strides, dilations } = window(step, to, [height, width], 'zeros')
  const weights = to.weights([filter, bias], [3, 0, 1, 2], 0, x)
  const y = define(step, to, [to.shape(x)[0], ...out, filters])
  to.call(
    kinds.conv2d,
    [x, ...weights],
    [y],
    [
      ...[small(0, padding), int(1, strides[1]), int(2, strides[0]), small(3, activationOf(step))],
      ...[int(4, dilations[1]), int(5, dilations[0])]
    ]
  )
}

const depthwise: Rule = (step, to) => {
  const [, filter, bias] = step.inputs
  const [height, width, channels, multiplier] = to.constant(filter).shape
  const { x, out, padding, strides, dilations } = window(step, to, [height, width], 'zeros')
  const filters = channels * multiplier
  const weights = to.weights([filter, bias], [0, 1, 2, 3], 3, x, [1, height, width, filters])
  const y = define(step, to, [to.shape(x)[0], ...out, filters])
  to.call(
    kinds.depthwise,
    [x, ...weights],
    [y],
    [
      ...[small(0, padding), int(1, strides[1]), int(2, strides[0]), int(3, multiplier), small(4, activationOf(step))],
      ...[int(5, dilations[1]), int(6, dilations[0])]
    ]
  )
}

const transposed: Rule = (step, to) => {
  const { shape, pad } = step.options as { shape: number[]; pad: number }
  if (pad || to.bytes) throw refuse(step, 'only floats without padding are written')
  const [height, width, filters, channels] = to.constant(step.inputs[1]).shape
  const strides = step.options.strides as readonly number[]
  const x = to.operand(step.inputs[0])
  const filter = to.permutedConstant(step.inputs[1], [2, 0, 1, 3], [filters, height, width, channels])
  const y = define(step, to, shape)
  to.call(
    kinds.transposeConv,
    [to.sizes(shape), filter, x],
    [y],
    [...[small(0, valid), int(1, strides[1]), int(2, strides[0])]]
  )
}

const matMul: Rule = (step, to) => {
  const x = to.operand(step.inputs[0])
  const weights = to.weights(step.inputs.slice(1), [1, 0], 0, x)
  const y = define(step, to, [to.shape(x)[0], to.shape(weights[0])[0]])
  to.call(kinds.fullyConnected, [x, ...weights], [y], [small(0, activationOf(step))])
}

const pool =
  (kind: OperatorKind): Rule =>
  (step, to) => {
    const size = step.options.size as readonly number[]
    const before = to.operand(step.inputs[0])
    const [batch, height, width, channels] = to.shape(before)
    if (kind === kinds.avgPool && size[0] === height && size[1] === width) {
      const y = define(step, to, [batch, 1, 1, channels])
      to.call(kinds.mean, [before, to.sizes([1, 2])], [y], [[0, 'bool', 1]])
      return
    }
    const { x, out, padding, strides } = window(step, to, size, 'least')
    if (kind === kinds.avgPool && x !== before) throw refuse(step, 'it would count its padding')
    const shape = [batch, ...out, channels]
    const y = to.like(`tensor ${step.outputs[0]}`, shape, x)
    to.alias(step.outputs[0], y)
    if (to.rectified.has(step.inputs[0])) to.rectified.add(step.outputs[0])
    to.call(
      kind,
      [x],
      [y],
      [...[small(0, padding), int(1, strides[1]), int(2, strides[0]), int(3, size[1]), int(4, size[0])]]
    )
  }

const binary =
  (kind: OperatorKind): Rule =>
  (step, to) => {
    const operands = step.inputs.map(id => to.operand(id))
    const [a, b] = operands.map(number => to.shape(number))
    const rank = Math.max(a.length, b.length)
    const size = (shape: readonly number[], axis: number) => shape.at(axis - rank) ?? 1
    const shape = Array.from({ length: rank }, (_, axis) => Math.max(size(a, axis), size(b, axis)))
    to.call(kind, operands, [define(step, to, shape)], [small(0, activationOf(step))])
  }

const unary =
  (kind: OperatorKind, range?: readonly [number, number]): Rule =>
  (step, to) => {
    const x = to.operand(step.inputs[0])
    to.call(kind, [x], [define(step, to, to.shape(x), range)])
  }

/** relu6(x + 3) / 6, as TensorFlow writes it. */
function hardSigmoid({ inputs, outputs: [id] }: Step, to: Network, result: number): void {
  const x = to.operand(inputs[0])
  const sum = to.activation(`${id}, before its scale`, to.shape(x), [0, 6])
  const constant = (value: number) => to.values(`constant ${value} of ${id}`, [], Float32Array.of(value))
  to.call(kinds.add, [x, constant(3)], [sum], [small(0, activations.relu6)])
  to.call(kinds.mul, [sum, constant(1 / 6)], [result], [small(0, 0)])
}

/** Of floats always: XNNPACK has none of bytes, and steps of 1/256 are coarse for shares of a thousand classes. */
const softmax: Rule = (step, to) => {
  const x = floatsOf(to.operand(step.inputs[0]), to)
  const y = to.plain(`tensor ${step.outputs[0]}`, to.shape(x))
  to.alias(step.outputs[0], y)
  to.call(kinds.softmax, [x], [y], [[0, 'float32', 1]])
}

function floatsOf(number: number, to: Network): number {
  if (!to.quantisation(number)) return number
  const floats = to.plain(`floats of ${number}`, to.shape(number))
  to.call(kinds.dequantize, [number], [floats])
  return floats
}

/** The range that int8 kernels of the sigmoid demand: a scale of 1/256. */
const shares = [0, 255 / 256] as const

const rules: Readonly<Record<string, Rule>> = {
  conv2d: conv,
  depthwise,
  conv2dTranspose: transposed,
  matMul,
  maxPool: pool(kinds.maxPool),
  avgPool: pool(kinds.avgPool),
  add: binary(kinds.add),
  sub: binary(kinds.sub),
  mul: binary(kinds.mul),
  relu: unary(kinds.relu),
  relu6: unary(kinds.relu6),
  sigmoid: unary(kinds.sigmoid, shares),
  softmax,
  /** XNNPACK has none of bytes. */
  hardSwish: (step, to) => {
    if (!to.bytes) return unary(kinds.hardSwish)(step, to)
    const x = to.operand(step.inputs[0])
    const gate = to.activation(`gate of ${step.outputs[0]}`, to.shape(x), [0, 1])
    hardSigmoid(step, to, gate)
    to.call(kinds.mul, [x, gate], [define(step, to, to.shape(x))], [small(0, 0)])
  },
  hardSigmoid: (step, to) => {
    const x = to.operand(step.inputs[0])
    hardSigmoid(step, to, define(step, to, to.shape(x), [0, 1]))
  },
  reshape: (step, to) => {
    const shape = step.options.shape as readonly number[]
    const x = to.operand(step.inputs[0])
    const y = to.like(`tensor ${step.outputs[0]}`, shape, x)
    to.alias(step.outputs[0], y)
    to.call(kinds.reshape, [x, to.sizes(shape)], [y])
  },
  pad: (step, to) => {
    if (step.options.value !== 0) throw refuse(step, 'only zeros are written')
    const pads = step.options.pads as Pads
    const x = to.operand(step.inputs[0])
    const shape = to.shape(x).map((size, axis) => size + pads[axis][0] + pads[axis][1])
    const y = to.like(`tensor ${step.outputs[0]}`, shape, x)
    to.alias(step.outputs[0], y)
    to.call(kinds.pad, [x, to.sizes(pads.flat(), [pads.length, 2])], [y])
  },
  concat: (step, to) => {
    const axis = step.options.axis as number
    const parts = step.inputs.map(id => to.operand(id))
    const shape = [...to.shape(parts[0])]
    shape[axis] = parts.reduce((sum, part) => sum + to.shape(part)[axis], 0)
    if (step.inputs.every(id => to.rectified.has(id))) to.rectified.add(step.outputs[0])
    to.call(kinds.concat, parts, [define(step, to, shape)], [int(0, axis)])
  },
  resizeLinear: (step, to) => {
    const { size, corners, half } = step.options as { size: number[]; corners: boolean; half: boolean }
    const x = to.operand(step.inputs[0])
    const [batch, , , channels] = to.shape(x)
    const y = to.like(`tensor ${step.outputs[0]}`, [batch, ...size, channels], x)
    to.alias(step.outputs[0], y)
    to.call(
      kinds.resizeLinear,
      [x, to.sizes(size)],
      [y],
      [
        [2, 'bool', Number(corners)],
        [3, 'bool', Number(half)]
      ]
    )
  }
}

/** The file; with ranges in int8, whose inputs and outputs are floats all the same. `plan` has been `separated`. */
export function tflite(
  decoded: ReturnType<typeof decodePlan>,
  shapes: Readonly<Record<string, readonly number[]>>,
  ranges?: Ranges
): Uint8Array {
  const to = new Network(decoded, ranges)
  const plan = fused(decoded.plan, id => to.scalar(id))
  const inputs = plan.inputs.map(({ name, id, order }) => {
    const shape = order.map(axis => shapes[name][axis])
    if (!ranges) return to.define(id, shape)
    const given = to.plain(name, shape)
    to.call(kinds.quantize, [given], [to.define(id, shape)])
    return given
  })
  for (const step of plan.steps) {
    const rule = rules[step.call]
    if (!rule) throw refuse(step, 'no operator is known for it')
    rule(step, to)
  }
  const outputs = plan.outputs.map(({ id }) => floatsOf(to.operand(id), to))
  return write(to.finish(inputs, outputs))
}
