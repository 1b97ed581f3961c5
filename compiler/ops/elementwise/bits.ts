import { refuse } from '../../errors.js'
import type { DType, Node } from '../../graph/index.js'
import type { Op } from '../op.js'
import { binaryOp, unaryOp } from './elementwise.js'

/**
 * Operators on the bits of whole numbers, which are carried as floats: exact for all of 8 and 16 bits, and of wider types for
 * numbers that single precision holds. What could not be exact for any of these is refused.
 */

export const widthsOf: Partial<Record<DType, number>> = {
  uint8: 8,
  int8: 8,
  uint16: 16,
  int16: 16,
  uint32: 32,
  int32: 32,
  uint64: 64,
  int64: 64
}

const isUnsigned = (dtype: DType) => dtype.startsWith('uint')

/** Both operands must have a type that has bits, constants among them values that single precision holds. */
function check(node: Node, allowed: (dtype: DType) => boolean, types: string): void {
  for (const input of node.inputs) {
    const { name, dtype, data } = input!
    if (!allowed(dtype)) throw refuse(node, `"${name}" is ${dtype}; ${types} are allowed`)
    const lost = data?.find(value => Math.fround(value) !== value)
    if (lost !== undefined)
      throw refuse(node, `"${name}" holds ${lost}, whose bits single precision loses; all up to 2^24 are allowed`)
  }
}

function bitwise(name: 'bitAnd' | 'bitOr' | 'bitXor'): Op {
  const op = binaryOp(name)
  return {
    ...op,
    infer(node) {
      check(node, dtype => widthsOf[dtype] !== undefined, 'integers')
      op.infer(node)
    }
  }
}

/** All ones less the number, which is -1 less the number where there is a sign. */
const complement: Op = unaryOp('affine', ({ output: { dtype } }) => [
  -1,
  isUnsigned(dtype) ? 2 ** widthsOf[dtype]! - 1 : -1
])

const bitwiseNot: Op = {
  ...complement,
  infer(node) {
    const isExact = (dtype: DType) => widthsOf[dtype] !== undefined && (!isUnsigned(dtype) || widthsOf[dtype]! < 24)
    check(node, isExact, 'integers with a sign, uint8 and uint16, whose complements are exact in single precision,')
    complement.infer(node)
  }
}

/** What the decompose pass spells with powers of two. */
const bitShift: Op = {
  required: 2,
  infer(node) {
    check(node, dtype => widthsOf[dtype] !== undefined && isUnsigned(dtype), 'integers without a sign')
    const direction = node.text('direction', 'nothing')
    if (direction !== 'LEFT' && direction !== 'RIGHT')
      throw refuse(node, `direction is ${direction}; LEFT and RIGHT are allowed`)
    binaryOp('scaleByPower').infer(node)
  },
  countedAxis: binaryOp('scaleByPower').countedAxis
}

export const bits: Record<string, Op> = {
  BitwiseAnd: bitwise('bitAnd'),
  BitwiseOr: bitwise('bitOr'),
  BitwiseXor: bitwise('bitXor'),
  BitwiseNot: bitwiseNot,
  BitShift: bitShift,
  /** a * 2^b, which a BitShift is made of. */
  ScaleByPower: binaryOp('scaleByPower')
}
