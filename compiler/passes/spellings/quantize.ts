import type { Node, Value } from '../../graph.js'
import { axisOf } from '../../ops/op.js'
import { rangeOf } from '../../ops/quantize.js'
import type { Writer } from '../../writer.js'
import { along, type Rewrite } from './rewrite.js'

/** Scale and zero point along the axis that they belong to. */
function parametersOf(write: Writer, node: Node): { x: Value; scale: Value; zero?: Value } {
  const [x, scale, zero] = node.inputs as Value[]
  const placed = (value: Value) =>
    value.rank === 0 ? value : along(write, value, axisOf(node, node.number('axis', 1), x.rank), x.rank)
  return { x, scale: placed(scale), zero: zero && placed(zero) }
}

/** round(x / scale) + zero point, within what the element type holds. */
export const quantizeLinear: Rewrite = (write, node) => {
  const { x, scale, zero } = parametersOf(write, node)
  const rounded = write.add('Round', [write.add('Div', [x, scale])])
  const shifted = zero ? write.add('Add', [rounded, zero]) : rounded
  const { dtype } = node.output
  const [low, high] = rangeOf(dtype)
  const inside = write.add('Clip', [shifted, write.scalar(low), write.scalar(high)])
  return write.add('Cast', [inside], { to: dtype })
}

export const dequantizeLinear: Rewrite = (write, node) => {
  const { x, scale, zero } = parametersOf(write, node)
  const floats = write.add('Cast', [x], { to: 'float32' })
  return write.add('Mul', [zero ? write.add('Sub', [floats, zero]) : floats, scale])
}
