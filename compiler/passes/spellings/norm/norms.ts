import { isConstant, type Node, type Value } from '../../../graph/index.js'
import type { Writer } from '../../../infer/index.js'
import { axisOf } from '../../../ops/index.js'
import { along, giveOutput, isRead, type Rewrite } from '../rewrite.js'

/** (x - mean) / sqrt(variance + epsilon) over `axes`, and what that is made of. */
export function normalised(write: Writer, x: Value, axes: readonly number[], epsilon: number) {
  const mean = write.add('ReduceMean', [x], { axes, keepdims: 1 })
  const centred = write.add('Sub', [x, mean])
  const variance = write.add('ReduceMean', [write.add('Mul', [centred, centred])], { axes, keepdims: 1 })
  const deviation = write.add('Sqrt', [write.add('Add', [variance, write.scalar(epsilon)])])
  return { mean, variance, deviation, centred, y: write.add('Div', [centred, deviation]) }
}

/** scale * x + bias, with one of each a channel. */
export function affine(write: Writer, x: Value, scale: Value, bias: Value): Value {
  const scaled = write.add('Mul', [x, along(write, scale, 1, x.rank)])
  return write.add('Add', [scaled, along(write, bias, 1, x.rank)])
}

/**
 * Normalised by the statistics of the batch, and the running ones that follow them by `momentum` (Ioffe and Szegedy 2015,
 * algorithm 2), or faster where `least` says so: the share that the batch's have at least.
 */
export function batchStatistics(write: Writer, node: Node, least?: Value) {
  const [x, scale, bias, mean, variance] = node.inputs as Value[]
  const axes = x.shape.map((_, axis) => axis).filter(axis => axis !== 1)
  const batch = normalised(write, x, axes, node.number('epsilon', 1e-5))
  const momentum = node.number('momentum', 0.9)
  const share = least ? write.add('Max', [least, write.scalar(1 - momentum)]) : write.scalar(1 - momentum)
  const rest = least ? write.add('Sub', [write.scalar(1), share]) : write.scalar(momentum)
  const follow = (running: Value, statistic: Value) => {
    const now = write.reshape(statistic, running.shape)
    return write.add('Add', [write.add('Mul', [running, rest]), write.add('Mul', [now, share])])
  }
  return {
    y: affine(write, batch.y, scale, bias),
    mean: follow(mean, batch.mean),
    variance: follow(variance, batch.variance)
  }
}

/** Statistics that are known stay for the passes that fold them. */
export const batchNormalization: Rewrite = (write, node) => {
  if (node.number('training_mode', 0)) {
    const { y, mean, variance } = batchStatistics(write, node)
    giveOutput(write, node, 1, mean)
    giveOutput(write, node, 2, variance)
    return y
  }
  const [x, ...parameters] = node.inputs as Value[]
  if (parameters.every(isConstant)) return undefined
  const [gamma, beta, mean, variance] = parameters
  const deviation = write.add('Sqrt', [write.add('Add', [variance, write.scalar(node.number('epsilon', 1e-5))])])
  const scale = write.add('Div', [gamma, deviation])
  return affine(write, x, scale, write.add('Sub', [beta, write.add('Mul', [mean, scale])]))
}

/** The statistics, where they are wanted, beside the normalisation that does without them. */
export const layerNormalization: Rewrite = (write, node) => {
  const x = node.inputs[0]!
  const first = axisOf(node, node.number('axis', -1), x.rank)
  const axes = Array.from({ length: x.rank - first }, (_, i) => first + i)
  const epsilon = node.number('epsilon', 1e-5)
  if (isRead(write, node, 1) || isRead(write, node, 2)) {
    const { mean, deviation } = normalised(write, x, axes, epsilon)
    giveOutput(write, node, 1, mean)
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
  const { centred, variance } = normalised(write, node.inputs[0]!, node.list('axes') ?? [0, 2, 3], 0)
  const deviation = write.add('Add', [write.add('Sqrt', [variance]), write.scalar(1e-9)])
  return write.add('Div', [centred, deviation])
}
