import { count, type Pass } from '../pass.js'
import { fold, scaleShiftOfArithmetic } from './scale-shift.js'

/** Mul, Add, Sub and Div by constants into the neighbouring Conv, ConvTranspose or Gemm, or into the BatchNormalization before them. */
export const foldScaleShift: Pass = {
  name: 'fold-scale-shift',
  run(graph) {
    let folded = 0
    // A chain folds from its end: what stands before it reaches the layer only when the rest has gone.
    for (let before = -1; before !== folded; ) {
      before = folded
      for (const node of [...graph.nodes]) {
        const affine = scaleShiftOfArithmetic(node)
        if (affine && fold(graph, node, affine)) folded++
      }
    }
    return count(folded, 'node')
  }
}
