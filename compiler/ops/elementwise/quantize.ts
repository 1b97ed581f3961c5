import { refuse } from '../../errors.js'
import { type DType, isConstant, type Node, type Value } from '../../graph/index.js'
import { fields, kernel, type Lowering, loopsOver, numbered, type Op, type View } from '../op.js'
import { loopDepth, visit } from '../visit.js'
import { narrowed } from './requantise.js'

/**
 * Quantisation to 8-bit integers and back. Where scale and zero point are known, and nothing but DequantizeLinear reads the bytes,
 * these lie in memory as bytes, and the quantise pass makes layers of bytes of what stands in between; anything else the decompose
 * pass spells in floats.
 */

const betweenFields = {
  ...fields('d', loopDepth),
  ...fields('x', loopDepth, 'i32'),
  ...fields('y', loopDepth, 'i32'),
  scale: 'f32',
  zero: 'u32'
} as const

type Between = Readonly<Record<keyof typeof betweenFields, number>>

function forEachPair(p: Between, body: (from: number, to: number) => void): void {
  visit([p.d0, p.d1, p.d2, p.d3, p.d4, p.d5], i => {
    const from = i[0] * p.x0 + i[1] * p.x1 + i[2] * p.x2 + i[3] * p.x3 + i[4] * p.x4 + i[5] * p.x5
    const to = i[0] * p.y0 + i[1] * p.y1 + i[2] * p.y2 + i[3] * p.y3 + i[4] * p.y4 + i[5] * p.y5
    body(from, to)
  })
}

/** y = round(x / scale) + zero as a byte, over any strides; NaN becomes 0. */
export const quantizeKernel = kernel({
  name: 'quantize',
  fields: betweenFields,
  buffers: { x: 'read', y: 'write' },
  reference(p, { x, y }) {
    const to = { yZero: p.zero, low: 0, high: 255 }
    forEachPair(p, (i, j) => (y[j] = narrowed(Math.fround(Math.fround(x[i]) / Math.fround(p.scale)), to)))
  }
})

/** y = (x - zero) * scale of bytes, over any strides. */
export const dequantizeKernel = kernel({
  name: 'dequantize',
  fields: betweenFields,
  buffers: { x: 'read', y: 'write' },
  reference(p, { x, y }) {
    forEachPair(p, (i, j) => (y[j] = Math.fround((x[i] - p.zero) * Math.fround(p.scale))))
  }
})

function emit(to: Lowering, node: Node, of: typeof quantizeKernel, x: View, y: View, by: Scale): void {
  const loops = loopsOver(y.shape, y.order, [x.strides, y.strides], loopDepth)
  if (!loops) throw refuse(node, `needs more than ${loopDepth} nested loops to visit its output`)
  to.call(
    of,
    { ...numbered('d', loops.sizes), ...numbered('x', loops.strides[0]), ...numbered('y', loops.strides[1]), ...by },
    { x, y }
  )
}

/** What makes floats of bytes; those of int8 lie in memory with 128 on top, and so does their zero point. */
export interface Scale {
  readonly scale: number
  readonly zero: number
}

/** The scale and zero point of a QuantizeLinear or DequantizeLinear, where one known number of each holds for the whole tensor. */
export function scaleOf(node: Node): Scale | undefined {
  const [, scale, zero] = node.inputs
  const dtype = node.op === 'QuantizeLinear' ? node.output.dtype : node.inputs[0]!.dtype
  if (!ranges[dtype] || !isConstant(scale) || scale.data.length !== 1) return undefined
  if (zero && !(isConstant(zero) && zero.data.length === 1)) return undefined
  const step = Math.fround(scale.data[0])
  const start = (zero?.data?.[0] ?? 0) + shiftOf(dtype)
  return step > 0 && Number.isFinite(step) && start >= 0 && start <= 255 ? { scale: step, zero: start } : undefined
}

/** What memory adds to an element, which makes a byte of it. */
export const shiftOf = (dtype: DType): number => (dtype === 'int8' ? 128 : 0)

