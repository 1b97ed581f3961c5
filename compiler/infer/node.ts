import { show } from '../../runtime/file/index.js'
import { found, isStatic } from '../algebra/index.js'
import { CompileError, refuse } from '../errors.js'
import { type Folding, Graph, isConstant, largestFolded, type Node } from '../graph/index.js'
import { capacity, checkCounted, ops } from '../ops/index.js'
import { evaluateNode } from './evaluate.js'
import { propagateInts } from './symbolic.js'

/** Shapes and element types of a node's outputs, and their contents where constants and dimensions alone decide them. */
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
