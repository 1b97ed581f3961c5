import { type Dim, isStatic, product, showShape } from '../algebra/index.js'
import { refuse } from '../errors.js'
import type { Node, Value } from '../graph/index.js'
import { mostElements } from './movement/gather.js'
import { scatteringOf } from './movement/scatter.js'
import { describe, type Op } from './op.js'
import { checkIndices } from './search/bounds.js'

/** Operators whose last axis of indices names a place by several coordinates; the decompose pass makes rows of those. */

/** The axes from `batch` on that the coordinates name, at most all; places have to be exact floats. */
export function namedAxes(node: Node, batch: number): readonly Dim[] {
  const [x, indices] = node.inputs as Value[]
  const count = indices.shape[indices.rank - 1] as number
  if (indices.rank <= batch || !(count >= 1 && count <= x.rank - batch))
    throw refuse(node, `indices ${describe(indices)} must name one to ${x.rank - batch} axes of ${describe(x)}`)
  const named = x.shape.slice(batch, batch + count)
  const places = product(x.shape.slice(0, batch + count))
  if (typeof places === 'number' && places > mostElements)
    throw refuse(node, `${describe(x)} has more than ${mostElements} places`)
  checkIndices(`${node.op} "${node.name}"`, indices, axesOf(batch, count), named)
  return named
}

const axesOf = (batch: number, count: number) => Array.from({ length: count }, (_, i) => batch + i)

export const batchOf = (node: Node) => node.number('batch_dims', 0)

const gatherND: Op = {
  required: 2,
  infer(node) {
    const [x, indices] = node.inputs as Value[]
    const batch = batchOf(node)
    const alike = (axis: number) => axis < indices.rank && node.expectEqual(x.shape[axis], indices.shape[axis])
    const fits = batch >= 0 && batch < x.rank && isStatic(x.shape.slice(0, batch))
    if (!fits || !x.shape.slice(0, batch).every((_, axis) => alike(axis)))
      throw refuse(node, `batch_dims ${batch} does not fit ${describe(x)} and ${describe(indices)}`)
    const named = namedAxes(node, batch)
    node.output.shape = [...indices.shape.slice(0, -1), ...x.shape.slice(batch + named.length)]
    node.output.dtype = x.dtype
  },
  countedAxis: (node, index, axis) => (index === 1 && axis < node.inputs[1]!.rank - 1 ? axis : undefined)
}

const scatterND: Op = {
  required: 3,
  infer(node) {
    const [x, indices, updates] = node.inputs as Value[]
    const wanted = [...indices.shape.slice(0, -1), ...x.shape.slice(namedAxes(node, 0).length)]
    if (updates.rank !== wanted.length || !wanted.every((size, axis) => node.expectEqual(size, updates.shape[axis])))
      throw refuse(node, `updates ${describe(updates)} must have the shape ${showShape(wanted)}`)
    scatteringOf(node)
    node.output.shape = x.shape
    node.output.dtype = x.dtype
  },
  countedAxis: (_, index, axis) => (index === 0 ? axis : undefined),
  // It becomes rows, which say what stands there.
  behind: (_, index, axis) => (index > 0 && axis === 0 ? 'anything' : undefined)
}

export const coordinates: Record<string, Op> = { GatherND: gatherND, ScatterND: scatterND }
