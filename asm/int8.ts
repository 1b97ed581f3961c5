/** The kernels on bytes, which only the binaries for quantised models have, beside those of ./index.ts. */

export { conv8 } from './conv/conv8'
export { depthwise8 } from './conv/depthwise8'
export { gemm8, sums8 } from './dense/gemm8'
export { binary8 } from './elementwise/binary8'
export { lookup } from './elementwise/lookup'
export { dequantize, quantize } from './elementwise/quantize'
export { widen8 } from './elementwise/widen8'
export { pool8 } from './pool/pool8'
