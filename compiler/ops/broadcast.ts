import { broadcast, broadcastOf, type Dim, freeNamesOf, same, showShape } from '../algebra/index.js'
import { refuse } from '../errors.js'
import type { Node } from '../graph/index.js'

/** ONNX multidirectional broadcasting. */
export function broadcastShape(node: Node, ...shapes: (readonly Dim[])[]): Dim[] {
  const rank = Math.max(...shapes.map(shape => shape.length))
  return Array.from({ length: rank }, (_, axis) => {
    const sizes = shapes.map(shape => shape[axis - rank + shape.length] ?? 1)
    return sizes.reduce((size, own) => {
      const met = broadcastSize(node, size, own)
      if (met === undefined) throw refuse(node, `cannot broadcast ${shapes.map(showShape).join(' with ')}`)
      return met
    }, 1)
  })
}

/**
 * What two sizes broadcast to. Of sizes that no free dimension is common to, either may be 1 when they are bound; others that
 * are spelled differently are taken for equal. What is taken for granted is checked when they are bound.
 */
export function broadcastSize(node: Node, size: Dim, own: Dim): Dim | undefined {
  const parts = broadcastOf(size)
  if (own === 1 || parts.some(part => same(part, own))) return size
  if (size === 1 || broadcastOf(own).some(part => same(part, size))) return own
  if (typeof size === 'number' || typeof own === 'number' || !areApart(size, own)) {
    if (!node.expectEqual(size, own)) return undefined
    return typeof own === 'number' ? own : size
  }
  node.expectEqual(broadcast(size, own), broadcast(own, size))
  return broadcast(size, own)
}

function areApart(a: Dim, b: Dim): boolean {
  const names = freeNamesOf(a)
  return [...freeNamesOf(b)].every(name => !names.has(name))
}

/** Element by element: the axis as broadcasting aligns it; no other operand has elements of its own along it. */
export function alignedAxis(node: Node, index: number, axis: number): number | undefined {
  const { output } = node
  const input = node.inputs[index]!
  const own = axis + output.rank - input.rank
  return same(input.shape[axis], output.shape[own]) ? own : undefined
}

/** Of operators that keep the images of a batch, or the rows of a matrix, apart. */
export const keptBatch = (node: Node, index: number, axis: number): number | undefined =>
  axis === 0 ? alignedAxis(node, index, axis) : undefined
