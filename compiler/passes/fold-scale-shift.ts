import { count, type Pass } from './pass.js'
import { fold, scaleShiftOfArithmetic } from './scale-shift.js'

/** Mul, Add, Sub and Div by constants into the neighbouring Conv, ConvTranspose or Gemm. */
export const foldScaleShift: Pass = {
  name: 'fold-scale-shift',
  run(graph) {
    let folded = 0
    for (const node of [...graph.nodes]) {
      const affine = scaleShiftOfArithmetic(node)
      if (affine && fold(graph, node, affine)) folded++
    }
    return count(folded, 'node')
  }
}
