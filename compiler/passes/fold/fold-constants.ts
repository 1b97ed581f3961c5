import type { Graph } from '../../graph/index.js'
import { infer } from '../../infer/index.js'
import { count, type Pass } from '../pass.js'

/** Takes out the nodes whose results are known; returns how many there were. */
export function removeKnown(graph: Graph): number {
  let removed = 0
  for (const node of [...graph.nodes]) {
    if (!node.outputs.every(output => output.data || output.ints)) continue
    for (const output of node.outputs) output.producer = undefined
    graph.remove(node)
    removed++
  }
  return removed
}

/** Infers every shape and takes out the nodes whose results are known: weights' own arithmetic, shape arithmetic. */
export const foldConstants: Pass = {
  name: 'fold-constants',
  run(graph) {
    infer(graph)
    graph.outputTypes = graph.outputs.map(output => output.dtype)
    return count(removeKnown(graph), 'node')
  }
}
