import {
  add,
  ceilDiv,
  type Dim,
  div,
  isFound,
  isStatic,
  max,
  min,
  mul,
  product,
  same,
  show,
  showShape,
  sub
} from '../../algebra/index.js'
import { refuse } from '../../errors.js'
import type { Node, Value } from '../../graph/index.js'
import { alignedAxis, broadcastShape } from '../broadcast.js'
import { copyUnless, emitCopy, sameView } from '../elementwise/elementwise.js'
import { axisOf, intsOf, numbersOf, type Op, orderedStrides, orderOf, type View } from '../op.js'
import { loopDepth } from '../visit.js'
import { reshapeView, subView, transposeView } from './views.js'

/**
 * Operators that move elements without computing. Most never run: where an output can lie inside its input's memory
 * the placement (compiler/lower/place.ts) makes it a view, and only what cannot becomes a strided copy.
 */

export function permutation(node: Node): readonly number[] {
  const rank = node.inputs[0]!.rank
  return node.list('perm') ?? Array.from({ length: rank }, (_, axis) => rank - 1 - axis)
}

export interface Slicing {
  readonly begin: Dim[]
  readonly step: number[]
  readonly shape: Dim[]
}

/** Begin, step and size per axis of a Slice; ends and negative indices resolved as ONNX says. */
export function slicing(node: Node): Slicing {
  const input = node.inputs[0]!
  const starts = intsOf(node, 1, 'starts') ?? []
  const ends = intsOf(node, 2, 'ends') ?? []
  const axes = numbersOf(node, 3, 'axes') ?? starts.map((_, i) => i)
  const steps = numbersOf(node, 4, 'steps') ?? starts.map(() => 1)
  const begin: Dim[] = input.shape.map(() => 0)
  const step = input.shape.map(() => 1)
  const shape = [...input.shape]
  if (ends.length !== starts.length || axes.length !== starts.length || steps.length !== starts.length)
    throw refuse(
      node,
      `has ${starts.length} starts, ${ends.length} ends, ${axes.length} axes, ${steps.length} steps; as many of each are allowed`
    )
  axes.forEach((given, i) => {
    const axis = axisOf(node, given, input.rank)
    const size = input.shape[axis]
    if (steps[i] === 0) throw refuse(node, 'a step of 0 is not allowed')
    step[axis] = steps[i]
    const forward = steps[i] > 0
    const low = clampIndex(starts[i], size, 0, forward ? size : sub(size, 1))
    const high = clampIndex(ends[i], size, forward ? 0 : -1, forward ? size : sub(size, 1))
    begin[axis] = low
    shape[axis] = forward
      ? ceilDiv(nonNegative(sub(high, low)), steps[i])
      : ceilDiv(nonNegative(sub(low, high)), -steps[i])
  })
  return { begin, step, shape }
}

const nonNegative = (dim: Dim): Dim => max(dim, 0)

/** An index as ONNX clamps it to [low, high]; negative ones count from the end. */
function clampIndex(index: Dim, size: Dim, low: number, high: Dim): Dim {
  if (typeof index === 'number' && index > farAway) return high
  if (typeof index === 'number' && index < -farAway) return low
  const fromStart = typeof index === 'number' && index < 0 ? add(size, index) : index
  return same(fromStart, high) ? high : min(max(fromStart, low), high)
}

/** Exporters write "to the end" as the largest integer of some width. */
const farAway = 2 ** 30

/** Sizes of the parts of a Split along its axis. */
export function splitSizes(node: Node): { axis: number; sizes: Dim[] } {
  const input = node.inputs[0]!
  const axis = axisOf(node, node.number('axis', 0), input.rank)
  const given = intsOf(node, 1, 'split')
  if (given) return { axis, sizes: [...given] }
  const parts = node.number('num_outputs', node.outputs.length)
  const size = ceilDiv(input.shape[axis], parts)
  return {
    axis,
    sizes: node.outputs.map((_, i) => (i < parts - 1 ? size : sub(input.shape[axis], mul(size, parts - 1))))
  }
}

