import { refuse } from '../../errors.js'
import { isConstant, Node } from '../../graph/index.js'
import { inferNode } from '../../infer/index.js'
import { count, type Pass } from '../pass.js'
import { fold, scaleShiftOfBatchNorm } from './scale-shift.js'

/** BatchNormalization into the Conv, ConvTranspose or Gemm before it, or into the layers behind it where exact. */
export const foldBatchNorm: Pass = {
  name: 'fold-batchnorm',
  run(graph) {
    let folded = 0
    for (const node of [...graph.nodes])
      if (
        node.op === 'BatchNormalization' &&
        node.inputs.slice(1).every(isConstant) &&
        fold(graph, node, scaleShiftOfBatchNorm(node))
      )
        folded++
    return count(folded, 'BatchNorm')
  }
}

/** What is left of BatchNormalization runs as one multiplication and addition per channel. */
export const lowerBatchNorm: Pass = {
  name: 'lower-batchnorm',
  run(graph) {
    let lowered = 0
    for (const node of [...graph.nodes]) {
      if (node.op !== 'BatchNormalization') continue
      for (const [i, name] of ['scale', 'B', 'mean', 'var'].entries())
        if (!isConstant(node.inputs[i + 1])) throw refuse(node, `${name} must be a constant`)
      const { x, scale, shift } = scaleShiftOfBatchNorm(node)
      const constant = (data: Float64Array, what: string) =>
        graph.constant(graph.unique(`${node.name}.${what}`), Float32Array.from(data), [data.length])
      const made = new Node('ScaleShift', graph.unique(node.name))
      graph.insert(made, [x, constant(scale, 'scale'), constant(shift, 'shift')], 1, node)
      inferNode(made)
      graph.bypass(node, made.output)
      lowered++
    }
    return count(lowered, 'BatchNorm')
  }
}
