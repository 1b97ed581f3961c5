import type { Dim } from '../algebra/index.js'
import { refuse } from '../errors.js'
import type { Node, Value } from '../graph/index.js'
import { type Loops, loopsOver, type View } from './op.js'

/** What the operators share that work along some axes: the shape they leave and the loops over all other axes. */
export const loopDepth = 4

/** The shape of `x` with `axes` reduced. */
export function reducedShape(x: Value, axes: readonly number[], keep: boolean): Dim[] {
  if (keep) return x.shape.map((size, axis) => (axes.includes(axis) ? 1 : size))
  return x.shape.filter((_, axis) => !axes.includes(axis))
}

/** The loops over the axes that a reduction keeps; strides of the input, then of the output. */
export function keptLoops(node: Node, x: View, y: View, axes: readonly number[]): Loops {
  const kept = x.shape.map((_, axis) => axis).filter(axis => !axes.includes(axis))
  const dense = y.shape.length !== x.shape.length
  const strides = x.shape.map((_, axis) => (axes.includes(axis) ? 0 : y.strides[dense ? kept.indexOf(axis) : axis]))
  const order = x.order.filter(axis => kept.includes(axis))
  const loops = loopsOver(x.shape, order, [x.strides, strides], loopDepth)
  if (!loops) throw refuse(node, `needs more than ${loopDepth} nested loops over the axes it keeps`)
  return loops
}
