import { add, type Dim, div, max, same, sub } from '../../../algebra/index.js'
import { targetOf } from '../../../ops/index.js'
import { type Rewrite, wholes } from '../rewrite.js'

/** Of what is taken off or put on, the smaller half is in front. */
export const centerCropPad: Rewrite = (write, node) => {
  const x = node.inputs[0]!
  const target = targetOf(node)
  const changed = target.flatMap((size, axis) => (same(size, x.shape[axis]) ? [] : [axis]))
  const excess = (from: readonly Dim[], to: readonly Dim[]) => changed.map(axis => max(sub(from[axis], to[axis]), 0))
  const cut = excess(x.shape, target)
  const put = excess(target, x.shape)
  const list = (values: readonly Dim[]) => wholes(write, values, 'int64')
  const starts = cut.map(size => div(size, 2))
  const ends = changed.map((axis, i) => add(starts[i], sub(x.shape[axis], cut[i])))
  const axes = list(changed)
  const part = cut.every(size => size === 0) ? x : write.add('Slice', [x, list(starts), list(ends), axes])
  if (put.every(size => size === 0)) return part
  const fronts = put.map(size => div(size, 2))
  const backs = put.map((size, i) => sub(size, fronts[i]))
  return write.add('Pad', [part, list([...fronts, ...backs]), undefined, axes])
}