/** The part of a concatenation's output that input `index` fills. */
export function concatSlot(node: Node, output: View, index: number): View {
  const inputs = node.inputs as Value[]
  const axis = axisOf(node, node.number('axis', 1), output.shape.length)
  const begin: Dim[] = output.shape.map(() => 0)
  begin[axis] = add(...inputs.slice(0, index).map(input => input.shape[axis]))
  return subView(output, begin, inputs[index].shape)
}

const reshape: Op = {
  infer(node) {
    const input = node.inputs[0]!
    node.output.dtype = input.dtype
    node.output.shape = reshapedShape(node, input)
  },
  countedAxis: (node, index, axis) => (index === 0 ? keptAxis(node, axis) : undefined),
  layout: 'reshape',
  alias: (node, view) => [reshapeView(view, node.output.shape, orderOf(node.output))],
  lower(node, to) {
    const input = node.inputs[0]!
    const from = to.view(input)
    const y = to.view(node.output)
    if (sameView(from, y)) return
    // The layout pass chose orders in which the reshape is free, so a dense copy of the input is the output.
    emitCopy(to, node, from, {
      ...y,
      shape: input.shape,
      order: from.order,
      strides: orderedStrides(input.shape, from.order)
    })
  }
}

function reshapedShape(node: Node, input: Value): Dim[] {
  if (node.op === 'Flatten') {
    const axis = node.number('axis', 1)
    const at = axis < 0 ? axis + input.rank : axis
    if (at < 0 || at > input.rank) throw refuse(node, `axis ${axis} is outside [-${input.rank}, ${input.rank}]`)
    return [product(input.shape.slice(0, at)), product(input.shape.slice(at))]
  }
  if (node.op === 'Squeeze') {
    if (!node.inputs[1] && !node.list('axes') && !isStatic(input.shape))
      throw refuse(node, `needs axes to squeeze ${showShape(input.shape)}, whose sizes are not all known`)
    const axes = numbersOf(node, 1, 'axes')?.map(axis => axisOf(node, axis, input.rank))
    for (const axis of axes ?? [])
      if (!node.expectEqual(input.shape[axis], 1))
        throw refuse(node, `axis ${axis} has size ${show(input.shape[axis])}; only 1 can be squeezed`)
    return input.shape.filter((size, axis) => (axes ? !axes.includes(axis) : size !== 1))
  }
  if (node.op === 'Unsqueeze') {
    const given = numbersOf(node, 1, 'axes') ?? []
    const rank = input.rank + given.length
    const axes = given.map(axis => axisOf(node, axis, rank))
    if (new Set(axes).size !== axes.length) throw refuse(node, `names an axis of [${given}] twice`)
    const rest = [...input.shape]
    return Array.from({ length: rank }, (_, axis) => (axes.includes(axis) ? 1 : rest.shift()!))
  }
  const target = intsOf(node, 1, 'shape')
  if (!target) throw refuse(node, 'has no shape')
  const kept = target.findIndex((size, axis) => size === 0 && axis >= input.rank && !node.number('allowzero', 0))
  if (kept >= 0) throw refuse(node, `shape keeps axis ${kept} of an input with ${input.rank} axes`)
  const shape = target.map((size, axis) => (size === 0 && !node.number('allowzero', 0) ? input.shape[axis] : size))
  const total = product(input.shape)
  const hole = shape.indexOf(-1)
  if (hole >= 0) shape[hole] = div(total, product(shape.filter((_, axis) => axis !== hole)))
  const made = product(shape)
  if (!node.expectEqual(total, made)) throw refuse(node, `cannot make ${showShape(shape)} of ${showShape(input.shape)}`)
  return shape
}

/** Where the input's `axis` is in the output: for a Reshape as long as it was, with as many elements in front of it. */
function keptAxis(node: Node, axis: number): number | undefined {
  const from = node.inputs[0]!.shape
  const to = node.output.shape
  if (node.op === 'Unsqueeze') {
    const made = (numbersOf(node, 1, 'axes') ?? []).map(each => axisOf(node, each, to.length))
    return to.map((_, a) => a).filter(a => !made.includes(a))[axis]
  }
  if (node.op === 'Squeeze') {
    const gone = numbersOf(node, 1, 'axes')?.map(each => axisOf(node, each, from.length))
    const kept = from.map((_, a) => a).filter(a => (gone ? !gone.includes(a) : from[a] !== 1))
    return kept.includes(axis) ? kept.indexOf(axis) : undefined
  }
  const before = product(from.slice(0, axis))
  const at = to.findIndex((size, a) => same(size, from[axis]) && same(product(to.slice(0, a)), before))
  if (at >= 0) return at
  // With nothing in front of it, whatever is behind each part may join or leave it.
  const joined = to.findIndex(isFound)
  return before === 1 && joined >= 0 && product(to.slice(0, joined)) === 1 ? joined : undefined
}

