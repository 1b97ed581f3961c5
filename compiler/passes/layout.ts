import { sameShape } from '../algebra/index.js'
import { type Graph, isConstant, Node, type Value } from '../graph/index.js'
import { inferNode } from '../infer/index.js'
import { type Demand, laidConstant, layNode, layTranspose, liesIn, logicalIndices } from '../lower/index.js'
import { ops, orderForReshape, orderOf, plainOrder, reshapedOrder } from '../ops/index.js'
import { count, type Pass } from './pass.js'

/**
 * Gives every value its memory order. ONNX's logical axes stay; what changes is how they lie: convolutions and their
 * like demand channels innermost, matrix products plain rows, most others follow their input. A Transpose only renames
 * axes, so it is free; a Reshape is free where the axes that it merges lie together. Where a demand is not met a Copy
 * is put in between, once per value and order. Constants are permuted instead, as are constant weights behind a Flatten.
 */
export const layout: Pass = {
  name: 'layout',
  run(graph) {
    const copies = new Map<Value, Map<string, Value>>()
    let inserted = 0
    const demand = (node: Node, index: number, order: readonly number[]) => {
      const value = node.inputs[index]!
      if (liesIn(value, order)) return
      if (value.producer && ops[value.producer.op].writesAnyOrder && graph.onlyUser(value) === node) {
        value.order = order
        return
      }
      const key = order.join()
      let made = copies.get(value)?.get(key)
      if (!made) {
        made = isConstant(value) ? laidConstant(graph, value, order) : copied(graph, node, value, order)
        copies.set(value, (copies.get(value) ?? new Map()).set(key, made))
        if (made.producer) inserted++
      }
      graph.setInput(node, index, made)
    }

    let permuted = 0
    for (const node of [...graph.nodes]) {
      if (ops[node.op].layout === 'reshape') permuted += Number(layReshape(graph, node, demand))
      else layNode(node, demand)
    }
    return (
      [count(inserted, 'copy', 'copies'), count(permuted, 'Gemm permuted', 'Gemms permuted')]
        .filter(Boolean)
        .join(', ') || undefined
    )
  }
}

function copied(graph: Graph, reader: Node, value: Value, order: readonly number[]): Value {
  const copy = new Node('Copy', graph.unique(`${reader.name}.layout`))
  graph.insert(copy, [value], 1, reader)
  inferNode(copy)
  copy.output.narrow = value.narrow
  copy.output.order = order
  return copy.output
}

function layReshape(graph: Graph, node: Node, demand: Demand): boolean {
  const input = node.inputs[0]!
  const { output } = node
  const free = reshapedOrder(input.shape, output.shape, orderOf(input))
  if (free) {
    output.order = free
    return false
  }
  if (permuteGemms(graph, node)) {
    output.order = plainOrder(output.rank)
    return true
  }
  const wanted = orderForReshape(input.shape, output.shape, orderOf(input))
  demand(node, 0, wanted)
  output.order = reshapedOrder(input.shape, output.shape, orderOf(node.inputs[0]!)) ?? plainOrder(output.rank)
  return false
}

/**
 * Flatten [N, C, spatial] in front of Gemms with constant weights: the activation is taken as it lies and the rows of
 * the weights are permuted to match. The reshape becomes one of the axes as they lie.
 */
function permuteGemms(graph: Graph, node: Node): boolean {
  const input = node.inputs[0]!
  const { output } = node
  const [batch, ...rest] = orderOf(input)
  const sizes = input.shape.slice(1)
  if (output.rank !== 2 || batch !== 0 || graph.isOutput(output) || sizes.some(size => typeof size !== 'number'))
    return false
  if (!sameShape([output.shape[0]], [input.shape[0]])) return false
  const users = [...new Set(output.users)]
  if (
    !users.every(
      user => (user.op === 'Gemm' || user.op === 'Gemm8') && user.inputs[0] === output && user.inputs[4] !== output
    )
  )
    return false
  const logical = logicalIndices(input.shape as number[], rest)
  for (const user of users) permuteRows(graph, user, logical)
  const perm = [0, ...rest]
  const transpose = new Node('Transpose', graph.unique(node.name), new Map([['perm', perm]]))
  graph.insert(transpose, [input], 1, node)
  inferNode(transpose)
  transpose.output.narrow = input.narrow
  layTranspose(transpose)
  graph.setInput(node, 0, transpose.output)
  return true
}

function permuteRows(graph: Graph, gemm: Node, logical: Uint32Array): void {
  const weights = gemm.inputs[1]!
  const old = weights.data!
  const inner = logical.length
  const columns = old.length / inner
  const data = new Float32Array(old.length)
  if (gemm.number('transB', 0))
    for (let c = 0; c < columns; c++) for (let k = 0; k < inner; k++) data[c * inner + k] = old[c * inner + logical[k]]
  else
    for (let k = 0; k < inner; k++)
      data.set(old.subarray(logical[k] * columns, (logical[k] + 1) * columns), k * columns)
  graph.setInput(gemm, 1, graph.constant(graph.unique(weights.name), data, weights.shape as number[]))
}
