import { refuse } from '../../errors.js'
import { largestFolded, type Node } from '../../graph/index.js'
import { axisOf, describe, numbersOf, type Op } from '../op.js'

export const depthOf = (node: Node): number => Math.trunc(numbersOf(node, 1, 'depth')![0])

/** Where the new axis stands in the output. */
export const newAxisOf = (node: Node): number => axisOf(node, node.number('axis', -1), node.inputs[0]!.rank + 1)

/** What the decompose pass spells as a comparison with every position of the new axis. */
const oneHot: Op = {
  required: 3,
  infer(node) {
    const [indices, , values] = node.inputs
    const depth = depthOf(node)
    if (!(depth >= 1 && depth <= largestFolded))
      throw refuse(node, `depth is ${depth}; 1 to ${largestFolded} are allowed`)
    if (values!.rank !== 1 || values!.shape[0] !== 2)
      throw refuse(node, `values ${describe(values!)} must be two: what is elsewhere, and what the index has`)
    const axis = newAxisOf(node)
    node.output.shape = [...indices!.shape.slice(0, axis), depth, ...indices!.shape.slice(axis)]
    node.output.dtype = values!.dtype
  }
}

export const oneHots: Record<string, Op> = { OneHot: oneHot }
