import { conv, convTranspose, depthwise, gemm, matmul } from './dense.js'
import type { Shader } from './dispatch.js'
import { unary } from './elementwise.js'

/** By the names that programs call kernels by. */
export const shaders: Readonly<Record<string, Shader>> = {
  unary,
  gemm,
  gemmPacked: gemm,
  gemmHalf: gemm,
  matmul,
  conv,
  convTranspose,
  depthwise
}
