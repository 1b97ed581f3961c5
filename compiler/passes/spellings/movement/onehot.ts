import type { Value } from '../../../graph/index.js'
import { depthOf, newAxisOf } from '../../../ops/index.js'
import { along, forward, type Rewrite, whole, wholes } from '../rewrite.js'

/** Indices count from the end where they are negative; what is outside then equals no position. */
export const oneHot: Rewrite = (write, node) => {
  const [indices, , values] = node.inputs as Value[]
  const depth = depthOf(node)
  const axis = newAxisOf(node)
  const index = forward(write, indices, whole(write, depth, indices.dtype))
  const spread = write.reshape(index, [...indices.shape.slice(0, axis), 1, ...indices.shape.slice(axis)])
  const all = Array.from({ length: depth }, (_, i) => i)
  const positions = along(write, wholes(write, all, indices.dtype), axis, indices.rank + 1)
  const [off, on] = [0, 1].map(i => write.add('Gather', [values, wholes(write, [i], 'int64')], { axis: 0 }))
  return write.add('Where', [write.add('Equal', [spread, positions]), on, off])
}
