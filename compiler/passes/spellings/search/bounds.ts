import type { Dim } from '../../../algebra/index.js'
import type { Node, Value } from '../../../graph/index.js'
import { runSize, type Writer } from '../../../infer/index.js'
import { areChecked, countedAxis } from '../../../ops/index.js'
import type { Rewrite } from '../rewrite.js'

/** Input `index` of a node, whose elements are positions along `axes` of the given sizes; checked in a run unless that is done. */
export function bounded(
  write: Writer,
  node: Node,
  index: number,
  axes: readonly number[],
  sizes: readonly Dim[],
  coordinates = 0
): Value {
  const indices = node.inputs[index]!
  if (areChecked(node, indices, sizes)) return indices
  const of = `${node.op} "${node.name}"`
  const along = countedAxis(indices)
  const count = along === undefined ? undefined : runSize(write, indices.shape[along])
  return write.add('Bounds', [indices, write.sizes(sizes), count], { of, axes, coordinates, along: along ?? 0 })
}

/** The same operator with indices that are checked. */
export const withBounds =
  (axisOf: (node: Node) => number): Rewrite =>
  (write, node) => {
    const axis = axisOf(node)
    const inputs = [...node.inputs]
    inputs[1] = bounded(write, node, 1, [axis], [node.inputs[0]!.shape[axis]])
    return write.add(node.op, inputs, { ...Object.fromEntries(node.attributes), checked: 1 })
  }

/** What constants turned out to be was looked at when that was inferred. */
export const bounds: Rewrite = (_, node) => node.inputs[0]
