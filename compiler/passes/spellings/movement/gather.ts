import type { Value } from '../../../graph/index.js'
import { axisOf } from '../../../ops/index.js'
import { along, forward, type Rewrite, whole, wholes } from '../rewrite.js'
import { bounded } from '../search/bounds.js'

/** A Gather from the flat tensor: where each element lies is its index times the axis's step, plus its own place. */
export const gatherElements: Rewrite = (write, node) => {
  const [x, indices] = node.inputs as Value[]
  const axis = axisOf(node, node.number('axis', 0), x.rank)
  const shape = x.shape as readonly number[]
  const steps = shape.map((_, i) => shape.slice(i + 1).reduce((a, b) => a * b, 1))
  const checked = bounded(write, node, 1, [axis], [shape[axis]])
  const index = forward(write, checked, whole(write, shape[axis], indices.dtype))
  let place = steps[axis] === 1 ? index : write.add('Mul', [index, whole(write, steps[axis], indices.dtype)])
  const sizes = indices.shape as readonly number[]
  sizes.forEach((size, i) => {
    if (i === axis || size === 1) return
    const places = Array.from({ length: size }, (_, k) => k * steps[i])
    const own = wholes(write, places, indices.dtype)
    place = write.add('Add', [place, along(write, own, i, x.rank)])
  })
  return write.add('Gather', [write.reshape(x, [shape.reduce((a, b) => a * b, 1)]), place], { axis: 0, checked: 1 })
}
