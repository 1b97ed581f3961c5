import { type Dim, mul } from '../../algebra/index.js'
import type { Value } from '../../graph/index.js'
import type { Tape } from '../tape.js'

/** Element i of every axis becomes element i * factor of a tensor that is zero elsewhere. */
export function spread(tape: Tape, value: Value, factors: readonly number[]): Value {
  if (factors.every(factor => factor === 1)) return value
  const apart = factors.flatMap((factor, axis): Dim[] => (factor === 1 ? [value.shape[axis]] : [value.shape[axis], 1]))
  const pads = factors.flatMap(factor => (factor === 1 ? [0] : [0, factor - 1]))
  const padded = tape.add('Pad', [tape.reshape(value, apart), tape.sizes([...pads.map(() => 0), ...pads])])
  return tape.reshape(
    padded,
    value.shape.map((size, axis) => mul(size, factors[axis]))
  )
}
