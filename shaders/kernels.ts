import { argmax } from './argmax.js'
import { conv, convTranspose, depthwise, gemm, matmul } from './dense.js'
import type { Shader } from './dispatch.js'
import { binary, unary, where } from './elementwise.js'
import { gather } from './gather.js'
import { groupNorm } from './groupnorm.js'
import { layerNorm } from './layernorm.js'
import { lrn, scaleShift } from './normalize.js'
import { pad } from './pad.js'
import { pool } from './pool.js'
import { reduce } from './reduce.js'
import { resizeAxis, resizePlane } from './resize.js'
import { softmax } from './softmax.js'
import { winograd, winogradFilters } from './winograd.js'

/** Convolutions that a plain one can replace. */
export const winograds: Readonly<Record<string, Shader>> = {
  winograd2: winograd(2, 3),
  winograd4: winograd(4, 3),
  winograd2x5: winograd(2, 5)
}

/** By the names that programs call kernels by. */
export const shaders: Readonly<Record<string, Shader>> = {
  argmax,
  binary,
  conv,
  convTranspose,
  depthwise,
  gather,
  gemm,
  gemmPacked: gemm,
  gemmHalf: gemm,
  groupNorm,
  layerNorm,
  lrn,
  matmul,
  pad,
  pool,
  reduce,
  resizeAxis,
  resizePlane,
  scaleShift,
  softmax,
  unary,
  where,
  winogradFilters,
  ...winograds
}
