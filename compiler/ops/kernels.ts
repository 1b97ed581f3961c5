import { convGradientKernel, depthwiseGradientKernel } from './conv/conv-gradient.js'
import { conv8Kernel, depthwise8Kernel } from './conv/conv8.js'
import { conv32Kernel } from './conv/conv32.js'
import { convKernel, convTransposeKernel, depthwiseKernel } from './conv/direct.js'
import { winogradFiltersKernel, winograds } from './conv/winograd.js'
import { gemmHalfKernel, gemmKernel, gemmPackedKernel, matmulKernel } from './dense/gemm.js'
import { gemm8Kernel, sums8Kernel } from './dense/gemm8.js'
import { binary8Kernel } from './elementwise/binary8.js'
import { slopeKernel } from './elementwise/derivative.js'
import { dropoutKernel } from './elementwise/dropout.js'
import { binaryKernel, unaryKernel, whereKernel } from './elementwise/elementwise.js'
import { lookupKernel } from './elementwise/lookup.js'
import { adamKernel, sgdKernel } from './elementwise/optimise.js'
import { dequantizeKernel, quantizeKernel } from './elementwise/quantize.js'
import { widen8Kernel } from './elementwise/widen8.js'
import { gridSampleKernel } from './image/gridsample.js'
import { resizeAxisKernel, resizePlaneKernel } from './image/interpolate.js'
import { roiAlignKernel } from './image/roialign.js'
import { gatherKernel } from './movement/gather.js'
import { padKernel } from './movement/pad.js'
import { scatterKernel } from './movement/scatter.js'
import { groupNormKernel } from './norm/groupnorm.js'
import { layerNormKernel } from './norm/layernorm.js'
import { lrnKernel, scaleShiftKernel } from './norm/normalize.js'
import { softmaxKernel } from './norm/softmax.js'
import type { Kernel } from './op.js'
import { poolKernel } from './pool/pool.js'
import { poolGradientKernel } from './pool/pool-gradient.js'
import { poolIndexKernel } from './pool/pool-index.js'
import { pool8Kernel } from './pool/pool8.js'
import { recurrentKernel } from './recurrent/recurrent.js'
import { cumsumKernel } from './reduce/cumsum.js'
import { detKernel } from './reduce/det.js'
import { reduceKernel } from './reduce/reduce.js'
import { argmaxKernel } from './search/argmax.js'
import { boundsKernel } from './search/bounds.js'
import { nmsKernel, nmsRowsKernel } from './search/nms.js'
import { nonZeroKernel } from './search/nonzero.js'
import { topkKernel } from './search/topk.js'

const byName = (list: readonly { readonly name: string }[]): Readonly<Record<string, Kernel>> =>
  Object.fromEntries(list.map(kernel => [kernel.name, kernel as unknown as Kernel]))

/** What only training steps call. */
export const trainingKernels = byName([
  adamKernel,
  convGradientKernel,
  depthwiseGradientKernel,
  dropoutKernel,
  poolGradientKernel,
  sgdKernel,
  slopeKernel
])

/** Every kernel by its name. Whoever calls one knows its fields and buffers; this list only knows that it has some. */
export const kernels: Readonly<Record<string, Kernel>> = {
  ...trainingKernels,
  ...byName([
    argmaxKernel,
    binary8Kernel,
    binaryKernel,
    boundsKernel,
    conv8Kernel,
    conv32Kernel,
    convKernel,
    convTransposeKernel,
    cumsumKernel,
    depthwise8Kernel,
    depthwiseKernel,
    dequantizeKernel,
    detKernel,
    gatherKernel,
    gemm8Kernel,
    gemmHalfKernel,
    gemmKernel,
    gemmPackedKernel,
    gridSampleKernel,
    groupNormKernel,
    layerNormKernel,
    lookupKernel,
    lrnKernel,
    matmulKernel,
    nmsKernel,
    nmsRowsKernel,
    nonZeroKernel,
    padKernel,
    pool8Kernel,
    poolIndexKernel,
    poolKernel,
    quantizeKernel,
    recurrentKernel,
    reduceKernel,
    resizeAxisKernel,
    resizePlaneKernel,
    roiAlignKernel,
    scaleShiftKernel,
    scatterKernel,
    softmaxKernel,
    sums8Kernel,
    topkKernel,
    unaryKernel,
    whereKernel,
    widen8Kernel,
    winogradFiltersKernel,
    ...winograds.map(variant => variant.kernel)
  ])
}
