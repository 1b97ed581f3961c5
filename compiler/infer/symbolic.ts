import {
  add,
  type Dim,
  div,
  equal,
  greatest,
  isStatic,
  isWhole,
  least,
  less,
  max,
  min,
  mul,
  negative,
  quotient,
  real,
  same,
  show,
  sub,
  TooLong,
  where
} from '../algebra/index.js'
import type { DType, Folding, Node, Value } from '../graph/index.js'
import { evaluateNode } from './evaluate.js'

/**
 * Shape arithmetic on free dimensions: exporters compute sizes with Shape, Gather, Mul, Concat and the like. Where
 * every input's contents are known as dimensions, the outputs' are too: integers and truth values as dim.ts computes with
 * them, floats as real.ts does. What neither can say exactly is not known.
 */

/** Longer tensors are data, not shapes. */
const longest = 64

/** The contents of a small tensor, known or constant. */
export function knownInts(value: Value | undefined): readonly Dim[] | undefined {
  if (value?.ints) return value.ints
  if (!value?.data || value.data.length > longest) return undefined
  return Array.from(value.data)
}

/** Operators that only move elements, and the inputs whose elements they move. */
const movers: Readonly<Record<string, (node: Node) => number[]>> = {
  Gather: () => [0],
  GatherElements: () => [0],
  GatherND: () => [0],
  Slice: () => [0],
  Split: () => [0],
  Reshape: () => [0],
  Flatten: () => [0],
  Squeeze: () => [0],
  Unsqueeze: () => [0],
  Transpose: () => [0],
  Expand: () => [0],
  Tile: () => [0],
  Identity: () => [0],
  Concat: node => node.inputs.map((_, i) => i)
}

/** What a rule has to know besides its operands. */
interface Context {
  readonly node: Node
  /** How the operands are carried, which are of one type but for conditions. */
  readonly from: Kind
  readonly to: Kind
  readonly folding: Folding
}

/** Integers and truth values, or floats of a precision. */
type Kind = 'whole' | real.Precision

function kindOf(dtype: DType): Kind | undefined {
  if (dtype === 'float32' || dtype === 'float64') return dtype
  return dtype === 'float16' ? undefined : 'whole'
}

/** Undefined where the result is not known, or not exactly. */
type Rule = (context: Context, ...operands: Dim[]) => Dim | undefined

/** One step of arithmetic: of integers, or of floats with the rounding behind it. */
const step =
  (whole: (a: Dim, b: Dim) => Dim | undefined, float: (a: Dim, b: Dim) => Dim): Rule =>
  (context, a, b) =>
    context.to === 'whole' ? whole(a, b) : rounded(context, float(a, b))

const rounded = ({ to, folding, node }: Context, value: Dim) =>
  real.rounded(value, to as real.Precision, (a, b) => folding.assume(a, b, node))

/** Of integers nothing, of floats what stays one. */
const towards =
  (compute: (a: Dim) => Dim): Rule =>
  ({ to }, a) =>
    to === 'whole' ? a : compute(a)

const both = (a: Dim, b: Dim) => (same(a, b) ? a : mul(a, b))
const either = (a: Dim, b: Dim) => (same(a, b) ? a : sub(add(a, b), mul(a, b)))
const isLess: Rule = (context, a, b) => decided(context, sub(a, b), d => d < 0) ?? of(context, less, real.isLess)(a, b)
const isEqual: Rule = (context, a, b) =>
  decided(context, sub(a, b), d => d === 0) ?? of(context, equal, real.isEqual)(a, b)
const isGreater: Rule = (context, a, b) => isLess(context, b, a)
const not = (condition: Dim | undefined) => (condition === undefined ? undefined : sub(1, condition))

const of = <T>({ from }: Context, whole: T, float: T): T => (from === 'whole' ? whole : float)

const arithmetic: Readonly<Record<string, Rule>> = {
  Cast: cast,
  CastLike: cast,
  Floor: towards(real.floor),
  Ceil: towards(real.ceil),
  Round: towards(real.round),
  Neg: (_, a) => negative(a),
  Abs: (context, a) => of(context, max, real.higher)(a, negative(a)),
  Sqrt: (context, a) => (context.to === 'whole' ? undefined : rounded(context, real.root(a))),
  Reciprocal: (context, a) => (context.to === 'whole' ? undefined : rounded(context, real.ratio(1, a))),
  Add: step(add, real.sum),
  Sub: step(sub, real.difference),
  Mul: step(mul, real.product),
  Div: step((a, b) => (b === 0 ? undefined : quotient(a, b)), real.ratio),
  Mod: modulo,
  Min: (context, ...dims) => dims.reduce(of(context, min, real.lower)),
  Max: (context, ...dims) => dims.reduce(of(context, max, real.higher)),
  Equal: isEqual,
  Less: isLess,
  Greater: isGreater,
  LessOrEqual: (context, a, b) => (context.from === 'whole' ? not(isLess(context, b, a)) : atMost(context, a, b)),
  GreaterOrEqual: (context, a, b) => (context.from === 'whole' ? not(isLess(context, a, b)) : atMost(context, b, a)),
  And: (_, a, b) => both(a, b),
  Or: (_, a, b) => either(a, b),
  Xor: (_, a, b) => (same(a, b) ? 0 : sub(add(a, b), mul(2, a, b))),
  Not: (_, a) => sub(1, a),
  Where: (_, c, a, b) => where(c, a, b)
}

/** Of floats, of which one that is no number is neither less than another nor equal. */
function atMost(context: Context, a: Dim, b: Dim): Dim | undefined {
  const [below, level] = [isLess(context, a, b), isEqual(context, a, b)]
  return below !== undefined && level !== undefined ? add(below, level) : undefined
}

