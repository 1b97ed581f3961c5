import { refuse } from '../errors.js'
import { Node, type Value } from '../graph.js'
import { convolution } from './conv.js'
import { matrices } from './gemm.js'
import type { Op } from './op.js'

/**
 * Products of 8-bit integers, which the decompose pass spells as products of their differences from the zero points. These
 * are carried as floats: sums are exact to 2^24, and larger ones as exact as a float is.
 */

/** The output's shape as `op` would infer it of some of the inputs. */
function inferAs(op: Op, node: Node, operands: readonly (Value | undefined)[]): void {
  const alike = new Node(node.op, node.name, node.attributes)
  alike.inputs.push(...operands)
  alike.outputs.push(node.output)
  op.infer(alike)
  node.constraints.push(...alike.constraints)
}

function integerOp(op: Op): Op {
  return {
    required: 2,
    infer(node) {
      inferAs(op, node, node.inputs.slice(0, 2))
      node.output.dtype = 'int32'
    }
  }
}

/** Inputs are x, its scale and zero point, w, its scale and zero point, the output's scale and zero point, and a bias. */
function linearOp(op: Op): Op {
  return {
    required: 8,
    infer(node) {
      const { dtype } = node.inputs[7]!
      if (dtype !== 'int8' && dtype !== 'uint8') throw refuse(node, `quantises to ${dtype}; int8 and uint8 are allowed`)
      inferAs(op, node, [node.inputs[0], node.inputs[3], node.inputs[8]])
      node.output.dtype = dtype
    }
  }
}

export const integers: Record<string, Op> = {
  ConvInteger: integerOp(convolution.Conv),
  MatMulInteger: integerOp(matrices.MatMul),
  QLinearConv: linearOp(convolution.Conv),
  QLinearMatMul: linearOp(matrices.MatMul)
}
