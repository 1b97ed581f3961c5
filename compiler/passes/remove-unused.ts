import { foundIn } from '../algebra/index.js'
import type { Graph, Value } from '../graph/index.js'
import { count, type Pass } from './pass.js'

/** Takes out nodes whose outputs nobody reads, last first, so that whole chains go at once. */
export function removeUnused(graph: Graph): number {
  let removed = 0
  // What a run finds is read wherever it is a size.
  const sizes = new Set(graph.outputs.flatMap(namesIn))
  for (const node of [...graph.nodes].reverse()) {
    if (node.outputs.some(output => output.users.length || graph.isOutput(output) || sizes.has(output.name))) {
      for (const value of [...node.inputs, ...node.outputs]) for (const name of namesIn(value)) sizes.add(name)
      continue
    }
    graph.remove(node)
    removed++
  }
  return removed
}

const namesIn = (value: Value | undefined) =>
  [...(value?.shape ?? []), ...(value?.ints ?? [])].flatMap(foundIn).map(({ name }) => name)

export const deadCode: Pass = {
  name: 'remove-unused',
  run: graph => count(removeUnused(graph), 'node')
}
