import { isConstant, type Value } from '../../graph.js'
import { axisOf } from '../../ops/op.js'
import type { Writer } from '../../writer.js'
import { along, giveOutput, isRead, type Rewrite } from './rewrite.js'

/** x - mean over `axes`, that mean, and the variance. */
function centre(write: Writer, x: Value, axes: readonly number[]) {
  const mean = write.add('ReduceMean', [x], { axes, keepdims: 1 })
  const difference = write.add('Sub', [x, mean])
  const square = write.add('Mul', [difference, difference])
  return { mean, difference, variance: write.add('ReduceMean', [square], { axes, keepdims: 1 }) }
}

/** Statistics that are known stay for the passes that fold them. */
export const batchNormalization: Rewrite = (write, node) => {
  const [x, ...parameters] = node.inputs as Value[]
  if (parameters.every(isConstant)) return undefined
  const [gamma, beta, mean, variance] = parameters
  const deviation = write.add('Sqrt', [write.add('Add', [variance, write.scalar(node.number('epsilon', 1e-5))])])
  const scale = write.add('Div', [gamma, deviation])
  const shift = write.add('Sub', [beta, write.add('Mul', [mean, scale])])
  const scaled = write.add('Mul', [x, along(write, scale, 1, x.rank)])
  return write.add('Add', [scaled, along(write, shift, 1, x.rank)])
}

/** The statistics, where they are wanted, beside the normalisation that does without them. */
export const layerNormalization: Rewrite = (write, node) => {
  if (node.outputs.length === 1) return undefined
  const x = node.inputs[0]!
  const first = axisOf(node, node.number('axis', -1), x.rank)
  const axes = Array.from({ length: x.rank - first }, (_, i) => first + i)
  const epsilon = node.number('epsilon', 1e-5)
  if (isRead(write, node, 1) || isRead(write, node, 2)) {
    const { mean, variance } = centre(write, x, axes)
    giveOutput(write, node, 1, mean)
    const deviation = write.add('Sqrt', [write.add('Add', [variance, write.scalar(epsilon)])])
    giveOutput(write, node, 2, write.add('Reciprocal', [deviation]))
  }
  return write.add('LayerNormalization', node.inputs, { axis: first, epsilon })
}

/** By the root of the mean square over the axes from one on (opset 23). */
export const rmsNormalization: Rewrite = (write, node) => {
  const [x, scale] = node.inputs as Value[]
  const first = axisOf(node, node.number('axis', -1), x.rank)
  const axes = Array.from({ length: x.rank - first }, (_, i) => first + i)
  const square = write.add('ReduceMean', [write.add('Mul', [x, x])], { axes, keepdims: 1 })
  const root = write.add('Sqrt', [write.add('Add', [square, write.scalar(node.number('epsilon', 1e-5))])])
  return write.add('Mul', [write.add('Div', [x, root]), scale])
}

export const meanVarianceNormalization: Rewrite = (write, node) => {
  const { difference, variance } = centre(write, node.inputs[0]!, node.list('axes') ?? [0, 2, 3])
  const deviation = write.add('Add', [write.add('Sqrt', [variance]), write.scalar(1e-9)])
  return write.add('Div', [difference, deviation])
}
