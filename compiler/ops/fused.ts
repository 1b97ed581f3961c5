import { refuse } from '../errors.js'
import type { Op } from './op.js'

/**
 * What onnxruntime's optimiser writes for several operators of ONNX: inference spells it with those (compiler/infer/fused.ts).
 * How many inputs each needs, by its name.
 */
export const fusedInputs: Readonly<Record<string, number>> = {
  'com.microsoft:FusedConv': 2,
  'com.microsoft:NhwcConv': 2,
  'com.microsoft:NhwcFusedConv': 2,
  'com.ms.internal.nhwc:Conv': 2,
  'com.microsoft:FusedMatMul': 2,
  'com.microsoft:FusedGemm': 2,
  'com.microsoft:Gelu': 1,
  'com.microsoft:QuickGelu': 1,
  'com.microsoft:FastGelu': 1,
  'com.microsoft:BiasGelu': 2,
  'com.microsoft:BiasSplitGelu': 2,
  'com.microsoft:BiasAdd': 3,
  'com.microsoft:GroupNorm': 3,
  SimplifiedLayerNormalization: 2,
  'com.microsoft:SkipLayerNormalization': 3,
  'com.microsoft:SkipSimplifiedLayerNormalization': 3,
  'com.microsoft:Attention': 2,
  'com.microsoft:MultiHeadAttention': 1
}

const spelled: Op = {
  required: 0,
  gives: 4,
  infer(node) {
    throw refuse(node, 'is spelled with operators of ONNX before anything else is inferred of it')
  }
}

export const fused: Record<string, Op> = Object.fromEntries(Object.keys(fusedInputs).map(name => [name, spelled]))
