import { add, type Dim, div, isStatic, least, max, min, mul, same, scale, sub } from './dim.js'
import { evaluateNode } from './evaluate.js'
import type { Folding, Node, Value } from './graph.js'

/**
 * Shape arithmetic on free dimensions: exporters compute sizes with Shape, Gather, Mul, Concat and the like. Where
 * every input's contents are known as dimensions, the outputs' are too.
 */

/** Longer tensors are data, not shapes. */
const longest = 64

/** The contents of a small tensor of whole numbers, known or constant. */
export function knownInts(value: Value | undefined): readonly Dim[] | undefined {
  if (value?.ints) return value.ints
  if (!value?.data || value.data.length > longest) return undefined
  return Array.from(value.data)
}

/** Operators that only move elements, and the inputs whose elements they move. */
const movers: Readonly<Record<string, (node: Node) => number[]>> = {
  Gather: () => [0],
  Slice: () => [0],
  Split: () => [0],
  Reshape: () => [0],
  Flatten: () => [0],
  Squeeze: () => [0],
  Unsqueeze: () => [0],
  Transpose: () => [0],
  Expand: () => [0],
  Tile: () => [0],
  Concat: node => node.inputs.map((_, i) => i)
}

const arithmetic: Readonly<Record<string, (...operands: Dim[]) => Dim | undefined>> = {
  Identity: a => a,
  Cast: a => a,
  CastLike: a => a,
  Floor: a => (typeof a === 'number' ? Math.floor(a) : a),
  Ceil: a => (typeof a === 'number' ? Math.ceil(a) : a),
  Round: a => a,
  Add: add,
  Sub: sub,
  Mul: (a, b) => scaled(a, b) ?? scaled(b, a) ?? mul(a, b),
  Div: (a, b) => (typeof b === 'number' && !Number.isInteger(b) ? scaled(a, 1 / b) : div(a, b)),
  Min: (...dims) => dims.reduce(min),
  Max: (...dims) => dims.reduce(max),
  Equal: (a, b) => decided(sub(a, b), difference => difference === 0),
  Greater: (a, b) => decided(sub(a, b), difference => difference > 0),
  Less: (a, b) => decided(sub(a, b), difference => difference < 0),
  GreaterOrEqual: (a, b) => decided(sub(a, b), difference => difference >= 0),
  LessOrEqual: (a, b) => decided(sub(a, b), difference => difference <= 0),
  Where: (c, a, b) => (typeof c === 'number' ? (c ? a : b) : undefined)
}

function scaled(a: Dim, factor: Dim): Dim | undefined {
  return typeof a !== 'number' && typeof factor === 'number' && !Number.isInteger(factor) ? scale(a, factor) : undefined
}

/** A comparison with 0 that says the same of every sign that the difference may have. */
function decided(difference: Dim, test: (difference: number) => boolean): Dim | undefined {
  const [low, high] = [lowest(difference), -lowest(sub(0, difference))]
  const possible = [-1, 0, 1].filter(sign => (sign < 0 ? low < 0 : sign > 0 ? high > 0 : low <= 0 && high >= 0))
  const [first, ...others] = possible.map(test)
  return others.every(other => other === first) ? Number(first) : undefined
}

/** A lower bound. What a window leaves of a size is not negative where the model can run. */
function lowest(dim: Dim): number {
  const known = least(dim)
  if (known !== undefined) return known
  if (typeof dim === 'number' || !dim.terms.every(({ factor }) => factor > 0)) return Number.NEGATIVE_INFINITY
  return dim.terms.find(({ atoms }) => !atoms.length)?.factor ?? 0
}

/** Sets `ints` of the node's outputs where they follow from the inputs'. */
export function propagateInts(node: Node, folding: Folding): void {
  if (!node.inputs.some(input => input?.ints && !input.data)) return
  const moved = movers[node.op]?.(node)
  if (moved) moveInts(node, moved, folding)
  else if (reductions[node.op]) reduceInts(node)
  else if (arithmetic[node.op]) computeInts(node, arithmetic[node.op])
}

/** Whether the result is whole for whole operands: everything but divisions and products with fractions of floats. */
function exact(node: Node): boolean {
  if (!node.output.dtype.startsWith('float')) return true
  const operands = node.inputs.map(knownInts)
  const whole = operands.every(ints => ints?.every(dim => typeof dim !== 'number' || Number.isInteger(dim)))
  if (node.op !== 'Div') return whole
  const [a, b] = operands as (readonly Dim[])[]
  return whole && a.length === b.length && a.every((dim, i) => same(mul(div(dim, b[i]), b[i]), dim))
}

/** A fraction of a size is carried as its floor, where nobody asks for anything else. */
function roundedDown(node: Node): boolean {
  const whole = (user: Node) => user.op === 'Floor' || (user.op === 'Cast' && user.text('to', '').includes('int'))
  const isScaling = node.op === 'Mul' || node.op === 'Div'
  return isScaling && node.output.users.length > 0 && node.output.users.every(whole)
}

function computeInts(node: Node, compute: (...operands: Dim[]) => Dim | undefined): void {
  if (!exact(node) && !roundedDown(node)) return
  const operands = node.inputs.map(knownInts)
  if (operands.some(ints => !ints)) return
  const length = Math.max(...operands.map(ints => ints!.length))
  if (operands.some(ints => ints!.length !== 1 && ints!.length !== length)) return
  const ints = Array.from({ length }, (_, i) => compute(...operands.map(list => list![list!.length === 1 ? 0 : i])))
  if (ints.every((dim): dim is Dim => dim !== undefined)) node.output.ints = ints
}

/** Moves tickets instead of the elements, then trades the tickets back. */
function moveInts(node: Node, moved: readonly number[], folding: Folding): void {
  const isShort = ({ shape }: Value) => isStatic(shape) && shape.reduce((a, b) => a * b, 1) <= longest
  if (!node.outputs.every(isShort)) return
  // Where the others say what moves, and only a run knows them, the elements move in that run.
  const isKnown = (dim: Dim) => typeof dim === 'number'
  if (node.inputs.some((input, i) => !moved.includes(i) && input?.ints && !input.ints.every(isKnown))) return
  const pool: Dim[] = []
  const tickets: (Float64Array | undefined)[] = node.inputs.map(() => undefined)
  for (const index of moved) {
    const ints = knownInts(node.inputs[index])
    if (!ints) return
    tickets[index] = Float64Array.from(ints, dim => pool.push(dim) - 1)
  }
  evaluateNode(node, tickets, folding)?.forEach((data, i) => {
    node.outputs[i].ints = Array.from(data, ticket => pool[ticket])
  })
}

const reductions: Readonly<Record<string, (dims: readonly Dim[]) => Dim>> = {
  ReduceProd: dims => mul(1, ...dims),
  ReduceSum: dims => add(0, ...dims),
  ReduceMin: dims => dims.reduce(min),
  ReduceMax: dims => dims.reduce(max)
}

function reduceInts(node: Node): void {
  const ints = knownInts(node.inputs[0])
  const scalar = node.output.shape.every(size => size === 1)
  if (ints?.length && scalar) node.output.ints = [reductions[node.op](ints)]
}
