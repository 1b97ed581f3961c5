import type { Dim } from '../../algebra/index.js'
import { refuse } from '../../errors.js'
import type { Node } from '../../graph/index.js'
import { axisOf, intsOf, type Op } from '../op.js'

/** The size that each axis is to have; axes that are not named keep theirs. */
export function targetOf(node: Node): Dim[] {
  const { shape, rank } = node.inputs[0]!
  const wanted = intsOf(node, 1, 'shape') ?? []
  const axes = (node.list('axes') ?? shape.map((_, axis) => axis)).map(axis => axisOf(node, axis, rank))
  if (wanted.length !== axes.length || new Set(axes).size !== axes.length)
    throw refuse(node, `shape has ${wanted.length} sizes for the axes [${axes}]; one for each is allowed`)
  return shape.map((size, axis) => (axes.includes(axis) ? wanted[axes.indexOf(axis)] : size))
}

/** What the decompose pass spells as a Slice and a Pad. */
const centerCropPad: Op = {
  required: 2,
  infer(node) {
    node.output.dtype = node.inputs[0]!.dtype
    node.output.shape = targetOf(node)
  }
}

export const cropping: Record<string, Op> = { CenterCropPad: centerCropPad }
