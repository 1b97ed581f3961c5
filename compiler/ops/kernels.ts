import { argmaxKernel } from './argmax.js'
import { convKernel, convTransposeKernel, depthwiseKernel } from './conv.js'
import { binaryKernel, unaryKernel, whereKernel } from './elementwise.js'
import { gatherKernel } from './gather.js'
import { gemmHalfKernel, gemmKernel, gemmPackedKernel, matmulKernel } from './gemm.js'
import { groupNormKernel } from './groupnorm.js'
import { resizeAxisKernel, resizePlaneKernel } from './interpolate.js'
import { layerNormKernel } from './layernorm.js'
import { lrnKernel, scaleShiftKernel } from './normalize.js'
import type { Kernel } from './op.js'
import { padKernel } from './pad.js'
import { poolKernel } from './pool.js'
import { reduceKernel } from './reduce.js'
import { softmaxKernel } from './softmax.js'
import { winogradFiltersKernel, winograds } from './winograd.js'

/** Every kernel by its name. Whoever calls one knows its fields and buffers; this list only knows that it has some. */
export const kernels: Readonly<Record<string, Kernel>> = Object.fromEntries(
  [
    argmaxKernel,
    binaryKernel,
    convKernel,
    convTransposeKernel,
    depthwiseKernel,
    gatherKernel,
    gemmHalfKernel,
    gemmKernel,
    gemmPackedKernel,
    groupNormKernel,
    layerNormKernel,
    lrnKernel,
    matmulKernel,
    padKernel,
    poolKernel,
    reduceKernel,
    resizeAxisKernel,
    resizePlaneKernel,
    scaleShiftKernel,
    softmaxKernel,
    unaryKernel,
    whereKernel,
    winogradFiltersKernel,
    ...winograds.map(variant => variant.kernel)
  ].map(kernel => [kernel.name, kernel as unknown as Kernel])
)
