import { add, type Dim, isStatic, mul } from '../../../algebra/index.js'
import type { Node, Value } from '../../../graph/index.js'
import type { Writer } from '../../../infer/index.js'
import { diagonalOf, sequenceAxes, softmaxAxes } from '../../../ops/index.js'
import { along, filled, type Rewrite, whole, wholes } from '../rewrite.js'
import { bounded } from '../search/bounds.js'

/** 0 .. size-1 along an axis of `rank`; of a free size the running sums of ones. */
export function positions(write: Writer, size: Dim, axis: number, rank: number): Value {
  if (isStatic([size])) {
    const all = Array.from({ length: size as number }, (_, i) => i)
    return along(write, wholes(write, all, 'int64'), axis, rank)
  }
  const ones = filled(write, [size], 1, 'float32')
  const sums = write.add('CumSum', [ones, wholes(write, [0], 'int64')], { exclusive: 1 })
  return along(write, write.add('Cast', [sums], { to: 'int64', whole: 1 }), axis, rank)
}

/** Rows, moved to where the diagonal is in them, and columns of the last two axes. */
function places(write: Writer, node: Node): [rows: Value, columns: Value] {
  const { shape, rank } = node.output
  const rows = positions(write, shape[rank - 2], rank - 2, rank)
  const moved = write.add('Add', [rows, whole(write, diagonal(node), 'int64')])
  return [moved, positions(write, shape[rank - 1], rank - 1, rank)]
}

/** An input of Trilu, an attribute of EyeLike. */
const diagonal = (node: Node) => (node.op === 'EyeLike' ? node.number('k', 0) : diagonalOf(node))

/** Chosen, not multiplied: what is not kept may be NaN. */
export const trilu: Rewrite = (write, node) => {
  const comparison = node.number('upper', 1) ? 'LessOrEqual' : 'GreaterOrEqual'
  return write.add('Where', [write.add(comparison, places(write, node)), node.inputs[0], write.scalar(0)])
}

export const eyeLike: Rewrite = (write, node) =>
  write.add('Cast', [write.add('Equal', places(write, node))], { to: node.output.dtype })

/** 1 where the first of the largest is. */
export const hardmax: Rewrite = (write, node) => {
  const x = node.inputs[0]!
  const axes = softmaxAxes(node)
  const [axis] = axes
  const rest = axes.map(each => x.shape[each])
  const row = rest.length === 1 ? x : write.reshape(x, [...x.shape.slice(0, axis), mul(1, ...rest)])
  const best = write.add('ArgMax', [row], { axis, keepdims: 1 })
  const hit = write.add('Equal', [positions(write, row.shape[axis], axis, row.rank), best])
  const y = write.add('Cast', [hit], { to: x.dtype })
  return y.rank === x.rank ? y : write.reshape(y, x.shape)
}

/** A Gather of rows: of the first `length` each the one as far from the other end. */
export const reverseSequence: Rewrite = (write, node) => {
  const x = node.inputs[0]!
  const { time, batch } = sequenceAxes(node)
  const lengths = bounded(write, node, 1, [time], [add(x.shape[time], 1)])
  const perm = x.shape.map((_, axis) => (axis < 2 ? [batch, time][axis] : axis))
  const sequences = batch === 0 ? x : write.add('Transpose', [x], { perm })
  const [count, length, ...inner] = sequences.shape
  const step = positions(write, length, 1, 2)
  const own = write.reshape(lengths, [count, 1])
  const last = write.add('Sub', [own, whole(write, 1, lengths.dtype)])
  const turned = write.add('Where', [write.add('Less', [step, own]), write.add('Sub', [last, step]), step])
  const starts = write.add('Mul', [positions(write, count, 0, 2), write.size(length)])
  const rows = write.add('Add', [turned, starts])
  const table = write.reshape(sequences, [mul(count, length), ...inner])
  const y = write.add('Gather', [table, rows], { axis: 0, checked: 1 })
  return batch === 0 ? y : write.add('Transpose', [y], { perm })
}
