import { isStatic } from '../../../algebra/index.js'
import { type DType, isConstant, type Node, type Value } from '../../../graph/index.js'
import type { Writer } from '../../../infer/index.js'
import { axisOf, rangeOf } from '../../../ops/index.js'
import { along, giveOutput, type Rewrite } from '../rewrite.js'

/** Scale and zero point along the axis that they belong to. */
function parametersOf(write: Writer, node: Node): { x: Value; scale: Value; zero?: Value } {
  const [x, scale, zero] = node.inputs as Value[]
  const placed = (value: Value) =>
    value.rank === 0 ? value : along(write, value, axisOf(node, node.number('axis', 1), x.rank), x.rank)
  return { x, scale: placed(scale), zero: zero && placed(zero) }
}

/** A zero point that changes nothing. */
export const isNothing = (zero: Value | undefined) => !zero || zero.data?.every(element => element === 0) === true

/** round(ratio) + zero point, within what the element type holds. */
export function quantized(write: Writer, ratio: Value, zero: Value | undefined, dtype: DType): Value {
  const rounded = write.add('Round', [ratio])
  const shifted = isNothing(zero) ? rounded : write.add('Add', [rounded, zero])
  const [low, high] = rangeOf(dtype)
  const inside = write.add('Clip', [shifted, write.scalar(low), write.scalar(high)])
  return write.add('Cast', [inside], { to: dtype, whole: 1 })
}

export const quantizeLinear: Rewrite = (write, node) => {
  const { x, scale, zero } = parametersOf(write, node)
  return quantized(write, write.add('Div', [x, scale]), zero, node.output.dtype)
}

/** Floats of constants remember the whole numbers that they were, for layers of bytes (passes/quantise). */
function ofConstant({ graph }: Writer, node: Node): Value | undefined {
  const [x, scale, zero] = node.inputs
  if (!isConstant(x) || !isConstant(scale) || (zero && !isConstant(zero)) || !isStatic(x.shape)) return undefined
  const axis = scale.data.length > 1 ? axisOf(node, node.number('axis', 1), x.rank) : 0
  const inner = (x.shape.slice(axis + 1) as number[]).reduce((a, b) => a * b, 1)
  const zeros = zero?.data ?? new Float32Array(scale.data.length)
  const data = new Float32Array(x.data.length)
  const each = scale.data.length > 1 ? inner : data.length
  for (let from = 0, run = 0; from < data.length; from += each, run++) {
    const index = run % scale.data.length
    const [start, step] = [zeros[index], Math.fround(scale.data[index])]
    for (let i = from; i < from + each; i++) data[i] = (x.data[i] - start) * step
  }
  const made = graph.constant(graph.unique(x.name), data, x.shape as number[])
  made.quantised = { data: x.data, dtype: x.dtype, scale: scale.data, zero: zeros, axis }
  return made
}

export const dequantizeLinear: Rewrite = (write, node) => {
  const known = ofConstant(write, node)
  if (known) return known
  const { x, scale, zero } = parametersOf(write, node)
  const floats = write.add('Cast', [x], { to: 'float32' })
  return write.add('Mul', [isNothing(zero) ? floats : write.add('Sub', [floats, zero]), scale])
}

/** A range that holds 0 and every element is 255 steps wide. */
export const dynamicQuantizeLinear: Rewrite = (write, node) => {
  const [x] = node.inputs as Value[]
  const zero = write.scalar(0)
  const high = write.add('Max', [write.add('ReduceMax', [x], { keepdims: 0 }), zero])
  const low = write.add('Min', [write.add('ReduceMin', [x], { keepdims: 0 }), zero])
  const range = write.add('Sub', [high, low])
  const none = write.add('Equal', [range, zero])
  const scale = write.add('Where', [none, write.scalar(1), write.add('Div', [range, write.scalar(255)])])
  const start = quantized(write, write.add('Div', [write.add('Neg', [low]), scale]), undefined, 'uint8')
  giveOutput(write, node, 1, scale)
  giveOutput(write, node, 2, start)
  return quantized(write, write.add('Div', [x, scale]), start, 'uint8')
}
