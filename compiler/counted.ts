import { evaluate, type Operation } from '../runtime/dims.js'
import { greatest, least } from './bounds.js'
import { add, type Dim, foundIn, freeNamesOf, isFound, mul, show, showShape } from './dim.js'
import { CompileError, refuse } from './errors.js'
import type { Graph, Node, Value } from './graph.js'
import { ops } from './ops/index.js'
import type { Writer } from './writer.js'

/**
 * Axes of which a run finds how much there is. The shape says so with a dimension of its own (`found` in dim.ts), with which sizes
 * are computed as with free ones; memory has room for the most there can be, and what stands behind the count is anything. So only
 * operators that keep the parts apart may take such a value (`Op.countedAxis`), or such for which what stands behind can be made
 * harmless (`Op.behind`). The count itself is a value of the run, and so is what is computed of it (`runSize`).
 */
export function countedAxis(value: Value): number | undefined {
  const at = value.shape.findIndex(isFound)
  return at < 0 ? undefined : at
}

/** Inputs that say sizes; others are read in a run. */
const sizing: Readonly<Record<string, readonly number[]>> = {
  Bounds: [1],
  ConstantOfShape: [0],
  Expand: [1],
  Pad: [1],
  Range: [1],
  Reshape: [1],
  Room: [1],
  Slice: [2],
  Tile: [1],
  TopK: [1]
}

/** The inputs that a run has to compute, because what it finds is in them. */
export const readsCounts = (node: Node): number[] =>
  node.inputs.flatMap((input, i) => (input?.ints?.some(isFound) && !sizing[node.op]?.includes(i) ? [i] : []))

/** Refuses what nobody knows the meaning of. */
export function checkCounted(node: Node): void {
  const twice = node.outputs.find(({ shape }) => shape.filter(isFound).length > 1)
  if (twice) throw refuse(node, `makes ${showShape(twice.shape)}: only the run knows two of its sizes; one is allowed`)
  const known = node.outputs.every(output => output.data || output.ints)
  node.inputs.forEach((input, index) => {
    const axis = input && countedAxis(input)
    if (axis === undefined || known) return
    const { countedAxis: kept, behind } = ops[node.op]
    const to = kept?.(node, index, axis)
    const isKept = to !== undefined && (isFound(node.output.shape[to]) || node.output.shape[to] === 0)
    if (isKept || behind?.(node, index, axis) !== undefined) return
    throw refuse(
      node,
      `cannot take "${input!.name}": only the run knows how many there are along its axis ${axis} (${show(input!.shape[axis])}, at most ${show(capacity(input!.shape[axis]))}); operators that keep these apart are allowed, element by element, Gather and GatherND by such indices, Slice from a fixed start, Split, Squeeze, Unsqueeze, Transpose and Reshape of other axes, and Concat, Gather, NonMaxSuppression, Pad, reductions and TopK along it`
    )
  })
}

/** The most that a dimension may be where a run has its say. */
export function capacity(dim: Dim): Dim {
  const found = foundIn(dim)
  if (typeof dim === 'number' || !found.length) return dim
  const most = exactMost(dim) ?? greatest(dim)
  if (Number.isFinite(most)) return Math.max(most, 0)
  return add(
    ...dim.terms.map(({ factor, atoms }) => {
      const sizes = atoms.map(atom => {
        const own: Dim = { terms: [{ factor: 1, atoms: [atom] }] }
        if (!isFound(own)) return own
        if (atom.op === 'free') return atom.most!
        const bound = greatest(own)
        return Number.isFinite(bound) ? bound : undefined
      })
      if (factor < 0 || sizes.includes(undefined))
        throw new CompileError(`nothing says how large ${show(dim)} may be; --shape with all sizes is allowed`)
      return mul(factor, ...(sizes as Dim[]))
    })
  )
}

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

/** Numbers that are tried one by one, so that a capacity is no larger than what there may be. */
const mostTried = 2 ** 16
const tried = new Map<string, number>()

function exactMost(dim: Dim): number | undefined {
  const [{ name, most }] = foundIn(dim)
  if (freeNamesOf(dim).size > 1 || typeof most !== 'number' || most > mostTried) return undefined
  const key = `${show(dim)} of ${most}`
  if (!tried.has(key)) {
    let largest = Number.NEGATIVE_INFINITY
    for (let count = 0; count <= most; count++) largest = Math.max(largest, evaluate(dim, { [name]: count }))
    tried.set(key, largest)
  }
  return tried.get(key)
}

/** From here on every size is the most there can be: what memory is planned for. */
export function settle(graph: Graph): void {
  for (const node of graph.nodes)
    if (readsCounts(node).length) throw refuse(node, 'reads a size that only the run knows; this is not supported')
  for (const value of graph.values) {
    value.shape = value.shape.map(capacity)
    value.ints = value.ints?.map(capacity)
  }
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

/** 0, 1, 2 and so on. */
export function counted(write: Writer, size: Dim): Value {
  if (typeof size !== 'number')
    throw new CompileError(`counts to ${show(size)}, which is free; a fixed size is allowed (--shape)`)
  const data = Float64Array.from({ length: size }, (_, i) => i)
  return write.graph.constant(write.graph.unique('places'), data, [size], 'int64')
}
