import { decompose } from './decompose.js'
import { foldBatchNorm, lowerBatchNorm } from './fold/fold-batchnorm.js'
import { foldConstants } from './fold/fold-constants.js'
import { foldPad } from './fold/fold-pad.js'
import { foldScaleShift } from './fold/fold-scale-shift.js'
import { fuseActivation } from './fuse-activation.js'
import { fuseResidual } from './fuse-residual.js'
import { layout } from './layout.js'
import type { Pass } from './pass.js'
import { quantise } from './quantise/quantise.js'
import { spellQuantised } from './quantise/spell-quantised.js'
import { recogniseActivations } from './recognise/recognise-activations.js'
import { recogniseGates } from './recognise/recognise-gates.js'
import { recogniseNorms } from './recognise/recognise-norms.js'
import { removeIdentity } from './remove-identity.js'
import { deadCode } from './remove-unused.js'

/** The compiler's passes in order, each with why it stands where it stands. */
export const passes: readonly Pass[] = [
  foldConstants, // first: every other pass asks for shapes and constants
  deadCode, // the shape arithmetic that nobody reads now; later passes take their own leavings out
  removeIdentity, // before any pattern, so that a Dropout or Cast hides none
  spellQuantised, // before decompose, which spells in floats what has no layer of bytes
  decompose, // MatMul becomes Gemm, which the folds below know
  recogniseNorms, // before the folds, which would take a normalisation's own scale apart
  recogniseActivations, // before the folds: a Mul inside a SiLU or HardSwish must not be taken for a scale
  recogniseGates, // behind activations, whose SiLU is a product too
  foldBatchNorm, // before scale-shift, so that each is counted as what it was
  foldScaleShift,
  foldPad, // behind the folds: a shift in front of a convolution asks for the padding of its own
  lowerBatchNorm, // what could not be folded
  fuseActivation, // before residuals: conv+act+add is another epilogue than conv+add+act
  fuseResidual,
  quantise, // behind all fusions, so that a layer is one node between conversions
  layout // behind all fusions: fewer values to lay out
]

/** Passes without which the graph cannot be lowered; the others may be switched off. */
export const required: ReadonlySet<string> = new Set([
  foldConstants.name,
  decompose.name,
  lowerBatchNorm.name,
  layout.name,
  quantise.name,
  spellQuantised.name,
  deadCode.name,
  removeIdentity.name
])
