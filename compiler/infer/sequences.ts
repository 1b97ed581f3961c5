import type { Dim } from '../algebra/index.js'
import { refuse } from '../errors.js'
import { type Graph, Node, type Value } from '../graph/index.js'
import { axisOf, branchIn, knownNumber, numbersOf } from '../ops/index.js'

/**
 * Sequences of tensors, whose lengths are known when compiling: a value remembers its elements, and whoever takes one out reads
 * that. Each of these takes its node out of the graph, or says that something is not known.
 */
type Resolve = (graph: Graph, node: Node) => boolean

/** The elements of a sequence. Throws CompileError for what is none. */
function elementsOf(node: Node, index = 0): readonly Value[] {
  const value = node.inputs[index]
  if (!value) throw refuse(node, `input ${index} is missing`)
  if (!value.elements) throw refuse(node, `input "${value.name}" is no sequence whose length is known when compiling`)
  return value.elements
}

/** A position from 0 to `last`, from one that may count from the end; undefined where only a run knows it. */
function positionOf(node: Node, index: number, length: number, last: number): number | undefined {
  const position = knownNumber(node.inputs[index])
  if (position === undefined) return undefined
  const at = position < 0 ? position + length : position
  if (!(Number.isInteger(at) && at >= 0 && at <= last))
    throw refuse(node, `position ${position} is outside a sequence of ${length}`)
  return at
}

function resolved(graph: Graph, node: Node, elements: readonly Value[]): true {
  node.output.elements = elements
  graph.remove(node)
  return true
}

/** A tensor in the place of the node's output. */
function replaced(graph: Graph, node: Node, value: Value): true {
  graph.insert(new Node('Identity', graph.unique(node.name)), [value], [node.output], node)
  graph.remove(node)
  return true
}

const attributes = (list: Readonly<Record<string, number | readonly number[]>>) => new Map(Object.entries(list))

/** In front of the node. */
const made = (graph: Graph, node: Node, op: string, inputs: readonly Value[], axis: number, outputs = 1) =>
  graph.insert(new Node(op, graph.unique(node.name), attributes({ axis })), inputs, outputs, node).outputs

function turned(graph: Graph, node: Node, op: 'Squeeze' | 'Unsqueeze', value: Value, axis: number): Value {
  return graph.insert(new Node(op, graph.unique(node.name), attributes({ axes: [axis] })), [value], 1, node).output
}

const construct: Resolve = (graph, node) => {
  if (!node.inputs.length || !node.inputs.every(Boolean)) throw refuse(node, 'has no elements; at least one is needed')
  return resolved(graph, node, [...(node.inputs as Value[])])
}

const at: Resolve = (graph, node) => {
  const elements = elementsOf(node)
  const position = positionOf(node, 1, elements.length, elements.length - 1)
  return position !== undefined && replaced(graph, node, elements[position])
}

const insert: Resolve = (graph, node) => {
  const elements = [...elementsOf(node)]
  const position = node.inputs[2] ? positionOf(node, 2, elements.length, elements.length) : elements.length
  if (position === undefined) return false
  if (!node.inputs[1]) throw refuse(node, 'input 1 is missing')
  elements.splice(position, 0, node.inputs[1])
  return resolved(graph, node, elements)
}

const erase: Resolve = (graph, node) => {
  const elements = [...elementsOf(node)]
  const last = elements.length - 1
  const position = node.inputs[1] ? positionOf(node, 1, elements.length, last) : last
  if (position === undefined) return false
  elements.splice(position, 1)
  return resolved(graph, node, elements)
}

const length: Resolve = (graph, node) => {
  const count = Float64Array.of(elementsOf(node).length)
  return replaced(graph, node, graph.constant(graph.unique(node.name), count, [], 'int64'))
}

const concat: Resolve = (graph, node) => {
  const elements = elementsOf(node)
  if (!elements.length) throw refuse(node, 'joins an empty sequence; at least one element is allowed')
  const isNew = node.number('new_axis', 0) !== 0
  const axis = axisOf(node, node.number('axis', 0), elements[0].rank + Number(isNew))
  const parts = isNew ? elements.map(value => turned(graph, node, 'Unsqueeze', value, axis)) : elements
  return replaced(graph, node, made(graph, node, 'Concat', parts, axis)[0])
}

/** Sizes of the parts; those of a number are as large as it says, but for the last. Undefined where only a run knows them. */
function partsOf(node: Node, size: Dim): readonly number[] | undefined {
  const split = node.inputs[1]
  if (split && !split.data && !split.ints) return undefined
  const sizes = split && numbersOf(node, 1, 'split')!
  if (split && split.rank > 0) return sizes
  if (typeof size !== 'number') return undefined
  if (!sizes) return new Array<number>(size).fill(1)
  if (!(sizes[0] >= 1)) throw refuse(node, `splits into parts of ${sizes[0]}; at least 1 is allowed`)
  return Array.from({ length: Math.ceil(size / sizes[0]) }, (_, i) => Math.min(sizes[0], size - i * sizes[0]))
}

const split: Resolve = (graph, node) => {
  const x = node.inputs[0]
  if (!x) throw refuse(node, 'input 0 is missing')
  const axis = axisOf(node, node.number('axis', 0), x.rank)
  const parts = partsOf(node, x.shape[axis])
  if (!parts) return false
  graph.unrolling -= parts.length
  if (graph.unrolling < 0) throw refuse(node, `makes ${parts.length} parts, which are more nodes than are allowed`)
  const sizes = graph.constant(graph.unique(node.name), Float64Array.from(parts), [parts.length], 'int64')
  const values = parts.length ? made(graph, node, 'Split', [x, sizes], axis, parts.length) : []
  const squeezed = !node.inputs[1] && node.number('keepdims', 1) === 0
  return resolved(graph, node, squeezed ? values.map(value => turned(graph, node, 'Squeeze', value, axis)) : values)
}

const map: Resolve = (graph, node) => {
  const first = elementsOf(node)
  const results = first.map((value, i) => {
    const others = (node.inputs.slice(1) as Value[]).map((input, k) =>
      input.elements ? (elementsOf(node, k + 1)[i] ?? input) : input
    )
    const before = graph.nodes.length
    const given = branchIn(node, 'body').inline(node, [value, ...others])
    graph.unrolling -= 1 + graph.nodes.length - before
    if (graph.unrolling < 0) throw refuse(node, 'makes more nodes than are allowed when it is unrolled')
    return given
  })
  node.outputs.forEach((output, k) => (output.elements = results.map(given => given[k])))
  graph.remove(node)
  return true
}

/** Loops and branches bind what they give by these. */
const identity: Resolve = (graph, node) => {
  const elements = node.inputs[0]?.elements
  return elements !== undefined && resolved(graph, node, elements)
}

export const sequences: Readonly<Record<string, Resolve>> = {
  SequenceConstruct: construct,
  SequenceEmpty: (graph, node) => resolved(graph, node, []),
  SequenceAt: at,
  SequenceInsert: insert,
  SequenceErase: erase,
  SequenceLength: length,
  SequenceMap: map,
  ConcatFromSequence: concat,
  SplitToSequence: split,
  Identity: identity
}
