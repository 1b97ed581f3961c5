import { sameShape } from '../../algebra/index.js'
import { type Graph, Node, type Value } from '../../graph/index.js'
import { inferNode } from '../../infer/index.js'
import { count, type Pass } from '../pass.js'
import { soleProducer } from './match.js'

/**
 * The residual of a squeeze-and-excitation, x + x * gate, as x * (gate + 1): the sum is of one number a channel instead of all
 * maps, and what reads the product may multiply as it loads.
 */
export const recogniseGates: Pass = {
  name: 'recognise-gates',
  run(graph) {
    let joined = 0
    for (const node of [...graph.nodes]) if (node.op === 'Add' && joinResidual(graph, node)) joined++
    return count(joined, 'residual')
  }
}

function joinResidual(graph: Graph, sum: Node): boolean {
  for (const [x, gated] of [sum.inputs, [...sum.inputs].reverse()] as [Value, Value][]) {
    const product = soleProducer(graph, gated, 'Mul')
    const gate = product?.inputs[0] === x ? product.inputs[1] : product?.inputs[1] === x ? product.inputs[0] : undefined
    if (!product || !gate || !isGate(gate, x) || !sameShape(x.shape, sum.output.shape)) continue
    const more = new Node('Add', graph.unique(`${product.name}.gate`))
    graph.insert(more, [gate, graph.constant(graph.unique(`${more.name}.one`), Float32Array.of(1), [])], 1, sum)
    inferNode(more)
    sum.op = 'Mul'
    graph.setInput(sum, 0, x)
    graph.setInput(sum, 1, more.output)
    graph.remove(product)
    return true
  }
  return false
}

/** One computed number for each image and channel. */
const isGate = ({ producer, rank, shape, dtype }: Value, x: Value) =>
  producer !== undefined &&
  rank > 2 &&
  rank === x.rank &&
  dtype === 'float32' &&
  shape.slice(2).every(size => size === 1)
