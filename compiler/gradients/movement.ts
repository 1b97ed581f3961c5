import { add, type Dim, mul, sub } from '../algebra/index.js'
import { refuse } from '../errors.js'
import type { Node, Value } from '../graph/index.js'
import { axisOf, intsOf, permutation, slicing } from '../ops/index.js'
import { spread } from './spread.js'
import type { Rule, Tape } from './tape.js'

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

const slice: Rule = (node, [dy], tape) => {
  const { begin, step, shape } = slicing(node)
  if (step.some(s => s < 1)) throw refuse(node, `has steps ${step}; only slices that go forward have a gradient`)
  // Behind the last element that was taken there are fewer than a step.
  const apart = spread(tape, dy!, step)
  const all = step.map((_, axis) => axis)
  const ends = shape.map((size, axis) => add(mul(sub(size, 1), step[axis]), 1))
  const cut = step.every(s => s === 1)
    ? apart
    : tape.add('Slice', [apart, tape.sizes(all.map(() => 0)), tape.sizes(ends), tape.sizes(all)])
  const rest = node.inputs[0]!.shape.map((size, axis) => sub(size, add(begin[axis], ends[axis])))
  return [padded(tape, cut, begin, rest)]
}

const pad: Rule = (node, [dy], tape) => {
  if (node.text('mode', 'constant') !== 'constant')
    throw refuse(node, `has mode ${node.text('mode', '')}; only constant padding has a gradient`)
  const given = intsOf(node, 1, 'pads')!
  const axes = intsOf(node, 3, 'axes') ?? node.inputs[0]!.shape.map((_, axis) => axis)
  const pads = node.inputs[0]!.shape.map((_, axis): [Dim, Dim] => {
    const at = axes.findIndex(each => axisOf(node, each as number, node.output.rank) === axis)
    return at < 0 ? [0, 0] : [given[at], given[at + axes.length]]
  })
  if (pads.flat().some(each => typeof each === 'number' && each < 0))
    throw refuse(node, 'has negative pads, which have no gradient')
  const all = node.inputs[0]!.shape.map((_, axis) => axis)
  const ends = node.inputs[0]!.shape.map((size, axis) => add(pads[axis][0], size))
  return [tape.add('Slice', [dy, tape.sizes(pads.map(([begin]) => begin)), tape.sizes(ends), tape.sizes(all)])]
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
  Identity: same,
  Copy: same,
  Dropout: same,
  Cast: (node: Node, [dy]) => (node.output.dtype.startsWith('float') ? [dy] : []),
  RandomDropout: dropout
}
