export { type ActivationName, kindOf } from './activation.js'
export { widthsOf } from './bits.js'
export { areChecked } from './bounds.js'
export { branchIn, knownNumber, scanned, takenBranch, tripsOf } from './branch.js'
export { blocksOf, type Deformed, deformed } from './columns.js'
export { convInputs, shapeOf } from './conv.js'
export { capacity, checkCounted, countedAxis, readsCounts, settle } from './counted.js'
export { targetOf } from './crop.js'
export { type Equation, equationOf } from './einsum.js'
export { emitCopy, unaryKernel, visit } from './elementwise.js'
export { axisFor } from './gather.js'
export { kernels } from './kernels.js'
export { exponentOf } from './lp.js'
export { concatSlot, permutation, slicing } from './movement.js'
export { batchOf, namedAxes } from './nd.js'
export { compressedAxis, counting } from './nonzero.js'
export { depthOf, newAxisOf } from './onehot.js'
export {
  axisOf,
  type Choice,
  channelsLastOrder,
  intsOf,
  type Kernel,
  type Lowering,
  numbered,
  numbersOf,
  orderedStrides,
  orderOf,
  plainOrder,
  type View,
  type WinogradTile
} from './op.js'
export { amountsOf, constantOf } from './pad.js'
export { diagonalOf, sequenceAxes } from './positions.js'
export { rangeOf } from './quantize.js'
export { reducedAxes } from './reduce.js'
export { softmaxAxes } from './softmax.js'
export { ops, ownOps } from './table.js'
export { orderForReshape, reshapedOrder, subView } from './views.js'
export { transposedWindows, type Windows, windows } from './window.js'
