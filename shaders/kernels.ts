import { argmax } from './argmax.js'
import { bounds } from './bounds.js'
import { cumsum } from './cumsum.js'
import { conv, convTranspose, depthwise, gemm, matmul } from './dense.js'
import { det } from './det.js'
import type { Shader } from './dispatch.js'
import { binary, unary, where } from './elementwise.js'
import { gather } from './gather.js'
import { gridSample } from './gridsample.js'
import { groupNorm } from './groupnorm.js'
import { layerNorm } from './layernorm.js'
import { nms, nmsRows } from './nms.js'
import { nonZero } from './nonzero.js'
import { lrn, scaleShift } from './normalize.js'
import { pad } from './pad.js'
import { pool } from './pool.js'
import { poolIndex } from './pool-index.js'
import { reduce } from './reduce.js'
import { resizeAxis, resizePlane } from './resize.js'
import { roiAlign } from './roialign.js'
import { scatter } from './scatter.js'
import { softmax } from './softmax.js'
import { topk } from './topk.js'
import { winograd4, winogradFilters } from './winograd.js'

/** By the names that programs call kernels by. */
export const shaders: Readonly<Record<string, Shader>> = {
  argmax,
  binary,
  bounds,
  conv,
  convTranspose,
  cumsum,
  depthwise,
  det,
  gather,
  gemm,
  gemmPacked: gemm,
  gemmHalf: gemm,
  gridSample,
  groupNorm,
  layerNorm,
  lrn,
  matmul,
  nms,
  nmsRows,
  nonZero,
  pad,
  pool,
  poolIndex,
  reduce,
  resizeAxis,
  resizePlane,
  roiAlign,
  scaleShift,
  scatter,
  softmax,
  topk,
  unary,
  where,
  winogradFilters,
  winograd4
}
