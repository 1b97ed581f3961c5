import type { Dim } from '../../dim.js'
import type { Node, Value } from '../../graph.js'
import type { Writer } from '../../writer.js'

/** What stands for a node's first output, spelled with other operators; undefined where the node may stay. */
export type Rewrite = (write: Writer, node: Node) => Value | undefined

/** A vector, or a single number, along one axis of a tensor of `rank` axes. */
export function along(write: Writer, vector: Value, axis: number, rank: number): Value {
  if (vector.rank === 0) return vector
  const shape = new Array<Dim>(rank).fill(1)
  shape[axis] = vector.shape[0]
  return write.reshape(vector, shape)
}

/** Readers of the output `index` read `value` from now on. */
export function giveOutput({ graph }: Writer, node: Node, index: number, value: Value): void {
  const output = node.outputs[index]
  if (output) graph.replace(output, value)
}

/** Whether a node or the caller reads the value. */
export const isRead = ({ graph }: Writer, value: Value): boolean => value.users.length > 0 || graph.isOutput(value)

/** A tensor of the shape of `like`, every element `value`. */
export function filled(write: Writer, shape: readonly Dim[], value: number, dtype: 'bool' | 'float32'): Value {
  const fill = { dtype, shape: [1], data: Float64Array.of(value) }
  return write.add('ConstantOfShape', [write.sizes(shape)], { value: fill })
}
