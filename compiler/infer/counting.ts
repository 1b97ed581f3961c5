import { type Dim, type Operation, show } from '../../runtime/file/index.js'
import { least } from '../algebra/index.js'
import { CompileError } from '../errors.js'
import type { Graph, Node, Value } from '../graph/index.js'
import { capacity, countedAxis, ops } from '../ops/index.js'
import type { Writer } from './writer.js'

/** Puts behind the counts of a node's inputs what it asks for. */
export function fillInputs(write: Writer, node: Node): void {
  node.inputs.forEach((input, index) => {
    const axis = input && countedAxis(input)
    if (axis === undefined) return
    const fill = ops[node.op].behind?.(node, index, axis)
    if (typeof fill === 'number') write.graph.setInput(node, index, filledBehind(write, input!, axis, fill))
  })
}

/** Computes how much a run finds of each output. */
export function countOutputs(graph: Graph, write: Writer): void {
  const counts = new Map<string, Value>()
  for (const output of graph.outputs) {
    const axis = countedAxis(output)
    const dim = axis === undefined ? undefined : output.shape[axis]
    if (dim !== undefined && !counts.has(show(dim))) counts.set(show(dim), runSize(write, dim))
  }
  graph.counts = counts
}

/** Operators that compute an atom of whole numbers, where their operands are not negative. */
const spelled: Partial<Record<Operation, string>> = {
  min: 'Min',
  max: 'Max',
  div: 'Div',
  less: 'Less',
  equal: 'Equal',
  where: 'Where'
}

/** A dimension as a value of the run. */
export function runSize(write: Writer, dim: Dim): Value {
  if (typeof dim === 'number') return whole(write, dim)
  const terms = dim.terms.map(({ factor, atoms }) => {
    const factors = atoms.map(atom => {
      if (atom.op === 'free') return atom.most === undefined ? write.sizes([dim]) : countNamed(write.graph, atom.name)
      const name = spelled[atom.op]
      const [first] = atom.of
      // Whole numbers are divided towards 0.
      if (!name || (name === 'Div' && !(least(first) >= 0)))
        throw new CompileError(`${show(dim)} depends on what only the run knows; this is not supported`)
      const operands = atom.of.map(operand => runSize(write, operand))
      if (name === 'Where') operands[0] = write.add('Cast', [operands[0]], { to: 'bool' })
      const size = write.add(name, operands)
      return size.dtype === 'bool' ? write.add('Cast', [size], { to: 'int64' }) : size
    })
    return [...(factor === 1 && factors.length ? [] : [whole(write, factor)]), ...factors].reduce((a, b) =>
      write.add('Mul', [a, b])
    )
  })
  return terms.reduce((a, b) => write.add('Add', [a, b]))
}

const whole = ({ graph }: Writer, value: number) =>
  graph.constant(graph.unique('whole'), Float64Array.of(value), [], 'int64')

function countNamed(graph: Graph, name: string): Value {
  for (const { outputs } of graph.nodes) for (const output of outputs) if (output.name === name) return output
  throw new Error(`nothing finds "${name}"`)
}

/** Sizes as a tensor of the run. */
export function sizesOf(write: Writer, { ints, shape, dtype }: Value): Value {
  const parts = ints!.map(dim => write.reshape(runSize(write, dim), [1]))
  const list = write.reshape(parts.length === 1 ? parts[0] : write.add('Concat', parts, { axis: 0 }), shape)
  return dtype === 'int64' ? list : write.add('Cast', [list], { to: dtype })
}

/** The same memory with other sizes of the counted axis: all the room, or as much of it as there is. */
export function room(write: Writer, value: Value, shape: readonly Dim[] = value.shape.map(capacity)): Value {
  return write.add('Room', [value, write.sizes(shape)])
}

/** All the room, with `fill` behind the count. */
export function filledBehind(write: Writer, value: Value, axis: number, fill: number): Value {
  const count = runSize(write, value.shape[axis])
  const all = room(write, value)
  const places = write.reshape(
    counted(write, all.shape[axis]),
    all.shape.map((size, a) => (a === axis ? size : 1))
  )
  const behind = write.graph.constant(write.graph.unique('behind'), Float64Array.of(fill), [], value.dtype)
  return write.add('Where', [write.add('Less', [places, count]), all, behind])
}

/** 0, 1, 2 and so on; a run counts where the size is free. */
export function counted(write: Writer, size: Dim): Value {
  if (typeof size !== 'number') return write.add('Range', [whole(write, 0), write.sizes([size]), whole(write, 1)])
  const data = Float64Array.from({ length: size }, (_, i) => i)
  return write.graph.constant(write.graph.unique('places'), data, [size], 'int64')
}
