import type { Argument, Fault, Held, Packing, Stored } from '../../runtime/file/index.js'
import { broadcastOf, type Dim, denseStrides, equal, mul, same, show, where } from '../algebra/index.js'
import { refuse } from '../errors.js'
import type { Choice, Elements, Node, Value, WinogradTile } from '../graph/index.js'

/**
 * What one operator is. A file of this folder holds a family: the operators' shape rules, how they lower to kernel
 * calls, and those kernels' parameter blocks with a plain double-precision reference. The kernels themselves are in
 * asm/ under the same stem; a kernel's name is its export there.
 */
export interface Op {
  /** Inputs, from the first, that must be there, or all that are listed; 1 by default. */
  readonly required?: number | 'all'
  /** Outputs that it gives at most; 1 by default. */
  readonly gives?: number | ((node: Node) => number)
  /** Sets dtype and shape of the node's outputs (and `ints` where contents are known); refuses what cannot be. */
  infer(node: Node): void
  /**
   * How inputs and outputs must lie in memory. `channelsLast` and `plain` demand that order of every activation,
   * `follow` (the default) gives outputs the order of the first input of their rank; `transpose` and `reshape` rename,
   * split and join axes where they lie. `convWeights` reads channels innermost and writes filters innermost.
   */
  readonly layout?: 'channelsLast' | 'plain' | 'follow' | 'transpose' | 'reshape' | 'convWeights'
  /** Leading inputs that are activations, whatever their shapes; 1 by default. */
  readonly activations?: number
  /**
   * The axis of the outputs along which the parts of input `index` along `axis` stay apart; undefined where they do not,
   * or where another operand has parts of its own there. Absent where they never do.
   */
  countedAxis?(node: Node, index: number, axis: number): number | undefined
  /**
   * What has to stand behind the count of input `index` along `axis` so that the operator may go through all there is room for:
   * the decompose pass puts it there. Undefined where nothing helps.
   */
  behind?(node: Node, index: number, axis: number): number | 'anything' | undefined
  /** The outputs as views of the first input's memory, undefined where its strides cannot express one. */
  alias?(node: Node, input: View): (View | undefined)[]
  /** Whether the kernel writes its output in any order at no cost. */
  readonly writesAnyOrder?: boolean
  /** Whether the kernel writes dense outputs only, so that none may lie inside a concatenation. */
  readonly writesDense?: boolean
  /** Index of the inputs whose place the output may take when nobody reads them later. */
  readonly inPlace?: readonly number[]
  /** Emits the node's calls. Absent for what never runs: shape arithmetic, and operators that other passes remove. */
  lower?(node: Node, to: Lowering): void
  /**
   * Whether `lower` takes the node as it stands; the decompose pass spells the others. Where this is absent it spells whatever it
   * has a spelling for, and `lower` takes the rest.
   */
  takes?(node: Node): boolean
  /** Whether operands, however many, are taken two at a time. */
  readonly chains?: boolean
  /** Multiply-accumulates per run. */
  macs?(node: Node): Dim
  /** Kernels that could run the node and hold different amounts of memory for it. */
  variants?(node: Node, winograd: WinogradTile): Choice[]
}

/** What `takes` is of operators whose further outputs are spelled. */
export const hasOneOutput = (node: Node) => node.outputs.length === 1

export type Field = 'u32' | 'i32' | 'f32'
export type Access = Argument['access']

/** A kernel's calling convention: parameter block, then buffers. Object order is memory order. */
export interface Kernel<F extends string = string, A extends string = string> {
  readonly name: string
  readonly fields: Readonly<Record<F, Field>>
  readonly buffers: Readonly<Record<A, Access>>
  /** The same computation, obvious and in double precision. Each buffer starts at its view's offset. */
  reference(p: Readonly<Record<F, number>>, b: Readonly<Record<A, Float64Array>>): void
}

