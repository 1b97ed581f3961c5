import { isFound, sameShape } from '../algebra/index.js'
import { refuse } from '../errors.js'
import type { Graph, Node } from '../graph/index.js'
import { ops, readsCounts } from '../ops/index.js'
import { controls } from './control.js'
import { sizesOf } from './counting.js'
import { inferNode } from './node.js'
import { sequences } from './sequences.js'
import { Writer } from './writer.js'

/**
 * Shapes and element types of every value from the graph's inputs on, and the contents of what depends on constants
 * and dimensions alone. Where these decide an If or a loop, what they run takes their place.
 */
export function infer(graph: Graph): void {
  for (let at = 0; at < graph.nodes.length; ) {
    const node = graph.nodes[at]
    if ((controls[node.op] ?? sequences[node.op])?.(graph, node)) continue
    refuseSequences(node)
    inferNode(node, graph.folding)
    refuseMore(graph, node)
    findAlike(graph, node, at)
    // Also where passes leave nothing of the node, or only its shape is read.
    if (node.outputs.some(output => output.users.length > 0 || graph.isOutput(output)))
      for (const [a, b] of node.constraints) graph.folding.assume(a, b, node)
    at += 1 + readCounts(graph, node)
  }
  for (const { elements, producer, name } of graph.outputs)
    if (elements) throw refuse(producer!, `output "${name}" of the model is a sequence; tensors are allowed`)
  graph.outputs = graph.outputs.map(output =>
    output.ints?.some(isFound) ? sizesOf(new Writer(graph, output.name), output) : output
  )
}

/** Operators on tensors take none. */
function refuseSequences(node: Node): void {
  if (sequences[node.op]) return
  const sequence = node.inputs.find(input => input?.elements)
  if (sequence) throw refuse(node, `input "${sequence.name}" is a sequence; tensors are allowed`)
}

/** Exporters write the same search for each tensor that they pick from: what is searched alike has as much. */
function findAlike(graph: Graph, node: Node, at: number): void {
  if (!node.outputs.some(({ counted }) => counted)) return
  const first = graph.nodes.slice(0, at).find(other => isAlike(node, other))
  first?.outputs.forEach((output, i) => {
    node.outputs[i].shape = output.shape
  })
}

/** Producers that are compared. */
const deepest = 4

function isAlike(a: Node, b: Node, depth = deepest): boolean {
  if (a.op !== b.op || a.inputs.length !== b.inputs.length || a.attributes.size !== b.attributes.size) return false
  if (![...a.attributes].every(([name, value]) => String(b.attributes.get(name)) === String(value))) return false
  if ([...a.attributes.values()].some(value => typeof value === 'object' && !Array.isArray(value))) return false
  return a.inputs.every((x, i) => {
    const y = b.inputs[i]
    if (x === y) return true
    if (!x || !y || x.dtype !== y.dtype || !sameShape(x.shape, y.shape)) return false
    if (x.data && y.data) return x.data.length === y.data.length && x.data.every((value, k) => value === y.data![k])
    const [from, to] = [x.producer, y.producer]
    return (
      depth > 0 && !!from && !!to && from.outputs.indexOf(x) === to.outputs.indexOf(y) && isAlike(from, to, depth - 1)
    )
  })
}

/** Where what a run finds is no size but a number like others, the run computes it; gives how many nodes that takes. */
function readCounts(graph: Graph, node: Node): number {
  if (node.outputs.every(output => output.data || output.ints)) return 0
  const write = new Writer(graph, node.name, node)
  for (const index of readsCounts(node)) graph.setInput(node, index, sizesOf(write, node.inputs[index]!))
  if (write.made.length) inferNode(node, graph.folding)
  return write.made.length
}

/** What nothing gives nobody may read. */
function refuseMore(graph: Graph, node: Node): void {
  const { gives = 1 } = ops[node.op]
  const most = typeof gives === 'number' ? gives : gives(node)
  const more = node.outputs.find((output, i) => i >= most && (output.users.length > 0 || graph.isOutput(output)))
  if (more) throw refuse(node, `output "${more.name}" is not supported`)
}