const transpose: Op = {
  infer(node) {
    const input = node.inputs[0]!
    const perm = permutation(node)
    if (
      perm.length !== input.rank ||
      new Set(perm).size !== perm.length ||
      perm.some(axis => axis < 0 || axis >= input.rank)
    )
      throw refuse(node, `perm [${perm}] is not a permutation of ${input.rank} axes`)
    node.output.dtype = input.dtype
    node.output.shape = perm.map(axis => input.shape[axis])
  },
  countedAxis: (node, _, axis) => permutation(node).indexOf(axis),
  layout: 'transpose',
  alias: (node, view) => [transposeView(view, permutation(node))],
  lower(node, to) {
    copyUnless(node, to, transposeView(to.view(node.inputs[0]!), permutation(node)), node.output)
  }
}

const slice: Op = {
  infer(node) {
    node.output.dtype = node.inputs[0]!.dtype
    node.output.shape = slicing(node).shape
  },
  /** From a fixed start on, with as many as there are behind it. */
  countedAxis(node, index, axis) {
    const { step } = slicing(node)
    const axes = numbersOf(node, 3, 'axes')?.map(given => axisOf(node, given, step.length)) ?? [...step.keys()]
    const start = intsOf(node, 1, 'starts')?.[axes.indexOf(axis)] ?? 0
    return index === 0 && step[axis] > 0 && typeof start === 'number' && start >= 0 ? axis : undefined
  },
  alias(node, view) {
    const { begin, step, shape } = slicing(node)
    const innermost = view.order[view.order.length - 1]
    const forward = step.every(s => s > 0) && (view.order.length === 0 || step[innermost] === 1)
    return [forward ? subView(view, begin, shape, step) : undefined]
  },
  lower(node, to) {
    const { begin, step, shape } = slicing(node)
    copyUnless(node, to, subView(to.view(node.inputs[0]!), begin, shape, step), node.output)
  }
}

const split: Op = {
  gives: Number.POSITIVE_INFINITY,
  infer(node) {
    const { axis, sizes } = splitSizes(node)
    if (sizes.length !== node.outputs.length)
      throw refuse(node, `splits into ${sizes.length} parts but has ${node.outputs.length} outputs`)
    const whole = node.inputs[0]!.shape[axis]
    if (typeof whole === 'number' && !same(add(...sizes), whole))
      throw refuse(node, `parts of ${sizes.map(show).join(', ')} do not make up ${whole}`)
    node.outputs.forEach((output, i) => {
      output.dtype = node.inputs[0]!.dtype
      output.shape = node.inputs[0]!.shape.map((size, a) => (a === axis ? sizes[i] : size))
    })
  },
  countedAxis: (node, index, axis) => (index === 0 && axis !== splitSizes(node).axis ? axis : undefined),
  alias: splitViews,
  lower(node, to) {
    const parts = splitViews(node, to.view(node.inputs[0]!))
    node.outputs.forEach((output, i) => copyUnless(node, to, parts[i], output))
  }
}

function splitViews(node: Node, view: View): View[] {
  const { axis, sizes } = splitSizes(node)
  let at: Dim = 0
  return node.outputs.map((output, i) => {
    const begin: Dim[] = view.shape.map((_, a) => (a === axis ? at : 0))
    at = add(at, sizes[i])
    return subView(view, begin, output.shape)
  })
}

const concatAxis = (node: Node) => axisOf(node, node.number('axis', 1), node.output.rank)

