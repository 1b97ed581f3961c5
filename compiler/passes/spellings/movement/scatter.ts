import { type Dim, mul, product } from '../../../algebra/index.js'
import type { Node, Value } from '../../../graph/index.js'
import type { Writer } from '../../../infer/index.js'
import { batchOf, namedAxes } from '../../../ops/index.js'
import { along, filled, forward, giveOutput, isRead, type Rewrite, wholes } from '../rewrite.js'
import { bounded } from '../search/bounds.js'

/** The row that each tuple of coordinates names, of axes of the given sizes. */
function rowsOf(write: Writer, node: Node, batch: number, sizes: readonly Dim[]): Value {
  const axes = sizes.map((_, i) => batch + i)
  const indices = bounded(write, node, 1, axes, sizes, 1)
  const index = forward(write, indices, wholes(write, sizes, indices.dtype))
  if (sizes.length === 1) return write.reshape(index, indices.shape.slice(0, -1))
  const steps = sizes.map((_, axis) => product(sizes.slice(axis + 1)))
  const places = write.add('Mul', [index, wholes(write, steps, indices.dtype)])
  return write.add('ReduceSum', [places], { axes: [-1], keepdims: 0 })
}

/** A Gather of rows: the axes that are named, and the batch's in front of them, become one. */
export const gatherND: Rewrite = (write, node) => {
  const [x, indices] = node.inputs as Value[]
  const batch = batchOf(node)
  const sizes = namedAxes(node, batch)
  let rows = rowsOf(write, node, batch, sizes)
  const shape = x.shape.slice(0, batch) as number[]
  shape.forEach((size, axis) => {
    const step = mul(product(shape.slice(axis + 1)), product(sizes))
    const places = Array.from({ length: size }, (_, i) => mul(i, step))
    const own = wholes(write, places, indices.dtype)
    rows = write.add('Add', [rows, along(write, own, axis, rows.rank)])
  })
  const inner = x.shape.slice(batch + sizes.length)
  const table = write.reshape(x, [product([...shape, ...sizes]), ...inner])
  return write.add('Gather', [table, rows], { axis: 0, checked: 1 })
}

/** Rows of one axis in place of those that are named. */
export const scatterND: Rewrite = (write, node) => {
  const [x, , updates] = node.inputs as Value[]
  const sizes = namedAxes(node, 0)
  const rows = rowsOf(write, node, 0, sizes)
  return scattered(write, x, rows, updates, x.shape.slice(sizes.length), node.text('reduction', 'none'))
}

/** x with updates at `rows` of all but the `inner` axes. */
function scattered(
  write: Writer,
  x: Value,
  rows: Value,
  updates: Value,
  inner: readonly Dim[],
  reduction: string
): Value {
  const [count, width] = [product(rows.shape), product(inner)]
  const table = write.reshape(x, [product(x.shape.slice(0, x.rank - inner.length)), width])
  const flat = [table, write.reshape(rows, [count]), write.reshape(updates, [count, width])]
  return write.reshape(write.add('ScatterRows', flat, { reduction }), x.shape)
}

export const maxUnpool: Rewrite = (write, node) => {
  const [x, indices] = node.inputs as Value[]
  return scattered(write, filled(write, node.output.shape, 0, 'float32'), indices, x, [], 'none')
}

/** The maxima, and where they are, each on its own. */
export const maxPool: Rewrite = (write, node) => {
  const attributes = Object.fromEntries(node.attributes)
  if (isRead(write, node, 1)) giveOutput(write, node, 1, write.add('MaxPoolIndices', [node.inputs[0]], attributes))
  return write.add('MaxPool', [node.inputs[0]], attributes)
}