/** Keeps the field and buffer names in the type, so that a call with a missing one does not compile. */
export function kernel<F extends string, A extends string>(definition: Kernel<F, A>): Kernel<F, A> {
  return definition
}

/** What kernels take that end in an epilogue: input, weights, bias, slopes of a PRelu, residual, output. */
export const convBuffers = {
  x: 'read',
  w: 'read',
  bias: 'read',
  slope: 'read',
  r: 'read',
  y: 'write',
  scratch: 'scratch'
} as const

/** Where a value lies: element [i0, i1, ...] of its logical shape is `strides . i` elements behind `offset`. */
export interface View {
  readonly space: 'constant' | 'derived' | 'storage'
  readonly index: number
  readonly offset: Dim
  readonly shape: readonly Dim[]
  readonly strides: readonly Dim[]
  /** Logical axes from outermost to innermost in memory. */
  readonly order: readonly number[]
  /** Its elements are bytes. */
  readonly narrow?: boolean
}

/** What an operator may ask for while it lowers. */
export interface Lowering {
  /** The node's `Op.variants`, of which `choose` may have to take one that holds less memory. */
  variants(node: Node): readonly Choice[]
  /** How the file will store constants that allow it. */
  readonly weights: Stored
  /** The kernel that the node runs on: the cheapest, unless the caller of the compiler prefers another. */
  choose(choices: readonly Choice[]): string
  view(value: Value): View
  /** The view itself when it is dense in `order`, else a dense copy. */
  dense(value: Value, order?: readonly number[]): View
  /** Memory that lives for this node's calls only; a call that takes it as scratch gets it for itself. */
  scratch(shape: readonly Dim[], order?: readonly number[], narrow?: boolean): View
  /** A constant of the program; equal `key`s share one. Halves are kept for kernels that read halves. */
  constant(key: string, elements: () => Elements, packing?: Packing, kept?: Held): View
  /** A buffer that `setup`'s calls fill from constants when a model is loaded; equal `key`s share one. */
  derived(key: string, length: number, setup: (view: View) => void): View
  /** Two floats by which a call tells that an index is out of range, as `Fault` has it. */
  fault(of: Pick<Fault, 'of' | 'axis' | 'size'>): View
  call<F extends string, A extends string>(
    kernel: Kernel<F, A>,
    parameters: Readonly<Record<F, Dim>>,
    buffers: Readonly<Record<A, View>>
  ): void
}

export const plainOrder = (rank: number): number[] => Array.from({ length: rank }, (_, axis) => axis)

/** N, spatial axes, C. For fewer than three axes the same as plain. */
export const channelsLastOrder = (rank: number): number[] =>
  rank < 3 ? plainOrder(rank) : [0, ...plainOrder(rank).slice(2), 1]

/** The order of a value, plain until the layout pass says otherwise. */
export function orderOf(value: Value): readonly number[] {
  return value.order.length === value.rank ? value.order : plainOrder(value.rank)
}

/** Strides by logical axis of a dense tensor whose axes lie in `order`. */
export function orderedStrides(shape: readonly Dim[], order: readonly number[]): Dim[] {
  const physical = denseStrides(order.map(axis => shape[axis]))
  const strides: Dim[] = new Array(shape.length)
  order.forEach((axis, position) => (strides[axis] = physical[position]))
  return strides
}

/** Strides of `view` against an output of `shape` under ONNX's multidirectional broadcasting: 0 where it repeats. */
export function broadcastStrides(view: View, shape: readonly Dim[]): Dim[] {
  const skipped = shape.length - view.shape.length
  return shape.map((size, axis) => {
    if (axis < skipped) return 0
    const own = view.shape[axis - skipped]
    const stride = view.strides[axis - skipped]
    if (own === 1 && size !== 1) return 0
    // Only a binding tells whether it is the one of the sizes that is 1.
    return same(own, size) || broadcastOf(size).length === 1 ? stride : where(equal(own, 1), 0, stride)
  })
}

