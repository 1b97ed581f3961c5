import { sameShape } from '../dim.js'
import { type Graph, isConstant, Node, type Value } from '../graph.js'
import { inferNode } from '../infer.js'
import { ops } from '../ops/index.js'
import { permutation } from '../ops/movement.js'
import { channelsLastOrder, orderOf, plainOrder } from '../ops/op.js'
import { orderForReshape, reshapedOrder } from '../ops/views.js'
import { count, type Pass } from './pass.js'

/**
 * Gives every value its memory order. ONNX's logical axes stay; what changes is how they lie: convolutions and their
 * like demand channels innermost, matrix products plain rows, most others follow their input. A Transpose only renames
 * axes, so it is free; a Reshape is free where the axes that it merges lie together. Where a demand is not met a Copy
 * is put in between, once per value and order. Constant weights behind a Flatten are permuted instead.
 */
export const layout: Pass = {
  name: 'layout',
  run(graph) {
    const copies = new Map<Value, Map<string, Value>>()
    let inserted = 0
    const demand = (node: Node, index: number, order: readonly number[]) => {
      const value = node.inputs[index]!
      if (isConstant(value) || value.ints || liesLike(value, orderOf(value), order)) return
      const key = order.join()
      let made = copies.get(value)?.get(key)
      if (!made) {
        const copy = new Node('Copy', graph.unique(`${node.name}.layout`))
        graph.insert(copy, [value], 1, node)
        inferNode(copy)
        made = copy.output
        made.order = order
        copies.set(value, (copies.get(value) ?? new Map()).set(key, made))
        inserted++
      }
      graph.setInput(node, index, made)
    }

    let permuted = 0
    for (const node of [...graph.nodes]) {
      const rule = ops[node.op].layout ?? 'follow'
      if (rule === 'reshape') permuted += Number(layReshape(graph, node, demand))
      else if (rule === 'transpose') layTranspose(node)
      else if (rule === 'convWeights') layConvWeights(node, demand)
      else layOperator(node, rule, demand)
    }
    return (
      [count(inserted, 'copy', 'copies'), count(permuted, 'Gemm permuted', 'Gemms permuted')]
        .filter(Boolean)
        .join(', ') || undefined
    )
  }
}

type Demand = (node: Node, index: number, order: readonly number[]) => void

/** Axes of size 1 lie anywhere. */
function liesLike(value: Value, own: readonly number[], wanted: readonly number[]): boolean {
  const solid = (order: readonly number[]) => order.filter(axis => value.shape[axis] !== 1).join()
  return solid(own) === solid(wanted)
}

function layOperator(node: Node, rule: 'channelsLast' | 'plain' | 'follow', demand: Demand): void {
  const { output } = node
  const { activations = 1 } = ops[node.op]
  const orderFor = rule === 'channelsLast' ? channelsLastOrder : plainOrder
  if (rule === 'channelsLast' || rule === 'plain') {
    node.inputs.forEach((input, i) => {
      // A residual has the output's shape; other small inputs are parameters.
      if (input && (i < activations || rule === 'plain' || sameShape(input.shape, output.shape)))
        demand(node, i, orderFor(input.rank))
    })
    for (const made of node.outputs) made.order = orderFor(made.rank)
    return
  }
  const leader = leaderOf(node)
  const order = leader ? orderOf(leader) : plainOrder(output.rank)
  for (const made of node.outputs) made.order = made.rank === order.length ? order : followDown(order, node, made)
  // Operands of the output's own size are read along with it; broadcast ones may lie as they like.
  node.inputs.forEach((input, i) => {
    if (input && input !== leader && sameShape(input.shape, output.shape)) demand(node, i, order)
  })
}

/** Kernel positions outermost, then input channels, then filters: the order of a convolution's panels. */
function layConvWeights(node: Node, demand: Demand): void {
  for (const i of [0, 3]) demand(node, i, channelsLastOrder(node.inputs[i]!.rank))
  node.output.order = [...plainOrder(node.output.rank).slice(2), 1, 0]
}

/** The operand that an output's order follows: the first of its rank, the largest shape first. */
function leaderOf(node: Node): Value | undefined {
  const inputs = (node.inputs as Value[]).filter(input => input && !isConstant(input) && !input.ints)
  const full = inputs.filter(input => input.rank === node.output.rank)
  return full.find(input => sameShape(input.shape, node.output.shape)) ?? full[0] ?? inputs[0]
}

/** The order of an output of lower rank (a reduction without kept axes): what is left, in the input's order. */
function followDown(order: readonly number[], node: Node, output: Value): readonly number[] {
  const input = node.inputs[0]!
  const axes = node.list('axes') ?? []
  if (!axes.length || input.rank - axes.length !== output.rank) return plainOrder(output.rank)
  const gone = axes.map(axis => (axis < 0 ? axis + input.rank : axis))
  const kept = plainOrder(input.rank).filter(axis => !gone.includes(axis))
  return order.filter(axis => kept.includes(axis)).map(axis => kept.indexOf(axis))
}

function layTranspose(node: Node): void {
  const perm = permutation(node)
  node.output.order = orderOf(node.inputs[0]!).map(axis => perm.indexOf(axis))
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
  if (!users.every(user => user.op === 'Gemm' && user.inputs[0] === output && user.inputs[4] !== output)) return false
  const logical = logicalIndices(input.shape as number[], rest)
  for (const user of users) permuteRows(graph, user, logical)
  const perm = [0, ...rest]
  const transpose = new Node('Transpose', graph.unique(node.name), new Map([['perm', perm]]))
  graph.insert(transpose, [input], 1, node)
  inferNode(transpose)
  layTranspose(transpose)
  graph.setInput(node, 0, transpose.output)
  return true
}

/** For every position in memory, the position in logical order. */
function logicalIndices(shape: readonly number[], order: readonly number[]): Uint32Array {
  const strides = new Array<number>(shape.length).fill(1)
  for (let axis = shape.length - 2; axis >= 1; axis--) strides[axis] = strides[axis + 1] * shape[axis + 1]
  let indices = [0]
  for (const axis of order)
    indices = indices.flatMap(base => Array.from({ length: shape[axis] }, (_, i) => base + i * strides[axis]))
  return Uint32Array.from(indices)
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
