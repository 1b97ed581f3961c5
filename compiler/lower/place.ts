import { add, type Dim, product, same } from '../algebra/index.js'
import type { Graph, Node, Value } from '../graph/index.js'
import { axisOf, concatSlot, ops, orderedStrides, orderOf, plainOrder, subView, type View } from '../ops/index.js'

/**
 * Where every value lives. Most values get a storage of their own; but a concatenation's inputs are written straight
 * into their part of its storage, slices, splits, transposes and reshapes are views of their input, and element-wise
 * results take the place of an operand that nobody reads later. What cannot is copied by the operator's lowering, into a
 * concatenation's part too.
 */
export interface Placement {
  readonly views: Map<Value, View>
  /** Sizes of the storages, in elements, and which of them hold bytes. */
  readonly storages: Dim[]
  readonly narrow: number[]
}

interface Slot {
  readonly concat: Node
  readonly index: number
}

export function place(graph: Graph): Placement {
  const position = new Map(graph.nodes.map((node, index) => [node, index]))
  const { slots, prefixes } = assignSlots(graph)
  const views = new Map<Value, View>()
  const storages: Dim[] = []
  const narrow: number[] = []
  const residents: Value[][] = []
  const shared = new Set<number>()

  const settle = (value: Value, view: View) => {
    views.set(value, view)
    if (view.space === 'storage') residents[view.index].push(value)
  }
  const newStorage = (value: Value): View => {
    const order = orderOf(value)
    const index = storages.push(product(value.shape)) - 1
    if (value.narrow) narrow.push(index)
    residents.push([])
    const strides = orderedStrides(value.shape, order)
    return { space: 'storage', index, offset: 0, shape: value.shape, strides, order, narrow: value.narrow }
  }
  const lastUse = (value: Value) =>
    graph.isOutput(value) ? Number.POSITIVE_INFINITY : Math.max(-1, ...value.users.map(user => position.get(user)!))

  /** The view of a concatenation's output, made as soon as the first of its inputs needs it. */
  const concatView = (concat: Node): View => {
    const known = views.get(concat.output)
    if (known) return known
    const prefix = prefixes.get(concat)
    const slot = slots.get(concat.output)
    let view: View
    if (prefix) view = subView(concatView(prefix.concat), prefixBegin(prefix, concat), concat.output.shape)
    else if (slot) view = concatSlot(slot.concat, concatView(slot.concat), slot.index)
    else view = newStorage(concat.output)
    if (!prefix && concat.inputs.some(input => slots.get(input!)?.concat === concat)) shared.add(view.index)
    settle(concat.output, view)
    return view
  }

  for (const input of graph.inputs) settle(input, newStorage(input))
  graph.states.forEach((state, index) => views.set(state, stateView(state, index)))
  for (const [at, node] of graph.nodes.entries()) {
    const source = node.inputs[0] && views.get(node.inputs[0])
    const aliases = source && ops[node.op].alias?.(node, source)
    node.outputs.forEach((output, i) => {
      if (views.has(output)) return
      const slot = slots.get(output)
      if (node.op === 'Concat') concatView(node)
      else if (slot) settle(output, concatSlot(slot.concat, concatView(slot.concat), slot.index))
      else settle(output, aliases?.[i] ?? inPlaceView(node, at) ?? newStorage(output))
    })
  }
  return { views, storages, narrow }

  function inPlaceView(node: Node, at: number): View | undefined {
    const { output } = node
    if (node.outputs.length > 1) return undefined
    for (const index of ops[node.op].inPlace ?? []) {
      const input = node.inputs[index]
      const view = input && views.get(input)
      if (view?.space !== 'storage' || shared.has(view.index)) continue
      if (graph.inputs.some(port => views.get(port)!.index === view.index)) continue
      const dense = orderedStrides(output.shape, orderOf(output))
      const fits =
        view.narrow === output.narrow &&
        view.shape.length === output.rank &&
        view.shape.every((size, axis) => same(size, output.shape[axis])) &&
        view.strides.every((stride, axis) => output.shape[axis] === 1 || same(stride, dense[axis]))
      const readTwice =
        node.inputs.filter(
          other => other && views.get(other)?.index === view.index && views.get(other)?.space === 'storage'
        ).length > 1
      if (fits && !readTwice && residents[view.index].every(value => lastUse(value) <= at))
        return { ...view, shape: output.shape, order: orderOf(output) }
    }
    return undefined
  }
}

/** States are the first of the program's derived buffers, which nothing moves. */
function stateView(state: Value, index: number): View {
  const order = plainOrder(state.rank)
  const strides = orderedStrides(state.shape, order)
  return { space: 'derived', index, offset: 0, shape: state.shape, strides, order }
}

/**
 * Which values are written straight into a concatenation. Later concatenations choose first, so that a dense block's
 * growing lists (DenseNet) all become prefixes of its last one.
 */
function assignSlots(graph: Graph) {
  const slots = new Map<Value, Slot>()
  const prefixes = new Map<Node, Slot>()
  for (const node of [...graph.nodes].reverse()) {
    if (node.op !== 'Concat') continue
    const inputs = node.inputs as Value[]
    const outer = inputs.map(input => slots.get(input))
    const first = outer[0]
    const joined =
      first &&
      !slots.has(node.output) &&
      axisOf(node, node.number('axis', 1), node.output.rank) ===
        axisOf(first.concat, first.concat.number('axis', 1), node.output.rank) &&
      outer.every((slot, i) => slot?.concat === first.concat && slot.index === first.index + i)
    if (joined) {
      prefixes.set(node, first)
      continue
    }
    inputs.forEach((input, index) => {
      if (canWriteInto(graph, node, input) && !slots.has(input)) slots.set(input, { concat: node, index })
    })
  }
  return { slots, prefixes }
}

/** Whether a value's elements are written, be it as copies: what is a view of others has them already. */
function isMade({ producer }: Value): boolean {
  if (!producer) return false
  const { alias } = ops[producer.op]
  if (!alias) return true
  const input = producer.inputs[0]!
  const order = orderOf(input)
  const strides = orderedStrides(input.shape, order)
  const dense: View = { space: 'storage', index: 0, offset: 0, shape: input.shape, strides, order }
  return alias(producer, dense).every(view => !view)
}

function canWriteInto(graph: Graph, concat: Node, input: Value): boolean {
  const { producer } = input
  if (!producer || graph.isOutput(input)) return false
  if (ops[producer.op].writesDense || !isMade(input)) return false
  if (concat.inputs.filter(other => other === input).length > 1) return false
  const [own, wanted] = [orderOf(input), orderOf(concat.output)]
  return own.every((axis, i) => axis === wanted[i])
}

function prefixBegin({ concat, index }: Slot, inner: Node): Dim[] {
  const axis = axisOf(concat, concat.number('axis', 1), concat.output.rank)
  const before = (concat.inputs as Value[]).slice(0, index).map(input => input.shape[axis])
  return inner.output.shape.map((_, a) => (a === axis ? add(...before) : 0))
}
