import { mul, product } from '../../algebra/index.js'
import { Node, type Value } from '../../graph/index.js'
import { matrices } from '../dense/gemm.js'
import { packedMatrix, product8Buffers, sumsOf } from '../dense/gemm8.js'
import { panelWidth } from '../elementwise/epilogue.js'
import { shiftOf } from '../elementwise/quantize.js'
import { kernel, type Lowering, type Op, plainOrder, type View } from '../op.js'
import { windows } from '../window.js'
import { convolution, shapeOf } from './conv.js'
import {
  conv8Fields,
  eachSum,
  fieldsOf,
  packedPanels,
  rowsOfBand,
  type Sizes,
  scratchFloats,
  stripOf
} from './conv8.js'

/** Sums of bytes by whole numbers, as they are: what ConvInteger and MatMulInteger give of constant weights. */

const { scale: _s, bias: _b, y: _y, scratch: _c, ...operands } = product8Buffers

/** y = conv(x - zero - xZero, w) as floats, each rounded once from its exact sum; fields and weights are those of conv8. */
export const conv32Kernel = kernel({
  name: 'conv32',
  fields: conv8Fields,
  buffers: { ...operands, zero: 'read', y: 'write', scratch: 'scratch' },
  reference(p, { x, w, zero, y }) {
    eachSum(p, x, w, zero[0] + p.xZero, (sum, to) => (y[to] = Math.fround(sum)))
  }
})

/** Inputs: bytes, weights from -128 to 127, and where there is one the zero point of the bytes, one number. */
const inputs = { x: 0, weights: 1, zero: 2 } as const

/** The node as that of floats. */
function plain(node: Node, op: string): Node {
  const made = new Node(op, node.name, node.attributes)
  made.inputs.push(...node.inputs.slice(0, inputs.zero))
  made.outputs.push(node.output)
  return made
}

function inferred(node: Node, of: Op, op: string): void {
  const made = plain(node, op)
  of.infer(made)
  node.constraints.push(...made.constraints)
  node.output.dtype = 'int32'
}

/** The zero point: in the block where it is known, with what memory adds to elements, and `low` says so; else in memory. */
function zeroOf(node: Node, to: Lowering): { zero: View; xZero: number; low: number } {
  const value = node.inputs[inputs.zero]
  const shift = shiftOf(node.inputs[inputs.x]!.dtype)
  if (value && !value.data) return { zero: to.view(value), xZero: shift, low: 0 }
  const zero = to.constant('no zero point', () => new Float32Array(1))
  return { zero, xZero: shift + (value?.data?.[0] ?? 0), low: 1 }
}

function emit(
  node: Node,
  to: Lowering,
  sizes: Sizes,
  key: string,
  padded: number,
  runs: boolean,
  buffers: Readonly<Record<'x' | 'w' | 'y', View>>
): void {
  const { zero, xZero, low } = zeroOf(node, to)
  const rows = rowsOfBand(sizes)
  const strip = stripOf(sizes)
  const panels = (sizes.groups as number) * Math.ceil((sizes.filters as number) / panelWidth)
  to.call(
    conv32Kernel,
    { ...sizes, xZero, low, runs: Number(runs), rows, strip },
    {
      ...{ ...buffers, zero, sums: sumsOf(to, key, buffers.w, panels, padded) },
      scratch: to.scratch([scratchFloats(sizes, runs, rows, strip, padded)])
    }
  )
}

/** ConvInteger of bytes. */
export const conv32: Op = {
  required: 2,
  infer: node => inferred(node, convolution.Conv, 'Conv'),
  layout: 'channelsLast',
  lower(node, to) {
    const shape = shapeOf(plain(node, 'Conv'))
    const [value, weights] = node.inputs as Value[]
    const [x, y] = [to.view(value), to.view(node.output)]
    const window = windows(node, x.shape.slice(2), shape.kernel)
    const { key, w, padded, runs } = packedPanels(to, weights, shape, window)
    emit(node, to, fieldsOf(node, shape, window, x, y), key, padded, runs, { x, w, y })
  },
  macs: node => convolution.Conv.macs!(plain(node, 'Conv'))
}

/** MatMulInteger of rows of bytes, each a pixel of its own. */
export const gemm32: Op = {
  required: 2,
  infer: node => inferred(node, matrices.MatMul, 'MatMul'),
  layout: 'plain',
  lower(node, to) {
    const [value, weights] = node.inputs as Value[]
    const { key, w, padded, inner, columns } = packedMatrix(to, weights, 0)
    const x = to.dense(value, plainOrder(2))
    const y = to.view(node.output)
    const rows = y.shape[0]
    const [xRow, yRow] = [x.strides[0], y.strides[0]]
    const sizes: Sizes = {
      ...{ batch: 1, groups: 1, channels: inner, filters: columns, xZero: 0, yZero: 0, low: 0, high: 255 },
      ...{ inD: 1, inH: rows, inW: 1, outD: 1, outH: rows, outW: 1 },
      ...{ kernelD: 1, kernelH: 1, kernelW: 1, strideD: 1, strideH: 1, strideW: 1 },
      ...{ padD: 0, padH: 0, padW: 0, dilationD: 1, dilationH: 1, dilationW: 1 },
      ...{ xN: 0, xD: 0, xH: xRow, xW: xRow, yN: 0, yD: 0, yH: yRow, yW: yRow }
    }
    emit(node, to, sizes, key, padded, true, { x, w, y })
  },
  macs: node => mul(product(node.output.shape), node.inputs[inputs.weights]!.shape[0])
}
