import { isFound, isStatic, product } from '../../algebra/index.js'
import { refuse } from '../../errors.js'
import { isConstant, type Node, type Value } from '../../graph/index.js'
import { axisOf, describe, kernel, type Op } from '../op.js'
import { areChecked, checkIndices } from '../search/bounds.js'

/**
 * Rows of `inner` elements picked by index from each of `outer` tables of `size` rows. Negative indices count from the
 * end; what is still outside takes the nearest row, and of tables without rows nothing, for a run that fails (`bounds`).
 */
export const gatherKernel = kernel({
  name: 'gather',
  fields: { outer: 'u32', size: 'u32', inner: 'u32', count: 'u32' },
  buffers: { x: 'read', indices: 'read', y: 'write' },
  reference(p, { x, indices, y }) {
    for (let o = 0; o < p.outer && p.size; o++)
      for (let j = 0; j < p.count; j++) {
        const index = indices[j] < 0 ? indices[j] + p.size : indices[j]
        const row = o * p.size + Math.min(Math.max(index, 0), p.size - 1)
        for (let i = 0; i < p.inner; i++) y[(o * p.count + j) * p.inner + i] = x[row * p.inner + i]
      }
  }
})

export const axisFor = (node: Node) => axisOf(node, node.number('axis', 0), node.inputs[0]!.rank)

const gather: Op = {
  required: 2,
  infer(node) {
    const [x, indices] = node.inputs
    const axis = axisFor(node)
    checkIndices(`${node.op} "${node.name}"`, indices!, [axis], [x!.shape[axis]])
    node.output.shape = [...x!.shape.slice(0, axis), ...indices!.shape, ...x!.shape.slice(axis + 1)]
    node.output.dtype = x!.dtype
    const known = indices!.ints ?? (indices!.data && Array.from(indices!.data))
    const picked = known?.map(i => (typeof i === 'number' ? x!.ints?.at(i) : undefined))
    if (x!.rank === 1 && picked?.every(dim => dim !== undefined)) node.output.ints = picked
  },
  countedAxis(node, index, axis) {
    const along = axisFor(node)
    if (index === 1) return along + axis
    if (axis === along) return undefined
    return axis < along ? axis : axis + node.inputs[1]!.rank - 1
  },
  behind: (node, index, axis) =>
    index === 0 && axis === axisFor(node) && !isConstant(node.inputs[1]) ? 'anything' : undefined,
  layout: 'plain',
  writesDense: true,
  /** Indices count from the end of what there is. */
  takes: node =>
    !isFound(node.inputs[0]!.shape[axisFor(node)]) &&
    areChecked(node, node.inputs[1], [node.inputs[0]!.shape[axisFor(node)]]),
  lower(node, to) {
    const [x, indices] = node.inputs.map(input => to.dense(input!))
    const y = to.view(node.output)
    const axis = axisFor(node)
    to.call(
      gatherKernel,
      {
        outer: product(x.shape.slice(0, axis)),
        size: x.shape[axis],
        inner: product(x.shape.slice(axis + 1)),
        count: product(indices.shape)
      },
      { x, indices, y }
    )
  }
}

/** Beyond this many elements a place is no exact float. */
export const mostElements = 2 ** 24

/** What the decompose pass spells as a Gather. */
const gatherElements: Op = {
  required: 2,
  infer(node) {
    const [x, indices] = node.inputs as Value[]
    const axis = axisFor(node)
    checkIndices(`${node.op} "${node.name}"`, indices, [axis], [x.shape[axis]])
    if (indices.rank !== x.rank) throw refuse(node, `indices ${describe(indices)} must have the axes of ${describe(x)}`)
    if (!isStatic(x.shape) || !isStatic(indices.shape)) throw refuse(node, 'has a free size; fixed ones are allowed')
    for (const value of [x, indices])
      if ((value.shape as number[]).reduce((a, b) => a * b, 1) > mostElements)
        throw refuse(node, `${describe(value)} has more than ${mostElements} elements`)
    node.output.shape = indices.shape
    node.output.dtype = x.dtype
  }
}

export const gathering: Record<string, Op> = { Gather: gather, GatherElements: gatherElements }
