import { add, type Dim, mul, sub } from '../../algebra/index.js'
import type { Node, Value } from '../../graph/index.js'
import { amountsOf, axisOf, intsOf, permutation, slicing } from '../../ops/index.js'
import type { Rule, Tape } from '../tape.js'
import { identity, sizeOf, throughMatrix } from './along.js'
import { spread } from './spread.js'

const reshape: Rule = (node, [dy], tape) => [tape.reshape(dy!, node.inputs[0]!.shape)]

const same: Rule = (_, [dy]) => [dy]

const transpose: Rule = (node, [dy], tape) => {
  const perm = permutation(node)
  return [tape.add('Transpose', [dy], { perm: perm.map((_, axis) => perm.indexOf(axis)) })]
}

function part(tape: Tape, value: Value, axis: number, begin: Dim, size: Dim): Value {
  const end = add(begin, size)
  return tape.add('Slice', [value, tape.sizes([begin]), tape.sizes([end]), tape.sizes([axis])])
}

const concat: Rule = (node, [dy], tape) => {
  const axis = axisOf(node, node.number('axis', 1), node.output.rank)
  let begin: Dim = 0
  return node.inputs.map(input => {
    const size = input!.shape[axis]
    const from = begin
    begin = add(begin, size)
    return tape.needs(input) ? part(tape, dy!, axis, from, size) : undefined
  })
}

/** Parts that nothing depends on have a gradient of zeros. */
const split: Rule = (node, gradients, tape) => {
  const axis = axisOf(node, node.number('axis', 0), node.inputs[0]!.rank)
  const parts = gradients.map((gradient, i) => gradient ?? tape.add('Mul', [node.outputs[i], tape.scalar(0)]))
  return [tape.add('Concat', parts, { axis })]
}

function padded(tape: Tape, value: Value, begin: readonly Dim[], end: readonly Dim[]): Value {
  return tape.add('Pad', [value, tape.sizes([...begin, ...end])])
}

/** Backwards along some axes. */
function reversed(tape: Tape, value: Value, axes: readonly number[]): Value {
  if (!axes.length) return value
  const all = (size: number) => tape.sizes(axes.map(() => size))
  return tape.add('Slice', [value, all(-1), all(-(2 ** 31)), tape.sizes(axes), all(-1)])
}

/** A slice that goes backwards is one that goes forwards, turned around. */
const slice: Rule = (node, [dy], tape) => {
  const { begin: first, step: signed, shape } = slicing(node)
  const backward = signed.flatMap((s, axis) => (s < 0 ? [axis] : []))
  const begin = first.map((b, axis) => (signed[axis] < 0 ? add(b, mul(sub(shape[axis], 1), signed[axis])) : b))
  const step = signed.map(Math.abs)
  // Behind the last element that was taken there are fewer than a step.
  const apart = spread(tape, reversed(tape, dy!, backward), step)
  const all = step.map((_, axis) => axis)
  const ends = shape.map((size, axis) => add(mul(sub(size, 1), step[axis]), 1))
  const cut = step.every(s => s === 1)
    ? apart
    : tape.add('Slice', [apart, tape.sizes(all.map(() => 0)), tape.sizes(ends), tape.sizes(all)])
  const rest = node.inputs[0]!.shape.map((size, axis) => sub(size, add(begin[axis], ends[axis])))
  return [padded(tape, cut, begin, rest)]
}

/** What is put around an axis is a constant, which has no gradient, or a copy of elements of it, which add up. */
const pad: Rule = (node, [dy], tape) => {
  const x = node.inputs[0]!
  const { begin, end } = amountsOf(node)
  const mode = node.text('mode', 'constant')
  const axes = x.shape.flatMap((_, axis) => (begin[axis] === 0 && end[axis] === 0 ? [] : [axis]))
  const taken = [...begin, ...end].some(amount => typeof amount === 'number' && amount < 0)
  if (mode === 'constant' && !taken) {
    const ends = axes.map(axis => add(begin[axis], x.shape[axis]))
    return [tape.add('Slice', [dy, tape.sizes(axes.map(axis => begin[axis])), tape.sizes(ends), tape.sizes(axes)])]
  }
  const through = (gradient: Value, axis: number) => {
    const pads = tape.sizes([begin[axis], 0, end[axis], 0])
    const matrix = tape.add('Pad', [identity(tape, sizeOf(node, x, axis)), pads], { mode })
    return throughMatrix(tape, gradient, axis, matrix)
  }
  return [axes.reduce(through, dy!)]
}

/** The elements of an axis again, times over. */
const tile: Rule = (node, [dy], tape) => {
  const x = node.inputs[0]!
  const times = intsOf(node, 1, 'repeats')!
  const split = x.shape.flatMap((size, axis): Dim[] => [times[axis], size])
  const axes = x.shape.map((_, axis) => 2 * axis)
  return [tape.add('ReduceSum', [tape.reshape(dy!, split)], { axes, keepdims: 0 })]
}

const expand: Rule = (node, [dy], tape) => [tape.unbroadcast(dy!, node.inputs[0]!)]

/** The same elements are dropped again. */
const dropout: Rule = (node, [dy], tape) => [
  tape.add('RandomDropout', [dy, node.inputs[1]], { ratio: node.number('ratio', 0.5), salt: node.number('salt', 0) })
]

export const movementGradients: Readonly<Record<string, Rule>> = {
  Reshape: reshape,
  Flatten: reshape,
  Squeeze: reshape,
  Unsqueeze: reshape,
  Transpose: transpose,
  Concat: concat,
  Split: split,
  Slice: slice,
  Pad: pad,
  Expand: expand,
  Tile: tile,
  Identity: same,
  Copy: same,
  Dropout: same,
  Cast: (node: Node, [dy]) => (node.output.dtype.startsWith('float') ? [dy] : []),
  RandomDropout: dropout
}
