import { add, type Dim, mul, same } from '../../algebra/index.js'
import { orderedStrides, plainOrder, type View } from '../op.js'

/** Arithmetic on views: parts, transposes and reshapes of memory that nobody moves. */

/** The part of `view` that starts at `begin` and steps by `step` along every axis. */
export function subView(view: View, begin: readonly Dim[], shape: readonly Dim[], step?: readonly number[]): View {
  return {
    ...view,
    shape,
    offset: add(view.offset, ...begin.map((start, axis) => mul(start, view.strides[axis]))),
    strides: step ? view.strides.map((stride, axis) => mul(stride, step[axis])) : view.strides
  }
}

export function transposeView(view: View, perm: readonly number[]): View {
  return {
    ...view,
    shape: perm.map(axis => view.shape[axis]),
    strides: perm.map(axis => view.strides[axis]),
    order: view.order.map(axis => perm.indexOf(axis))
  }
}

interface AxisGroup {
  readonly from: number[]
  readonly to: number[]
}

/**
 * What a reshape really merges and splits: the shortest runs of axes with equal products on both sides, found where
 * the prefix products meet. Axes of size 1 belong to no group. Undefined when the products never meet at the end.
 */
export function reshapeGroups(from: readonly Dim[], to: readonly Dim[]): AxisGroup[] | undefined {
  const groups: AxisGroup[] = []
  const right = prefixes(to)
  let start = 0
  let group: number[] = []
  for (const { axis, upTo } of prefixes(from)) {
    group.push(axis)
    const meets = right.findIndex((entry, j) => j >= start && same(entry.upTo, upTo))
    if (meets < 0) continue
    groups.push({ from: group, to: right.slice(start, meets + 1).map(entry => entry.axis) })
    group = []
    start = meets + 1
  }
  return group.length || start < right.length ? undefined : groups
}

function prefixes(shape: readonly Dim[]): { axis: number; upTo: Dim }[] {
  let upTo: Dim = 1
  return shape.flatMap((size, axis) => (size === 1 ? [] : [{ axis, upTo: (upTo = mul(upTo, size)) }]))
}

/**
 * The memory order of a reshape's output when a dense input in `order` can be reinterpreted as it lies: every group
 * of merged axes has to lie together, in logical order. Axes of size 1 lie anywhere.
 */
export function reshapedOrder(
  from: readonly Dim[],
  to: readonly Dim[],
  order: readonly number[]
): readonly number[] | undefined {
  const groups = reshapeGroups(from, to)
  if (!groups) return undefined
  const solid = order.filter(axis => from[axis] !== 1)
  const result: number[] = []
  for (let at = 0; at < solid.length; ) {
    const group = groups.find(g => g.from.includes(solid[at]))!
    if (!group.from.every((axis, k) => solid[at + k] === axis)) return undefined
    at += group.from.length
    result.push(...group.to)
  }
  return withOnes(result, to.length)
}

/** Adds the missing axes, all of size 1, each behind its logical neighbour. */
function withOnes(solid: readonly number[], rank: number): number[] {
  const order = [...solid]
  for (let axis = 0; axis < rank; axis++)
    if (!order.includes(axis)) order.splice(axis === 0 ? 0 : order.indexOf(axis - 1) + 1, 0, axis)
  return order
}

/** The order nearest to `order` in which the reshape is free: the layout that a copy in front of it should have. */
export function orderForReshape(from: readonly Dim[], to: readonly Dim[], order: readonly number[]): readonly number[] {
  const groups = reshapeGroups(from, to)
  if (!groups) return plainOrder(from.length)
  const position = (group: AxisGroup) => Math.min(...group.from.map(axis => order.indexOf(axis)))
  const byPlace = [...groups].sort((a, b) => position(a) - position(b))
  return withOnes(
    byPlace.flatMap(group => group.from),
    from.length
  )
}

/** A view of `view`'s memory with another shape, when its strides allow it. */
export function reshapeView(view: View, shape: readonly Dim[], order: readonly number[]): View | undefined {
  const dense = orderedStrides(view.shape, view.order)
  if (dense.every((stride, axis) => view.shape[axis] === 1 || same(stride, view.strides[axis])))
    return { ...view, shape, order, strides: orderedStrides(shape, order) }
  const groups = reshapeGroups(view.shape, shape)
  if (!groups) return undefined
  const strides: Dim[] = shape.map(() => 0)
  for (const group of groups) {
    const { from } = group
    const evenly = from.every(
      (axis, k) => k === 0 || same(view.strides[from[k - 1]], mul(view.strides[axis], view.shape[axis]))
    )
    if (!evenly) return undefined
    let step = view.strides[from[from.length - 1]]
    for (const axis of [...group.to].reverse()) {
      strides[axis] = step
      step = mul(step, shape[axis])
    }
  }
  return { ...view, shape, order, strides }
}