const concat: Op = {
  required: 'all',
  infer(node) {
    const inputs = node.inputs as Value[]
    const axis = axisOf(node, node.number('axis', 1), inputs[0].rank)
    const fits = (input: Value) =>
      input.rank === inputs[0].rank &&
      input.shape.every((size, a) => a === axis || node.expectEqual(size, inputs[0].shape[a]))
    if (!inputs.every(fits))
      throw refuse(node, `cannot join ${inputs.map(i => showShape(i.shape)).join(', ')} along axis ${axis}`)
    node.output.dtype = inputs[0].dtype
    node.output.shape = inputs[0].shape.map((size, a) => (a === axis ? add(...inputs.map(i => i.shape[axis])) : size))
  },
  countedAxis: (node, _, axis) => (axis === concatAxis(node) ? undefined : axis),
  behind: (node, _, axis) => (axis === concatAxis(node) ? 'anything' : undefined),
  /** What is counted may stand last. */
  takes: node => node.inputs.slice(0, -1).every(input => !isFound(input!.shape[concatAxis(node)])),
  lower(node, to) {
    const y = to.view(node.output)
    node.inputs.forEach((input, i) => {
      const from = to.view(input!)
      const slot = concatSlot(node, y, i)
      if (!sameView(from, slot)) emitCopy(to, node, from, slot)
    })
  }
}

const expand: Op = {
  required: 2,
  infer(node) {
    const target = intsOf(node, 1, 'shape')!
    node.output.dtype = node.inputs[0]!.dtype
    node.output.shape = broadcastShape(node, node.inputs[0]!.shape, target)
  },
  countedAxis: alignedAxis,
  lower(node, to) {
    emitCopy(to, node, to.view(node.inputs[0]!), to.view(node.output))
  }
}

/** Every axis becomes (repeat, size), of which the input steps through the second only. */
const tile: Op = {
  required: 2,
  infer(node) {
    const repeats = intsOf(node, 1, 'repeats')!
    if (repeats.length !== node.inputs[0]!.rank)
      throw refuse(node, `has ${repeats.length} repeats for ${node.inputs[0]!.rank} axes`)
    node.output.dtype = node.inputs[0]!.dtype
    node.output.shape = node.inputs[0]!.shape.map((size, axis) => mul(size, repeats[axis]))
  },
  countedAxis: (node, index, axis) => (index === 0 && intsOf(node, 1, 'repeats')![axis] === 1 ? axis : undefined),
  takes(node) {
    const repeated = intsOf(node, 1, 'repeats')!.filter(times => times !== 1)
    const solid = node.inputs[0]!.shape.filter(size => size !== 1)
    return repeated.length < 2 || solid.length + repeated.length <= loopDepth
  },
  lower(node, to) {
    const repeats = intsOf(node, 1, 'repeats')!
    const x = to.view(node.inputs[0]!)
    const y = to.view(node.output)
    const shape = x.shape.flatMap((size, axis) => [repeats[axis], size])
    const spread = (view: View, repeated: (stride: Dim, size: Dim) => Dim): View => ({
      ...view,
      shape,
      order: y.order.flatMap(axis => [2 * axis, 2 * axis + 1]),
      strides: view.strides.flatMap((stride, axis) => [repeated(stride, x.shape[axis]), stride])
    })
    emitCopy(
      to,
      node,
      spread(x, () => 0),
      spread(y, (stride, size) => mul(stride, size))
    )
  }
}

/** Shape arithmetic: contents are known when compiling, so nothing is left to lower. */
const shapeOf: Op = {
  infer(node) {
    const { shape, rank } = node.inputs[0]!
    const at = (value: number) => Math.min(Math.max(value < 0 ? value + rank : value, 0), rank)
    const ints = shape.slice(at(node.number('start', 0)), at(node.number('end', rank)))
    node.output.dtype = 'int64'
    node.output.shape = [ints.length]
    node.output.ints = ints
  }
}

const sizeOf: Op = {
  infer(node) {
    node.output.dtype = 'int64'
    node.output.shape = []
    node.output.ints = [product(node.inputs[0]!.shape)]
  }
}

export const movement: Record<string, Op> = {
  Reshape: reshape,
  Flatten: reshape,
  Squeeze: reshape,
  Unsqueeze: reshape,
  Transpose: transpose,
  Slice: slice,
  Split: split,
  Concat: concat,
  Expand: expand,
  Tile: tile,
  Shape: shapeOf,
  Size: sizeOf
}