/** A tensor of bytes as the floats by which its elements are carried elsewhere. */
export function emitWiden(to: Lowering, node: Node, value: Value, x: View, y: View): void {
  emit(to, node, dequantizeKernel, x, y, { scale: 1, zero: shiftOf(value.dtype) })
}

const staysQuantised = (node: Node): boolean =>
  node.op === 'QuantizeLinear' &&
  !isConstant(node.inputs[0]) &&
  node.inputs[0]!.dtype === 'float32' &&
  scaleOf(node) !== undefined &&
  node.output.users.length > 0 &&
  node.output.users.every(user => takesBytes.has(user.op) || (user.op === 'DequantizeLinear' && scaleOf(user)))

/** What sums bytes as they are. */
const takesBytes: ReadonlySet<string> = new Set(['Conv32', 'Gemm32'])

const ranges: Readonly<Partial<Record<DType, readonly [number, number]>>> = { int8: [-128, 127], uint8: [0, 255] }

export function rangeOf(dtype: DType): readonly [number, number] {
  return ranges[dtype]!
}

function checked(node: Node, dtype: DType): DType {
  if (!ranges[dtype]) throw refuse(node, `quantises to ${dtype}; ${Object.keys(ranges).join(' and ')} are allowed`)
  if (node.number('block_size', 0))
    throw refuse(node, 'has a block_size; a scale for all or for each channel is allowed')
  return dtype
}

/** Scales that make nothing of numbers, and lists that do not fit; what only a run knows is not looked at. */
function checkScale(node: Node): void {
  const [x, scale, zero] = node.inputs
  if (!isConstant(scale)) return
  const count = scale.data.length
  // Filters of zeros may have a step of 0 on their way back.
  const bad = scale.data.find(
    step => !(step > 0 || (step === 0 && node.op !== 'QuantizeLinear')) || step === Number.POSITIVE_INFINITY
  )
  if (bad !== undefined) throw refuse(node, `has a scale of ${bad}; finite numbers above 0 are allowed`)
  const axis = node.number('axis', 1)
  const channels = x!.shape[axis < 0 ? axis + x!.rank : axis]
  if (count !== 1 && scale.rank === 1 && typeof channels === 'number' && channels !== count)
    throw refuse(node, `has ${count} scales; 1 or ${channels}, one for each channel, are allowed`)
  if (isConstant(zero) && zero.data.length !== count)
    throw refuse(node, `has ${zero.data.length} zero points and ${count} scales; as many of each are allowed`)
}

const quantizeLinear: Op = {
  required: 2,
  infer(node) {
    node.output.shape = node.inputs[0]!.shape
    node.output.dtype = checked(node, node.inputs[2]?.dtype ?? (node.text('output_dtype', 'uint8') as DType))
    checkScale(node)
  },
  takes: staysQuantised,
  writesAnyOrder: true,
  lower(node, to) {
    emit(to, node, quantizeKernel, to.view(node.inputs[0]!), to.view(node.output), scaleOf(node)!)
  }
}

const dequantizeLinear: Op = {
  required: 2,
  infer(node) {
    node.output.shape = node.inputs[0]!.shape
    node.output.dtype = 'float32'
    if (node.inputs[0]!.dtype !== 'int32') checked(node, node.inputs[0]!.dtype)
    checkScale(node)
  },
  takes: node => node.inputs[0]!.producer !== undefined && staysQuantised(node.inputs[0]!.producer),
  lower(node, to) {
    emit(to, node, dequantizeKernel, to.view(node.inputs[0]!), to.view(node.output), scaleOf(node)!)
  }
}

/** To 8 bits that span what the tensor holds; with the scale and the zero point. */
const dynamicQuantizeLinear: Op = {
  gives: 3,
  infer(node) {
    node.output.shape = node.inputs[0]!.shape
    node.output.dtype = 'uint8'
    const [, scale, zero] = node.outputs
    if (zero) zero.dtype = 'uint8'
    if (scale) scale.dtype = 'float32'
  }
}

export const quantization: Record<string, Op> = {
  QuantizeLinear: quantizeLinear,
  DequantizeLinear: dequantizeLinear,
  DynamicQuantizeLinear: dynamicQuantizeLinear
}
