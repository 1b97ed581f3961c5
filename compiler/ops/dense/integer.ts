import { refuse } from '../../errors.js'
import { Node } from '../../graph/index.js'
import { convolution } from '../conv/conv.js'
import type { Op } from '../op.js'
import { matrices } from './gemm.js'

/**
 * Products of 8-bit integers, which the decompose pass spells as products of their differences from the zero points. These
 * are carried as floats: sums are exact to 2^24, and larger ones as exact as a float is.
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

/** Inputs are x, its scale and zero point, w, its scale and zero point, the output's scale and zero point, and a bias. */
function linearOp(op: Op): Op {
  const operands = [0, 3, 8]
  return {
    required: 8,
    infer(node) {
      const { dtype } = node.inputs[7]!
      if (dtype !== 'int8' && dtype !== 'uint8') throw refuse(node, `quantises to ${dtype}; int8 and uint8 are allowed`)
      inferAs(op, node, operands)
      node.output.dtype = dtype
    },
    macs: node => op.macs!(alike(node, operands))
  }
}

export const integers: Record<string, Op> = {
  ConvInteger: integerOp(convolution.Conv),
  MatMulInteger: integerOp(matrices.MatMul),
  QLinearConv: linearOp(convolution.Conv),
  QLinearMatMul: linearOp(matrices.MatMul)
}
