import { Node } from '../graph.js'
import { inferNode } from '../infer.js'
import { count, type Pass } from './pass.js'
import { fold, scaleShiftOfBatchNorm } from './scale-shift.js'

/** BatchNormalization into the Conv, ConvTranspose or Gemm before it, or into the layers behind it where exact. */
export const foldBatchNorm: Pass = {
  name: 'fold-batchnorm',
  run(graph) {
    let folded = 0
    for (const node of [...graph.nodes])
      if (node.op === 'BatchNormalization' && fold(graph, node, scaleShiftOfBatchNorm(node))) folded++
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