export interface Loops {
  /** Trip counts from outermost to innermost. */
  readonly sizes: Dim[]
  /** Per operand, its step in each loop. */
  readonly strides: Dim[][]
}

/**
 * The fewest nested loops that visit `shape` in `order`: axes of size 1 vanish, neighbours that every operand steps
 * through evenly merge. Padded in front with loops of one trip to `depth`; undefined when more are needed.
 */
export function loopsOver(
  shape: readonly Dim[],
  order: readonly number[],
  operands: readonly (readonly Dim[])[],
  depth: number
): Loops | undefined {
  const sizes: Dim[] = []
  const strides: Dim[][] = operands.map(() => [])
  for (const axis of order) {
    if (shape[axis] === 1) continue
    const last = sizes.length - 1
    const merges = last >= 0 && operands.every((steps, i) => same(strides[i][last], mul(steps[axis], shape[axis])))
    if (merges) {
      sizes[last] = mul(sizes[last], shape[axis])
      operands.forEach((steps, i) => (strides[i][last] = steps[axis]))
    } else {
      sizes.push(shape[axis])
      operands.forEach((steps, i) => strides[i].push(steps[axis]))
    }
  }
  if (sizes.length > depth) return undefined
  const missing = depth - sizes.length
  // A padding loop's stride is never used; an innermost one must still look dense.
  return {
    sizes: [...new Array<Dim>(missing).fill(1), ...sizes],
    strides: strides.map(steps => [...new Array<Dim>(missing).fill(sizes.length ? 0 : 1), ...steps])
  }
}

/** `{ d0: ..., d1: ... }` from a prefix and a list, typed by the caller's field names. */
export function numbered<P extends string>(prefix: P, values: readonly Dim[]) {
  return Object.fromEntries(values.map((value, i) => [`${prefix}${i}`, value])) as Record<`${P}${Digit}`, Dim>
}

export type Digit = 0 | 1 | 2 | 3 | 4 | 5

/** Field declarations `d0 .. d(count-1)`. */
export function fields<P extends string>(prefix: P, count: number, type: Field = 'u32') {
  return Object.fromEntries(Array.from({ length: count }, (_, i) => [`${prefix}${i}`, type])) as Record<
    `${P}${Digit}`,
    Field
  >
}

export function describe(value: Value): string {
  return `"${value.name}" ${value.dtype}[${value.shape.map(show).join('×')}]`
}

/** Sizes, axes, parts: what goes beyond is data that stands in the wrong place. */
const longestList = 4096

/** The integers that an operator takes as an attribute or, in later opsets, as an input; possibly symbolic. */
export function intsOf(node: Node, index: number, attribute: string): readonly Dim[] | undefined {
  const input = node.inputs[index]
  if (!input) return node.list(attribute)
  if (input.ints) return input.ints
  if (input.data && input.data.length > longestList)
    throw refuse(node, `${attribute} "${input.name}" has ${input.data.length} entries; ${longestList} are allowed`)
  if (input.data) return Array.from(input.data)
  throw refuse(node, `${attribute} "${input.name}" must be known when compiling`)
}

/** As `intsOf`, for what must be plain numbers (axes, pads, repeats). */
export function numbersOf(node: Node, index: number, attribute: string): readonly number[] | undefined {
  return intsOf(node, index, attribute)?.map(dim => {
    if (typeof dim === 'number') return dim
    throw refuse(node, `${attribute} must be numbers, not ${show(dim)}`)
  })
}

/** An axis in 0 .. rank-1 from one that may count from the end. */
export function axisOf(node: Node, axis: number, rank: number): number {
  const from0 = axis < 0 ? axis + rank : axis
  if (Number.isInteger(from0) && from0 >= 0 && from0 < rank) return from0
  throw refuse(node, `axis ${axis} is outside [-${rank}, ${rank - 1}]`)
}
