import { type Dim, product } from '../../algebra/index.js'
import { refuse } from '../../errors.js'
import type { Node, Value } from '../../graph/index.js'
import type { Tape } from '../tape.js'

/** Operators that are linear along one axis after the other: each is a matrix, and so is its gradient, turned around. */

/** The size of an axis, in numbers, which such a matrix has to have. */
export function sizeOf(node: Node, value: Value, axis: number): number {
  const size = value.shape[axis]
  if (typeof size === 'number') return size
  throw refuse(node, `has a gradient only where the size of axis ${axis} is known`)
}

/** The identity, [size, size]: what an operator makes of it along axis 0 is its matrix, [out, size], which folding computes. */
export function identity(tape: Tape, size: number): Value {
  const data = new Float32Array(size * size)
  for (let i = 0; i < size; i++) data[i * size + i] = 1
  return tape.graph.constant(tape.graph.unique('identity'), data, [size, size])
}

/** A gradient of [..., out, ...] through a matrix [out, in] along `axis`: [..., in, ...]. */
export function throughMatrix(tape: Tape, dy: Value, axis: number, matrix: Value): Value {
  const [out, size] = matrix.shape
  const [before, behind] = [dy.shape.slice(0, axis), dy.shape.slice(axis + 1)]
  const shape: Dim[] = [...before, size, ...behind]
  const last = behind.every(other => other === 1)
  if (last) return tape.reshape(tape.add('MatMul', [tape.reshape(dy, [product(before), out]), matrix]), shape)
  const turned = tape.add('Transpose', [matrix], { perm: [1, 0] })
  return tape.reshape(tape.add('MatMul', [turned, tape.reshape(dy, [product(before), out, product(behind)])]), shape)
}
