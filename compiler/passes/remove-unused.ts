import type { Graph } from '../graph.js'
import { count, type Pass } from './pass.js'

/** Takes out nodes whose outputs nobody reads, last first, so that whole chains go at once. */
export function removeUnused(graph: Graph): number {
  let removed = 0
  for (const node of [...graph.nodes].reverse()) {
    if (node.outputs.some(output => output.users.length || graph.isOutput(output))) continue
    graph.remove(node)
    removed++
  }
  return removed
}

export const deadCode: Pass = {
  name: 'remove-unused',
  run: graph => count(removeUnused(graph), 'node')
}
