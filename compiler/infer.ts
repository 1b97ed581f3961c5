import { controls } from './control.js'
import { capacity, checkCounted, readsCounts, sizesOf } from './counted.js'
import { found, isFound, isStatic, sameShape, show } from './dim.js'
import { CompileError, refuse } from './errors.js'
import { evaluateNode } from './evaluate.js'
import { type Folding, Graph, isConstant, largestFolded, type Node } from './graph.js'
import { ops } from './ops/index.js'
import { propagateInts } from './symbolic.js'
import { Writer } from './writer.js'

/**
 * Shapes and element types of every value from the graph's inputs on, and the contents of what depends on constants
 * and dimensions alone. Where these decide an If or a loop, what they run takes their place.
 */
export function infer(graph: Graph): void {
  for (let at = 0; at < graph.nodes.length; ) {
    const node = graph.nodes[at]
    if (controls[node.op]?.(graph, node)) continue
    inferNode(node, graph.folding)
    refuseMore(graph, node)
    findAlike(graph, node, at)
    // Also where passes leave nothing of the node, or only its shape is read.
    if (node.outputs.some(output => output.users.length > 0 || graph.isOutput(output)))
      for (const [a, b] of node.constraints) graph.folding.assume(a, b, node)
    at += 1 + readCounts(graph, node)
  }
  graph.outputs = graph.outputs.map(output =>
    output.ints?.some(isFound) ? sizesOf(new Writer(graph, output.name), output) : output
  )
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

export function inferNode(node: Node, folding: Folding = new Graph('').folding): void {
  const op = ops[node.op]
  if (!op) throw refuse(node, 'is not an operator that Cairn knows')
  const { required = 1 } = op
  for (let i = 0; i < (required === 'all' ? Math.max(node.inputs.length, 1) : required); i++)
    if (!node.inputs[i]) throw refuse(node, `input ${i} is missing`)
  if (!node.outputs.length) throw refuse(node, 'has no output')
  try {
    node.constraints = []
    op.infer(node)
  } catch (error) {
    if (error instanceof CompileError) throw error
    throw refuse(node, `has malformed inputs or attributes (${(error as Error).message})`)
  }
  for (const { name, shape } of node.outputs)
    for (const size of shape)
      if (typeof size === 'number' && !(Number.isInteger(size) && size >= 0))
        throw refuse(
          node,
          `output "${name}" would have a dimension of ${size}; whole numbers of at least 0 are allowed`
        )
  for (const output of node.outputs) {
    const { counted, shape } = output
    if (counted)
      output.shape = shape.map((size, axis) => (axis === counted.axis ? found(counted.by.name, capacity(size)) : size))
  }
  if (node.outputs.every(output => output.data)) {
    charge(node, folding)
    return
  }
  for (const { shape } of node.outputs)
    for (const size of shape) if (typeof size !== 'number') folding.sizes.add(show(size))
  propagateInts(node, folding)
  checkCounted(node)
  for (const output of node.outputs) {
    if (!output.ints?.every(dim => typeof dim === 'number') || !isStatic(output.shape)) continue
    const numbers = output.ints as readonly number[]
    output.data = output.dtype === 'float32' ? Float32Array.from(numbers) : Float64Array.from(numbers)
  }
  if (node.outputs.every(output => output.data || output.ints)) return
  if (canFold(node)) {
    const data = evaluateNode(
      node,
      node.inputs.map(input => input?.data),
      folding
    )
    node.outputs.forEach((output, i) => (output.data = data?.[i]))
    charge(node, folding)
  }
}

/** Many small nodes can make much of little. */
function charge(node: Node, folding: Folding): void {
  for (const { data } of node.outputs) folding.bytes -= data?.byteLength ?? 0
  if (folding.bytes < 0)
    throw refuse(node, 'makes constants of more bytes, with those before it, than maxMemory allows')
}

function canFold(node: Node): boolean {
  const { lower, takes, chains } = ops[node.op]
  if (node.inputs.length === 0 || !lower) return false
  if (takes?.(node) === false && !chains) return false
  if (!node.inputs.every(input => !input || isConstant(input))) return false
  return node.outputs.every(
    ({ shape }) => isStatic(shape) && shape.reduce((count, size) => count * size, 1) <= largestFolded
  )
}
