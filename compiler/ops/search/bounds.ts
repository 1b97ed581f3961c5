import { outOfRange } from '../../../runtime/file/index.js'
import { add, type Dim, product } from '../../algebra/index.js'
import { CompileError } from '../../errors.js'
import { isConstant, type Node, type Value } from '../../graph/index.js'
import { copyUnless } from '../elementwise/elementwise.js'
import { intsOf, kernel, type Op, plainOrder } from '../op.js'

/**
 * Whether indices lie in an axis of `size`, from its beginning or its end: the first that does not is kept in `fault`, behind
 * a 1. They lie `step` apart, in `outer` blocks of `most` rows of `inner`; where `limited`, only the first `count` rows of each count.
 */
export const boundsKernel = kernel({
  name: 'bounds',
  fields: { outer: 'u32', most: 'u32', inner: 'u32', step: 'u32', size: 'u32', limited: 'u32' },
  buffers: { indices: 'read', count: 'read', fault: 'write' },
  reference(p, { indices, count, fault }) {
    fault.fill(0, 0, 2)
    const rows = p.limited ? Math.min(count[0], p.most) : p.most
    for (let block = 0; block < p.outer; block++)
      for (let i = 0; i < rows * p.inner; i++) {
        const index = indices[(block * p.most * p.inner + i) * p.step]
        if (index >= -p.size && index < p.size) continue
        fault.set([1, index])
        return
      }
  }
})

/** Throws for a constant index out of the axis, of the operator `where`. */
export function checkIndices(where: string, indices: Value, axes: readonly number[], sizes: readonly Dim[]): void {
  indices.data?.forEach((index, i) => {
    const axis = i % axes.length
    const size = sizes[axis]
    if (typeof size === 'number' && !(index >= -size && index < size))
      throw new CompileError(outOfRange(where, index, axes[axis], size))
  })
}

/** Whether all indices can be looked at when compiling. */
export const areChecked = (node: Node, indices: Value | undefined, sizes: readonly Dim[]): boolean =>
  node.number('checked', 0) !== 0 || (isConstant(indices) && sizes.every(size => typeof size === 'number'))

/**
 * The indices as they are; a run fails where one is outside of its axis. Of several sizes each element of the last axis has
 * its own. Attributes say whose indices they are and of which axes. A third input says how many count along an axis.
 */
const bounds: Op = {
  required: 2,
  infer(node) {
    const [indices] = node.inputs as Value[]
    checkIndices(node.text('of', ''), indices, node.list('axes')!, intsOf(node, 1, 'sizes')!)
    node.output.shape = indices.shape
    node.output.dtype = indices.dtype
  },
  countedAxis: (_, index, axis) => (index === 0 ? axis : undefined),
  layout: 'plain',
  alias: (_, view) => [view],
  takes: node => !areChecked(node, node.inputs[0], intsOf(node, 1, 'sizes')!),
  lower(node, to) {
    const [value] = node.inputs as Value[]
    const sizes = intsOf(node, 1, 'sizes')!
    const indices = to.dense(value, plainOrder(value.rank))
    const [axis, by] = [node.number('along', 0), node.inputs[2]]
    // A row of coordinates is one step.
    const shape = node.number('coordinates', 0) ? value.shape.slice(0, -1) : value.shape
    sizes.forEach((size, i) => {
      const where = { of: node.text('of', ''), axis: node.list('axes')![i], size }
      const own = { ...indices, offset: add(indices.offset, i) }
      to.call(
        boundsKernel,
        {
          outer: product(shape.slice(0, axis)),
          most: shape[axis] ?? 1,
          inner: product(shape.slice(axis + 1)),
          step: sizes.length,
          size,
          limited: by ? 1 : 0
        },
        { indices: own, count: by ? to.view(by) : own, fault: to.fault(where) }
      )
    })
    copyUnless(node, to, to.view(value), node.output)
  }
}

export const boundaries: Record<string, Op> = { Bounds: bounds }
