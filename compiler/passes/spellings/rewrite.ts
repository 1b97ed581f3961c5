import { type Dim, isStatic } from '../../algebra/index.js'
import type { DType, Node, Value } from '../../graph/index.js'
import type { Writer } from '../../infer/index.js'

/** What stands for a node's first output, spelled with other operators; undefined where the node may stay, if `Op.takes` cannot say so. */
export type Rewrite = (write: Writer, node: Node) => Value | undefined

/** A vector, or a single number, along one axis of a tensor of `rank` axes. */
export function along(write: Writer, vector: Value, axis: number, rank: number): Value {
  if (vector.rank === 0) return vector
  const shape = new Array<Dim>(rank).fill(1)
  shape[axis] = vector.shape[0]
  return write.reshape(vector, shape)
}

/** Whether anybody reads the output `index`. */
export function isRead({ graph }: Writer, node: Node, index: number): boolean {
  const output = node.outputs[index]
  return output !== undefined && (output.users.length > 0 || graph.isOutput(output))
}

/** Readers of the output `index` read `value` from now on. */
export function giveOutput({ graph }: Writer, node: Node, index: number, value: Value): void {
  const output = node.outputs[index]
  if (output) graph.replace(output, value)
}

/** A tensor of the shape of `like`, every element `value`. */
export function filled(write: Writer, shape: readonly Dim[], value: number, dtype: 'bool' | 'float32'): Value {
  const fill = { dtype, shape: [1], data: Float64Array.of(value) }
  return write.add('ConstantOfShape', [write.sizes(shape)], { value: fill })
}

/** A whole number of the element type of what it is computed with. */
export function whole({ graph }: Writer, value: number, dtype: DType): Value {
  return graph.constant(graph.unique('whole'), Float64Array.of(value), [], dtype)
}

/** Indices of axes of the given sizes; negative ones count from the end. */
export function forward(write: Writer, indices: Value, sizes: Value): Value {
  const negative = write.add('Less', [indices, whole(write, 0, indices.dtype)])
  return write.add('Where', [negative, write.add('Add', [indices, sizes]), indices])
}

/** A vector of whole numbers, a constant where all are known. */
export function wholes(write: Writer, values: readonly Dim[], dtype: DType): Value {
  if (!isStatic(values)) return write.sizes(values)
  return write.graph.constant(write.graph.unique('wholes'), Float64Array.from(values), [values.length], dtype)
}
