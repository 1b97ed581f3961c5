import { showShape } from '../algebra/index.js'
import type { Graph, Value } from '../graph/index.js'
import { checkCounted, ops } from '../ops/index.js'

/**
 * What a legal graph is; checked after every pass. A failure is a mistake of the compiler, never of its input:
 * - nodes stand in execution order, and every input is a graph input, a state, a constant, known contents, or produced before;
 * - producers and users agree with inputs and outputs, use by use;
 * - what takes a counted value keeps its parts apart, or asks for something behind them;
 * - constants hold as many elements as their shape says;
 * - node names are unique, as are the names of produced values.
 */
export function verify(graph: Graph, after: string): void {
  const fail = (what: string): never => {
    throw new Error(`compiler error after ${after}: ${what}`)
  }
  const ready = new Set<Value>([...graph.inputs, ...graph.states])
  const names = new Set<string>()
  const uses = new Map<Value, number>()
  for (const node of graph.nodes) {
    if (!ops[node.op]) fail(`node "${node.name}" has unknown operator ${node.op}`)
    if (names.has(node.name)) fail(`two nodes are named "${node.name}"`)
    names.add(node.name)
    for (const input of node.inputs) {
      if (!input) continue
      uses.set(input, (uses.get(input) ?? 0) + 1)
      if (input.data || input.ints || ready.has(input)) continue
      fail(`"${node.name}" reads "${input.name}" before it is produced`)
    }
    for (const output of node.outputs) {
      if (output.producer !== node) fail(`"${output.name}" does not know its producer "${node.name}"`)
      if (ready.has(output)) fail(`"${output.name}" is produced twice`)
      ready.add(output)
    }
  }
  for (const node of graph.nodes) checkCounted(node)
  for (const value of graph.values) {
    if (value.users.length !== (uses.get(value) ?? 0))
      fail(`"${value.name}" counts ${value.users.length} uses and has ${uses.get(value) ?? 0}`)
    if (!value.data) continue
    const count = value.shape.reduce<number>((n, size) => n * (size as number), 1)
    if (count !== value.data.length)
      fail(`constant "${value.name}" ${showShape(value.shape)} holds ${value.data.length} elements`)
  }
  for (const output of graph.outputs)
    if (!ready.has(output) && !output.data && !output.ints) fail(`output "${output.name}" is never produced`)
}
