import { sameShape } from '../algebra/index.js'
import { type Elements, type Graph, isConstant, type Node, type Value } from '../graph/index.js'
import { channelsLastOrder, ops, orderOf, permutation, plainOrder } from '../ops/index.js'

/** What a node asks of the order of an input. */
export type Demand = (node: Node, index: number, order: readonly number[]) => void

/** Axes of size 1 lie anywhere. */
export function liesIn(value: Value, wanted: readonly number[]): boolean {
  const solid = (order: readonly number[]) => order.filter(axis => value.shape[axis] !== 1).join()
  return solid(orderOf(value)) === solid(wanted)
}

/** Demands orders of a node's inputs and gives its outputs theirs; Reshapes are the layout pass's own. */
export function layNode(node: Node, demand: Demand): void {
  const { layout: rule = 'follow' } = ops[node.op]
  if (rule === 'transpose') layTranspose(node)
  else if (rule === 'convWeights') layConvWeights(node, demand)
  else if (rule !== 'reshape') layOperator(node, rule, demand)
}

function layOperator(node: Node, rule: 'channelsLast' | 'plain' | 'follow', demand: Demand): void {
  const { output } = node
  const { activations = 1 } = ops[node.op]
  const orderFor = rule === 'channelsLast' ? channelsLastOrder : plainOrder
  if (rule === 'channelsLast' || rule === 'plain') {
    node.inputs.forEach((input, i) => {
      // A residual has the output's shape; other small inputs, and constants, are parameters.
      const residual = input && !isConstant(input) && sameShape(input.shape, output.shape)
      if (input && (i < activations || rule === 'plain' || residual)) demand(node, i, orderFor(input.rank))
    })
    for (const made of node.outputs) made.order = orderFor(made.rank)
    return
  }
  const leader = leaderOf(node)
  const order = leader ? orderOf(leader) : plainOrder(output.rank)
  for (const made of node.outputs) made.order = made.rank === order.length ? order : followDown(order, node, made)
  // Operands of the output's own size are read along with it; broadcast ones may lie as they like.
  node.inputs.forEach((input, i) => {
    if (input && input !== leader && !isConstant(input) && sameShape(input.shape, output.shape)) demand(node, i, order)
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

export function layTranspose(node: Node): void {
  const perm = permutation(node)
  node.output.order = orderOf(node.inputs[0]!).map(axis => perm.indexOf(axis))
}

/** A constant's elements in another order of its axes. */
export function laidConstant(graph: Graph, value: Value & { data: Elements }, order: readonly number[]): Value {
  const shape = value.shape as number[]
  const from = logicalIndices(shape, order)
  const data = value.data.map((_, i) => value.data[from[i]])
  const made = graph.constant(graph.unique(value.name), data, shape, value.dtype)
  made.order = order
  return made
}

/** For every position in memory, the position in logical order. */
export function logicalIndices(shape: readonly number[], order: readonly number[]): Uint32Array {
  const strides = new Array<number>(shape.length).fill(1)
  for (let axis = shape.length - 2; axis >= 0; axis--) strides[axis] = strides[axis + 1] * shape[axis + 1]
  let indices = new Uint32Array(1)
  for (const axis of order) {
    const size = shape[axis]
    const next = new Uint32Array(indices.length * size)
    indices.forEach((base, at) => {
      for (let i = 0; i < size; i++) next[at * size + i] = base + i * strides[axis]
    })
    indices = next
  }
  return indices
}
