import { refuse } from '../../errors.js'
import { Node } from '../../graph/index.js'
import { convolution } from '../conv/conv.js'
import { elementwise } from '../elementwise/elementwise.js'
import { movement } from '../movement/movement.js'
import { softmaxes } from '../norm/softmax.js'
import type { Op } from '../op.js'
import { pooling } from '../pool/pool.js'
import { reduction } from '../reduce/reduce.js'
import { matrices } from './gemm.js'

/**
 * Operators on 8-bit integers. Where scales and zero points are known they stand for float operators between DequantizeLinear and
 * QuantizeLinear (passes/quantise), and sums by constant weights for those of ../conv/conv32.ts; of others the decompose pass makes
 * products of differences from the zero points, carried as floats: sums are exact to 2^24, and larger ones as exact as a float is.
 */

/** The node as `op` would be of some of its inputs. */
function alike(node: Node, operands: readonly number[]): Node {
  const made = new Node(node.op, node.name, node.attributes)
  made.inputs.push(...operands.map(index => node.inputs[index]))
  made.outputs.push(node.output)
  return made
}

function inferAs(op: Op, node: Node, operands: readonly number[]): void {
  const made = alike(node, operands)
  op.infer(made)
  node.constraints.push(...made.constraints)
}

function integerOp(op: Op): Op {
  const operands = [0, 1]
  return {
    required: 2,
    infer(node) {
      inferAs(op, node, operands)
      node.output.dtype = 'int32'
    },
    macs: node => op.macs!(alike(node, operands))
  }
}

/** An operator on integers that stands for one on floats between DequantizeLinear and QuantizeLinear. */
export interface Linear {
  /** The operator on floats. */
  readonly op: string
  /** Where each operand stands, behind which are its scale and zero point. */
  operands(node: Node): readonly number[]
  /** Where a bias of int32 stands, whose scale is the product of the operands'. */
  readonly bias?: number
  /** Where scale and zero point of the output stand. */
  readonly output: readonly [scale: number, zero: number]
}

const two = () => [0, 3]
const one = () => [0]

/** ONNX's own, and those that onnxruntime's quantiser writes (onnxruntime's docs/ContribOperators.md). */
export const linears: Readonly<Record<string, Linear>> = {
  QLinearConv: { op: 'Conv', operands: two, bias: 8, output: [6, 7] },
  QLinearMatMul: { op: 'MatMul', operands: two, output: [6, 7] },
  'com.microsoft:QGemm': { op: 'Gemm', operands: two, bias: 6, output: [7, 8] },
  'com.microsoft:QLinearAdd': { op: 'Add', operands: two, output: [6, 7] },
  'com.microsoft:QLinearMul': { op: 'Mul', operands: two, output: [6, 7] },
  'com.microsoft:QLinearAveragePool': { op: 'AveragePool', operands: one, output: [3, 4] },
  'com.microsoft:QLinearGlobalAveragePool': { op: 'GlobalAveragePool', operands: one, output: [3, 4] },
  'com.microsoft:QLinearLeakyRelu': { op: 'LeakyRelu', operands: one, output: [3, 4] },
  'com.microsoft:QLinearSigmoid': { op: 'Sigmoid', operands: one, output: [3, 4] },
  'com.microsoft:QLinearSoftmax': { op: 'Softmax', operands: one, output: [3, 4] },
  'com.microsoft:QLinearConcat': {
    op: 'Concat',
    operands: ({ inputs }) => Array.from({ length: Math.floor((inputs.length - 2) / 3) }, (_, i) => 2 + 3 * i),
    output: [0, 1]
  }
}

function linearOp(op: Op, linear: Linear): Op {
  const operands = (node: Node) => [...linear.operands(node), ...(linear.bias === undefined ? [] : [linear.bias])]
  const [, zeroAt] = linear.output
  return {
    required: linear.bias === 6 ? 6 : zeroAt + 1,
    infer(node) {
      const zero = node.inputs[zeroAt]
      if (zero && zero.dtype !== 'int8' && zero.dtype !== 'uint8')
        throw refuse(node, `quantises to ${zero.dtype}; int8 and uint8 are allowed`)
      if (node.number('channels_last', 0)) throw refuse(node, 'has its channels last; channels_last 0 is allowed')
      inferAs(op, node, operands(node))
      node.output.dtype = zero?.dtype ?? 'float32'
    },
    ...(op.macs ? { macs: (node: Node) => op.macs!(alike(node, operands(node))) } : {})
  }
}

const plain: Readonly<Record<string, Op>> = {
  ...convolution,
  ...matrices,
  ...elementwise,
  ...movement,
  ...pooling,
  ...reduction,
  ...softmaxes
}

export const integers: Record<string, Op> = {
  ConvInteger: integerOp(convolution.Conv),
  MatMulInteger: integerOp(matrices.MatMul),
  ...Object.fromEntries(Object.entries(linears).map(([name, linear]) => [name, linearOp(plain[linear.op], linear)]))
}
