import type { Value } from '../../graph.js'
import { depthOf, newAxisOf } from '../../ops/onehot.js'
import { along, type Rewrite } from './rewrite.js'

/** Indices count from the end where they are negative; what is outside then equals no position. */
export const oneHot: Rewrite = (write, node) => {
  const [indices, , values] = node.inputs as Value[]
  const depth = depthOf(node)
  const axis = newAxisOf(node)
  const whole = (data: readonly number[]) =>
    write.graph.constant(write.graph.unique(node.name), Float64Array.from(data), [data.length], indices.dtype)
  const negative = write.add('Less', [indices, whole([0])])
  const forward = write.add('Where', [negative, write.add('Add', [indices, whole([depth])]), indices])
  const spread = write.reshape(forward, [...indices.shape.slice(0, axis), 1, ...indices.shape.slice(axis)])
  const positions = along(write, whole(Array.from({ length: depth }, (_, i) => i)), axis, indices.rank + 1)
  const [off, on] = [0, 1].map(i => write.add('Gather', [values, whole([i])], { axis: 0 }))
  return write.add('Where', [write.add('Equal', [spread, positions]), on, off])
}
