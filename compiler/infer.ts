import { countedOf } from './counted.js'
import { isStatic, show } from './dim.js'
import { CompileError, refuse } from './errors.js'
import { evaluateNode } from './evaluate.js'
import { type Branch, type Folding, Graph, isConstant, largestFolded, Node } from './graph.js'
import { takenBranch } from './ops/branch.js'
import { ops } from './ops/index.js'
import { propagateInts } from './symbolic.js'

/**
 * Shapes and element types of every value from the graph's inputs on, and the contents of what depends on constants
 * and dimensions alone. Where these decide an If, its branch takes its place.
 */
export function infer(graph: Graph): void {
  for (let at = 0; at < graph.nodes.length; ) {
    const node = graph.nodes[at]
    const branch = node.op === 'If' ? takenBranch(node, graph.folding) : undefined
    if (branch) inlineBranch(graph, node, branch)
    else {
      inferNode(node, graph.folding)
      refuseMore(graph, node)
      at++
    }
  }
}

/** What nothing gives nobody may read. */
function refuseMore(graph: Graph, node: Node): void {
  const { gives = 1 } = ops[node.op]
  const most = typeof gives === 'number' ? gives : gives(node)
  const more = node.outputs.find((output, i) => i >= most && (output.users.length > 0 || graph.isOutput(output)))
  if (more) throw refuse(node, `output "${more.name}" is not supported`)
}

/** Puts the nodes of a branch in the place of the one that holds it; its outputs stay, as other branches know them. */
function inlineBranch(graph: Graph, node: Node, branch: Branch): void {
  const results = branch.inline(node)
  if (results.length !== node.outputs.length)
    throw refuse(node, `has ${node.outputs.length} outputs, the branch that it takes ${results.length}`)
  node.outputs.forEach((output, i) => {
    graph.insert(new Node('Identity', graph.unique(node.name)), [results[i]], [output], node)
  })
  graph.remove(node)
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
  const counted = countedOf(node)
  if (counted) for (const output of node.outputs) output.counted = counted
  if (node.outputs.every(output => output.data)) {
    charge(node, folding)
    return
  }
  for (const { shape } of node.outputs)
    for (const size of shape) if (typeof size !== 'number') folding.sizes.add(show(size))
  propagateInts(node, folding)
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
  if (node.inputs.length === 0 || !lower || node.output.counted) return false
  if (takes?.(node) === false && !chains) return false
  if (!node.inputs.every(input => !input || isConstant(input))) return false
  return node.outputs.every(
    ({ shape }) => isStatic(shape) && shape.reduce((count, size) => count * size, 1) <= largestFolded
  )
}
