import { argmaxKernel } from './argmax.js'
import { boundsKernel } from './bounds.js'
import { convKernel, convTransposeKernel, depthwiseKernel } from './conv.js'
import { convGradientKernel, depthwiseGradientKernel } from './conv-gradient.js'
import { cumsumKernel } from './cumsum.js'
import { slopeKernel } from './derivative.js'
import { detKernel } from './det.js'
import { dropoutKernel } from './dropout.js'
import { binaryKernel, unaryKernel, whereKernel } from './elementwise.js'
import { gatherKernel } from './gather.js'
import { gemmHalfKernel, gemmKernel, gemmPackedKernel, matmulKernel } from './gemm.js'
import { gridSampleKernel } from './gridsample.js'
import { groupNormKernel } from './groupnorm.js'
import { resizeAxisKernel, resizePlaneKernel } from './interpolate.js'
import { layerNormKernel } from './layernorm.js'
import { nmsKernel, nmsRowsKernel } from './nms.js'
import { nonZeroKernel } from './nonzero.js'
import { lrnKernel, scaleShiftKernel } from './normalize.js'
import type { Kernel } from './op.js'
import { adamKernel, sgdKernel } from './optimise.js'
import { padKernel } from './pad.js'
import { poolKernel } from './pool.js'
import { poolGradientKernel } from './pool-gradient.js'
import { poolIndexKernel } from './pool-index.js'
import { reduceKernel } from './reduce.js'
import { roiAlignKernel } from './roialign.js'
import { scatterKernel } from './scatter.js'
import { softmaxKernel } from './softmax.js'
import { topkKernel } from './topk.js'
import { winogradFiltersKernel, winograds } from './winograd.js'

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
    binaryKernel,
    boundsKernel,
    convKernel,
    convTransposeKernel,
    cumsumKernel,
    depthwiseKernel,
    detKernel,
    gatherKernel,
    gemmHalfKernel,
    gemmKernel,
    gemmPackedKernel,
    gridSampleKernel,
    groupNormKernel,
    layerNormKernel,
    lrnKernel,
    matmulKernel,
    nmsKernel,
    nmsRowsKernel,
    nonZeroKernel,
    padKernel,
    poolIndexKernel,
    poolKernel,
    reduceKernel,
    resizeAxisKernel,
    resizePlaneKernel,
    roiAlignKernel,
    scaleShiftKernel,
    scatterKernel,
    softmaxKernel,
    topkKernel,
    unaryKernel,
    whereKernel,
    winogradFiltersKernel,
    ...winograds.map(variant => variant.kernel)
  ])
}
