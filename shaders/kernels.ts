import { winograd4, winogradFilters } from './conv/winograd/winograd.js'
import { conv, convTranspose, depthwise, gemm, matmul } from './dense/dense.js'
import type { Shader } from './dispatch.js'
import { binary, unary, where } from './elementwise/elementwise.js'
import { gridSample } from './image/gridsample.js'
import { resizeAxis, resizePlane } from './image/resize.js'
import { roiAlign } from './image/roialign.js'
import { gather } from './movement/gather.js'
import { pad } from './movement/pad.js'
import { scatter } from './movement/scatter.js'
import { groupNorm } from './norm/groupnorm.js'
import { layerNorm } from './norm/layernorm.js'
import { lrn, scaleShift } from './norm/normalize.js'
import { softmax } from './norm/softmax.js'
import { pool } from './pool/pool.js'
import { poolIndex } from './pool/pool-index.js'
import { cumsum } from './reduce/cumsum.js'
import { reduce } from './reduce/reduce.js'
import { argmax } from './search/argmax.js'
import { bounds } from './search/bounds.js'
import { nms, nmsRows } from './search/nms.js'
import { nonZero } from './search/nonzero.js'
import { topk } from './search/topk.js'

/** By the names that programs call kernels by; ./later/ has those that few models need. */
export const shaders: Record<string, Shader> = {
  argmax,
  binary,
  bounds,
  conv,
  convTranspose,
  cumsum,
  depthwise,
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
