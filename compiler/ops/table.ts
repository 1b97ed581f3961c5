import { bits } from './bits.js'
import { boundaries } from './bounds.js'
import { branches } from './branch.js'
import { columns } from './columns.js'
import { compound } from './compound.js'
import { convolution } from './conv.js'
import { convolutionGradient } from './conv-gradient.js'
import { cropping } from './crop.js'
import { cumulation } from './cumsum.js'
import { slopes } from './derivative.js'
import { determinants } from './det.js'
import { dropouts } from './dropout.js'
import { einsums } from './einsum.js'
import { elementwise } from './elementwise.js'
import { gathering } from './gather.js'
import { matrices } from './gemm.js'
import { sampling } from './gridsample.js'
import { integers } from './integer.js'
import { losses } from './loss.js'
import { norms } from './lp.js'
import { movement } from './movement.js'
import { coordinates } from './nd.js'
import { suppression } from './nms.js'
import { findings } from './nonzero.js'
import { normalization } from './normalize.js'
import { oneHots } from './onehot.js'
import type { Op } from './op.js'
import { optimisers } from './optimise.js'
import { padding } from './pad.js'
import { pooling } from './pool.js'
import { poolingGradient } from './pool-gradient.js'
import { poolIndices } from './pool-index.js'
import { comparisons } from './positions.js'
import { quantization } from './quantize.js'
import { ranges } from './range.js'
import { reduction } from './reduce.js'
import { resizing } from './resize.js'
import { regions } from './roialign.js'
import { rooms } from './room.js'
import { scattering } from './scatter.js'
import { softmaxes } from './softmax.js'
import { specials } from './special.js'
import { selection } from './topk.js'

/** What only training steps have: gradients and updates. */
const training: Readonly<Record<string, Op>> = {
  ...convolutionGradient,
  ...poolingGradient,
  ...slopes,
  ...dropouts,
  ...optimisers
}

/** What the importer, the passes and training write, and ONNX does not have: a model with such a name means something else. */
export const ownOps: ReadonlySet<string> = new Set([
  ...Object.keys(training),
  ...[
    'Activation',
    'AlignAxes',
    'Bounds',
    'Copy',
    'MaxPoolIndices',
    'Room',
    'SampleAt',
    'ScaleByPower',
    'ScaleShift',
    'ScatterRows',
    'SumPool'
  ]
])

/** Every operator that the compiler lowers, by its ONNX name. */
export const ops: Readonly<Record<string, Op>> = {
  ...convolution,
  ...matrices,
  ...pooling,
  ...poolIndices,
  ...reduction,
  ...normalization,
  ...softmaxes,
  ...resizing,
  ...padding,
  ...gathering,
  ...scattering,
  ...coordinates,
  ...elementwise,
  ...movement,
  ...ranges,
  ...rooms,
  ...compound,
  ...branches,
  ...quantization,
  ...integers,
  ...einsums,
  ...losses,
  ...cumulation,
  ...oneHots,
  ...regions,
  ...sampling,
  ...selection,
  ...suppression,
  ...bits,
  ...boundaries,
  ...columns,
  ...cropping,
  ...determinants,
  ...norms,
  ...findings,
  ...specials,
  ...comparisons,
  ...training
}
