import { compound } from './compound.js'
import { convolution } from './conv.js'
import { elementwise } from './elementwise.js'
import { gathering } from './gather.js'
import { matrices } from './gemm.js'
import { movement } from './movement.js'
import { normalization } from './normalize.js'
import type { Op } from './op.js'
import { padding } from './pad.js'
import { pooling } from './pool.js'
import { reduction } from './reduce.js'
import { resizing } from './resize.js'
import { softmaxes } from './softmax.js'

/** Every operator that the compiler lowers, by its ONNX name. */
export const ops: Readonly<Record<string, Op>> = {
  ...convolution,
  ...matrices,
  ...pooling,
  ...reduction,
  ...normalization,
  ...softmaxes,
  ...resizing,
  ...padding,
  ...gathering,
  ...elementwise,
  ...movement,
  ...compound
}
