import { show } from './dim.js'
import { refuse } from './errors.js'
import type { Counted, Node } from './graph.js'
import { ops } from './ops/index.js'

/**
 * Axes of which a run tells how much there is. Such a value has room for the most, and a count beside it; rows behind the
 * count hold anything. So only operators that keep the rows apart may take it (`Op.countedAxis`), each of which hands the
 * mark on, and whoever reads an output cuts it.
 */
export function countedOf(node: Node): Counted | undefined {
  let found: Counted | undefined
  node.inputs.forEach((input, index) => {
    if (!input?.counted) return
    const { by } = input.counted
    const axis = ops[node.op].countedAxis?.(node, index, input.counted.axis)
    if (axis === undefined || (found && (found.axis !== axis || found.by !== by)))
      throw refuse(
        node,
        `cannot take "${input.name}": only the run knows how many there are along its axis ${input.counted.axis} (at most ${show(input.shape[input.counted.axis])}); operators that keep these apart are allowed, element by element, Gather and GatherND by such indices, reductions, Slice, Split, Concat, Squeeze, Unsqueeze, Transpose and Reshape of other axes`
      )
    found = { axis, by }
  })
  return found
}
