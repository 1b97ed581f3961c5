import { branches } from './branch.js'
import { columns } from './conv/columns.js'
import { convolution } from './conv/conv.js'
import { convolutionGradient } from './conv/conv-gradient.js'
import { conv8 } from './conv/conv8.js'
import { conv32, gemm32 } from './conv/conv32.js'
import { einsums } from './dense/einsum.js'
import { matrices } from './dense/gemm.js'
import { gemm8 } from './dense/gemm8.js'
import { integers } from './dense/integer.js'
import { binary8 } from './elementwise/binary8.js'
import { bits } from './elementwise/bits.js'
import { compound } from './elementwise/compound.js'
import { slopes } from './elementwise/derivative.js'
import { dropouts } from './elementwise/dropout.js'
import { elementwise } from './elementwise/elementwise.js'
import { lookup } from './elementwise/lookup.js'
import { optimisers } from './elementwise/optimise.js'
import { quantization } from './elementwise/quantize.js'
import { specials } from './elementwise/special.js'
import { fused } from './fused.js'
import { sampling } from './image/gridsample.js'
import { resizing } from './image/resize.js'
import { regions } from './image/roialign.js'
import { cropping } from './movement/crop.js'
import { gathering } from './movement/gather.js'
import { movement } from './movement/movement.js'
import { oneHots } from './movement/onehot.js'
import { padding } from './movement/pad.js'
import { comparisons } from './movement/positions.js'
import { ranges } from './movement/range.js'
import { scattering } from './movement/scatter.js'
import { coordinates } from './nd.js'
import { losses } from './norm/loss.js'
import { normalization } from './norm/normalize.js'
import { softmaxes } from './norm/softmax.js'
import type { Op } from './op.js'
import { norms } from './pool/lp.js'
import { pooling } from './pool/pool.js'
import { poolingGradient } from './pool/pool-gradient.js'
import { poolIndices } from './pool/pool-index.js'
import { pool8 } from './pool/pool8.js'
import { recurrentLayers } from './recurrent/layers.js'
import { steps } from './recurrent/recurrent.js'
import { cumulation } from './reduce/cumsum.js'
import { determinants } from './reduce/det.js'
import { reduction } from './reduce/reduce.js'
import { boundaries } from './search/bounds.js'
import { suppression } from './search/nms.js'
import { findings } from './search/nonzero.js'
import { rooms } from './search/room.js'
import { selection } from './search/topk.js'
import { transforms } from './signal/fourier.js'
import { audioConstants } from './signal/windows.js'

/** What only training steps have: gradients and updates. */
const training: Readonly<Record<string, Op>> = {
  ...convolutionGradient,
  ...poolingGradient,
  ...slopes,
  ...dropouts,
  ...optimisers
}

/** Layers of bytes, which the quantise pass makes. */
const ofBytes: Readonly<Record<string, Op>> = {
  Binary8: binary8,
  Conv8: conv8,
  Gemm8: gemm8,
  Conv32: conv32,
  Gemm32: gemm32,
  Lookup: lookup,
  Pool8: pool8
}

/** What the importer, the passes and training write, and ONNX does not have: a model with such a name means something else. */
export const ownOps: ReadonlySet<string> = new Set([
  ...Object.keys(training),
  ...Object.keys(ofBytes),
  ...[
    'Activation',
    'AlignAxes',
    'Bounds',
    'Copy',
    'MaxPoolIndices',
    'Recurrence',
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
  ...recurrentLayers,
  ...transforms,
  ...audioConstants,
  ...steps,
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
  ...fused,
  ...ofBytes,
  ...training
}
