export { branchesByFinds, branchIn, knownNumber, scanned, takenBranch, tripsOf } from './branch.js'
export { blocksOf, type Deformed, deformed } from './conv/columns.js'
export { convInputs, shapeOf } from './conv/conv.js'
export { capacity, checkCounted, countedAxis, readsCounts, settle } from './counted.js'
export { type Equation, equationOf } from './dense/einsum.js'
export { longestSum } from './dense/gemm8.js'
export { linears } from './dense/integer.js'
export { type ActivationName, kindOf } from './elementwise/activation.js'
export { widthsOf } from './elementwise/bits.js'
export { emitCopy, unaryKernel } from './elementwise/elementwise.js'
export { emitWiden, rangeOf, type Scale, scaleOf, shiftOf } from './elementwise/quantize.js'
export { narrowed } from './elementwise/requantise.js'
export { widened } from './elementwise/widen8.js'
export { fusedInputs } from './fused.js'
export { resizingOf } from './image/resize.js'
export { kernels } from './kernels.js'
export { targetOf } from './movement/crop.js'
export { axisFor } from './movement/gather.js'
export { concatSlot, permutation, slicing } from './movement/movement.js'
export { depthOf, newAxisOf } from './movement/onehot.js'
export { amountsOf, constantOf } from './movement/pad.js'
export { diagonalOf, sequenceAxes } from './movement/positions.js'
export { orderForReshape, reshapedOrder, subView } from './movement/views.js'
export { batchOf, namedAxes } from './nd.js'
export { softmaxAxes } from './norm/softmax.js'
export {
  axisOf,
  channelsLastOrder,
  intsOf,
  type Kernel,
  type Lowering,
  numbered,
  numbersOf,
  orderedStrides,
  orderOf,
  plainOrder,
  type View
} from './op.js'
export { exponentOf } from './pool/lp.js'
export { functionsOf, type Layer, layerOf } from './recurrent/layers.js'
export { reducedAxes } from './reduce/reduce.js'
export { areChecked } from './search/bounds.js'
export { compressedAxis, counting } from './search/nonzero.js'
export { framesOf, transformOf, waves } from './signal/fourier.js'
export { ops, ownOps } from './table.js'
export { visit } from './visit.js'
export { transposedWindows, type Windows, windows } from './window.js'
