import { refuse } from '../../errors.js'
import type { DType, Node } from '../../graph/index.js'
import type { Op } from '../op.js'

/** Quantisation to 8-bit integers and back, which the decompose pass spells in floats: a kernel for it there is not. */

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

const quantizeLinear: Op = {
  required: 2,
  infer(node) {
    node.output.shape = node.inputs[0]!.shape
    node.output.dtype = checked(node, node.inputs[2]?.dtype ?? (node.text('output_dtype', 'uint8') as DType))
  }
}

const dequantizeLinear: Op = {
  required: 2,
  infer(node) {
    node.output.shape = node.inputs[0]!.shape
    node.output.dtype = 'float32'
    if (node.inputs[0]!.dtype !== 'int32') checked(node, node.inputs[0]!.dtype)
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
