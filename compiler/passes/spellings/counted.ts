import { isFound, product, sub } from '../../algebra/index.js'
import type { Value } from '../../graph/index.js'
import { counted, filledBehind, room, runSize } from '../../infer/index.js'
import { amountsOf, axisOf, capacity, constantOf, countedAxis, reducedAxes } from '../../ops/index.js'
import { forward, type Rewrite, whole } from './rewrite.js'

/** Operators along an axis of which a run finds how much there is, over all the room that it has (compiler/ops/counted.ts). */

/**
 * The parts as they lie, and of those the elements that count: what stands behind the end of a part is that much further on
 * as the part has room left.
 */
export const concatCounted: Rewrite = (write, node) => {
  const inputs = node.inputs as Value[]
  const axis = axisOf(node, node.number('axis', 1), node.output.rank)
  const all = write.add(
    'Concat',
    inputs.map(input => (isFound(input.shape[axis]) ? room(write, input) : input)),
    { axis }
  )
  const first = inputs.slice(0, -1).map(input => input.shape[axis])
  const list = (values: readonly Value[]) =>
    values.length === 1
      ? write.reshape(values[0], [1])
      : write.add(
          'Concat',
          values.map(value => write.reshape(value, [1])),
          { axis: 0 }
        )
  const counts = list(first.map(size => runSize(write, size)))
  const rooms = list(first.map(size => runSize(write, capacity(size))))
  const ends = write.reshape(write.add('CumSum', [counts, whole(write, 0, 'int64')]), [first.length, 1])
  const gaps = write.reshape(write.add('Sub', [rooms, counts]), [first.length, 1])
  const size = capacity(node.output.shape[axis])
  const places = counted(write, size)
  const passed = write.add('Cast', [write.add('GreaterOrEqual', [write.reshape(places, [1, size]), ends])], {
    to: 'int64'
  })
  const moved = write.add('ReduceSum', [write.add('Mul', [passed, gaps])], { axes: [0], keepdims: 0 })
  const last = runSize(write, sub(all.shape[axis], 1))
  const index = write.add('Min', [write.add('Add', [places, moved]), last])
  return room(write, write.add('Gather', [all, index], { axis }), node.output.shape)
}

/** Indices from the end count from the end of what there is. */
export const gatherCounted: Rewrite = (write, node) => {
  const [x, indices] = node.inputs as Value[]
  const axis = axisOf(node, node.number('axis', 0), x.rank)
  const index = forward(write, indices, runSize(write, x.shape[axis]))
  return write.add('Gather', [room(write, x), index], { axis })
}

/** The constant behind what there is, and as much more or less of it as makes the output's size. */
export const padCounted: Rewrite = (write, node) => {
  const x = node.inputs[0]!
  const { begin, end } = amountsOf(node)
  const axis = countedAxis(x)
  const isPadded = axis !== undefined && (begin[axis] !== 0 || end[axis] !== 0)
  const all = isPadded ? filledBehind(write, x, axis, constantOf(node)) : x
  const behind = node.output.shape.map((size, a) =>
    isFound(end[a]) || (isPadded && a === axis) ? sub(sub(capacity(size), capacity(x.shape[a])), begin[a]) : end[a]
  )
  const value = write.graph.constant(write.graph.unique(node.name), Float64Array.of(constantOf(node)), [], x.dtype)
  return room(write, write.add('Pad', [all, write.sizes([...begin, ...behind]), value]), node.output.shape)
}

export const meanCounted: Rewrite = (write, node) => {
  const [x, axes] = node.inputs
  const own = reducedAxes(node)
  const axis = countedAxis(x!)!
  const sum = write.add('ReduceSum', [filledBehind(write, x!, axis, 0), axes], Object.fromEntries(node.attributes))
  return write.add('Div', [sum, runSize(write, product(own.map(each => x!.shape[each])))])
}