/** The remainder, with the divisor's sign or (fmod) the dividend's. */
function modulo({ node, to }: Context, a: Dim, b: Dim): Dim | undefined {
  if (b === 0 || (to !== 'whole' && !(isWhole(a) && isWhole(b)))) return undefined
  const times = node.number('fmod', 0) ? quotient(a, b) : div(a, b)
  return sub(a, mul(times, b))
}

function cast(context: Context, a: Dim): Dim | undefined {
  const { node, from, to, folding } = context
  if (node.output.dtype === 'bool') {
    const isZero = node.inputs[0]!.dtype === 'bool' ? sub(1, a) : isEqual({ ...context, to: from }, a, 0)
    return not(isZero)
  }
  if (to === 'whole') return from === 'whole' ? a : real.truncated(a)
  if (from === 'float32' || from === to) return a
  return real.rounded(a, to, (x, y) => folding.assume(x, y, node))
}

/** A comparison with 0 that says the same of every sign that the difference may have. */
function decided({ folding }: Context, difference: Dim, test: (difference: number) => boolean): Dim | undefined {
  if (!isWhole(difference)) return undefined
  const [low, high] = [lowest(difference, folding), -lowest(negative(difference), folding)]
  const possible = [-1, 0, 1].filter(sign => (sign < 0 ? low < 0 : sign > 0 ? high > 0 : low <= 0 && high >= 0))
  const [first, ...others] = possible.map(test)
  return others.every(other => other === first) ? Number(first) : undefined
}

/** A lower bound, for which sizes of the model's tensors are not negative. */
function lowest(dim: Dim, { sizes }: Folding): number {
  const constant = typeof dim === 'number' ? dim : (dim.terms.find(({ atoms }) => !atoms.length)?.factor ?? 0)
  return sizes.has(show(sub(dim, constant))) ? Math.max(constant, least(dim)) : least(dim)
}

/** What integers of few bits can hold. */
const ranges: Partial<Record<DType, readonly [number, number]>> = {
  uint8: [0, 2 ** 8 - 1],
  int8: [-(2 ** 7), 2 ** 7 - 1],
  uint16: [0, 2 ** 16 - 1],
  int16: [-(2 ** 15), 2 ** 15 - 1],
  uint32: [0, Number.POSITIVE_INFINITY],
  uint64: [0, Number.POSITIVE_INFINITY]
}

function fits(dim: Dim, dtype: DType): boolean {
  const range = ranges[dtype]
  return !range || (least(dim) >= range[0] && greatest(dim) <= range[1])
}

/** Sets `ints` of the node's outputs where they follow from the inputs', and can be written down. */
export function propagateInts(node: Node, folding: Folding): void {
  try {
    propagate(node, folding)
  } catch (error) {
    if (!(error instanceof TooLong)) throw error
  }
}

function propagate(node: Node, folding: Folding): void {
  if (!node.inputs.some(input => input?.ints && !input.data)) return
  const moved = Object.hasOwn(movers, node.op) ? movers[node.op](node) : undefined
  if (moved) moveInts(node, moved, folding)
  else if (Object.hasOwn(reductions, node.op)) reduceInts(node)
  else if (Object.hasOwn(arithmetic, node.op)) computeInts(node, arithmetic[node.op], folding)
}

function computeInts(node: Node, rule: Rule, folding: Folding): void {
  const { output } = node
  const operands = node.inputs.map(knownInts)
  const [from, to] = [kindOf(node.inputs[node.op === 'Where' ? 1 : 0]!.dtype), kindOf(output.dtype)]
  if (!from || !to || !isStatic(output.shape) || operands.some(ints => !ints)) return
  const places = node.inputs.map(input =>
    placesOf(input!.shape as readonly number[], output.shape as readonly number[])
  )
  const length = output.shape.reduce((a, b) => a * b, 1)
  if (length > longest || (to === 'whole' && from === 'whole' && !operands.flat().every(dim => isWhole(dim!)))) return
  const context = { node, from, to, folding }
  const ints = Array.from({ length }, (_, at) => rule(context, ...operands.map((list, i) => list![places[i](at)])))
  if (ints.every((dim): dim is Dim => dim !== undefined && fits(dim, output.dtype))) output.ints = ints
}

/** For a place in a tensor of `into` the one in a tensor of `shape` that broadcasts to it. */
function placesOf(shape: readonly number[], into: readonly number[]): (at: number) => number {
  return at => {
    let [place, stride, rest] = [0, 1, at]
    for (let axis = into.length - 1; axis >= 0; axis--) {
      const own = shape[axis - into.length + shape.length] ?? 1
      place += (own === 1 ? 0 : rest % into[axis]) * stride
      stride *= own
      rest = Math.floor(rest / into[axis])
    }
    return place
  }
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

const reductions: Readonly<Record<string, (a: Dim, b: Dim) => Dim>> = {
  ReduceProd: (a, b) => mul(a, b),
  ReduceSum: (a, b) => add(a, b),
  ReduceMin: min,
  ReduceMax: max
}

/** Of all elements of a list of integers. */
function reduceInts(node: Node): void {
  const [x] = node.inputs
  const ints = knownInts(x)
  const all = x!.rank === 1 && node.output.shape.every(size => size === 1)
  if (!ints?.length || !all || node.inputs[1]?.shape[0] === 0 || kindOf(x!.dtype) !== 'whole') return
  const dim = ints.reduce(reductions[node.op])
  if (fits(dim, node.output.dtype)) node.output.ints = [dim]
}
