import { product } from '../../algebra/index.js'
import { axisFor } from '../../ops/index.js'
import type { Rule } from '../tape.js'

/** Every row takes the sum of what was picked of it. */
const gather: Rule = (node, [dy], tape) => {
  const [x, indices] = [node.inputs[0]!, node.inputs[1]!]
  const axis = axisFor(node)
  const [before, behind] = [x.shape.slice(0, axis), x.shape.slice(axis + 1)]
  const size = x.shape[axis]
  const [outer, count, inner] = [before, indices.shape, behind].map(product)
  const rows = tape.add('Transpose', [tape.reshape(dy!, [outer, count, inner])], { perm: [1, 0, 2] })
  const updates = tape.reshape(rows, [count, product([outer, inner])])
  const zeros = tape.add('Expand', [tape.scalar(0), tape.sizes([size, product([outer, inner])])])
  const flat = tape.reshape(indices, [count])
  const sums = tape.add('ScatterRows', [zeros, flat, updates], { reduction: 'add' })
  const back = tape.add('Transpose', [tape.reshape(sums, [size, outer, inner])], { perm: [1, 0, 2] })
  return [tape.reshape(back, x.shape)]
}

export const gatherGradients: Readonly<Record<string, Rule>> = { Gather: gather }
