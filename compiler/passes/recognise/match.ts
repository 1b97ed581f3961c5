import { type Graph, isConstant, largestFolded, type Node, type Value } from '../../graph/index.js'
import type { ActivationName } from '../../ops/index.js'

/** Small questions that several passes ask of the graph. */

/** The single number that a constant holds, whatever its shape. */
export function scalarOf(value: Value | undefined): number | undefined {
  return isConstant(value) && value.data.length === 1 ? value.data[0] : undefined
}

export function isScalar(value: Value | undefined, wanted: number, tolerance = 1e-4): boolean {
  const scalar = scalarOf(value)
  return scalar !== undefined && Math.abs(scalar - wanted) <= tolerance * Math.max(Math.abs(wanted), 1)
}

/** The producer of `value` when it is one of `ops` and feeds only this one use. */
export function soleProducer(graph: Graph, value: Value | undefined, ...ops: string[]): Node | undefined {
  const node = value?.producer
  return node && ops.includes(node.op) && graph.onlyUser(value!) ? node : undefined
}

/** The operands of a commutative node, the one that `test` accepts first. */
export function operands(node: Node, test: (value: Value) => boolean): [Value, Value] | undefined {
  const [a, b] = node.inputs as [Value, Value]
  if (test(a)) return [a, b]
  return test(b) ? [b, a] : undefined
}

export function actOf(node: Node): ActivationName {
  return node.text('act', 'identity') as ActivationName
}

export function setAct(node: Node, act: ActivationName, alpha: number, beta: number): void {
  node.attributes.set('act', act)
  node.attributes.set('alpha', alpha)
  node.attributes.set('beta', beta)
}

/**
 * A constant as one number a channel (axis 1) of an activation of this shape: a scalar, or a tensor whose only axis
 * that is not 1 is the channel axis.
 */
export function perChannel(constant: Value | undefined, activation: Value): Float64Array | undefined {
  const channels = activation.shape[1]
  if (!isConstant(constant) || typeof channels !== 'number' || activation.rank < 2) return undefined
  if (channels > largestFolded) return undefined
  const { data, shape } = constant
  if (shape.length > activation.rank) return undefined
  if (data.length === 1) return new Float64Array(channels).fill(data[0])
  if (data.length !== channels) return undefined
  const axis = shape.indexOf(channels) + activation.rank - shape.length
  return axis === 1 ? Float64Array.from(data) : undefined
}
