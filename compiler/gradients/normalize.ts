import type { Graph, Node, Value } from '../graph.js'
import { Writer } from '../writer.js'

/**
 * Normalisations in the operators that they are made of, which have gradients. A BatchNormalization is spelled so where it is to
 * train (its parameters are states then): with the statistics of the batch while training, and with the running ones that
 * follow them (Ioffe and Szegedy 2015, algorithm 2) when it is evaluated.
 */

/** (x - mean) / sqrt(variance + epsilon) over `axes`. */
function normalised(write: Writer, x: Value, axes: readonly number[], epsilon: number) {
  const mean = write.add('ReduceMean', [x], { axes, keepdims: 1 })
  const centred = write.add('Sub', [x, mean])
  const variance = write.add('ReduceMean', [write.add('Mul', [centred, centred])], { axes, keepdims: 1 })
  const deviation = write.add('Sqrt', [write.add('Add', [variance, write.scalar(epsilon)])])
  return { mean, variance, y: write.add('Div', [centred, deviation]) }
}

/** scale * x + bias with one of each a channel of axis 1. */
function affine(write: Writer, x: Value, scale: Value, bias: Value): Value {
  const shape = x.shape.map((size, axis) => (axis === 1 ? size : 1))
  const wide = (value: Value) => write.reshape(value, shape)
  return write.add('Add', [write.add('Mul', [x, wide(scale)]), wide(bias)])
}

const axesFrom = (x: Value, first: number) => x.shape.map((_, axis) => axis).slice(first)

function grouped(write: Writer, node: Node, groups: number): Value {
  const [x, scale, bias] = node.inputs as Value[]
  const channels = x.shape[1] as number
  const apart = write.reshape(x, [x.shape[0], groups, channels / groups, ...x.shape.slice(2)])
  const { y } = normalised(write, apart, axesFrom(apart, 2), node.number('epsilon', 1e-5))
  const each = (value: Value) =>
    value.shape[0] === channels
      ? value
      : write.reshape(
          write.add('Expand', [write.reshape(value, [groups, 1]), write.sizes([groups, channels / groups])]),
          [channels]
        )
  return affine(write, write.reshape(y, x.shape), each(scale), each(bias))
}

function layer(write: Writer, node: Node): Value {
  const [x, scale, bias] = node.inputs as [Value, Value, Value?]
  const axis = node.number('axis', -1)
  const { y } = normalised(write, x, axesFrom(x, axis < 0 ? axis + x.rank : axis), node.number('epsilon', 1e-5))
  const scaled = write.add('Mul', [y, scale])
  return bias ? write.add('Add', [scaled, bias]) : scaled
}

/** Spells out every Group-, Instance- and LayerNormalization. */
export function spellNorms(graph: Graph): void {
  for (const node of [...graph.nodes]) {
    const write = new Writer(graph, node.name, node)
    if (node.op === 'InstanceNormalization')
      graph.bypass(node, grouped(write, node, node.inputs[0]!.shape[1] as number))
    else if (node.op === 'GroupNormalization') graph.bypass(node, grouped(write, node, node.number('num_groups', 1)))
    else if (node.op === 'LayerNormalization') graph.bypass(node, layer(write, node))
  }
}

/** With the statistics of the batch; updates of the running ones go behind everything else. */
export function spellBatchStatistics(graph: Graph, node: Node): void {
  const [x, scale, bias, mean, variance] = node.inputs as Value[]
  const write = new Writer(graph, node.name, node)
  const axes = x.shape.map((_, axis) => axis).filter(axis => axis !== 1)
  const batch = normalised(write, x, axes, node.number('epsilon', 1e-5))
  const momentum = node.number('momentum', 0.9)
  const update = new Writer(graph, `${node.name}.running`)
  for (const [state, statistic] of [
    [mean, batch.mean],
    [variance, batch.variance]
  ]) {
    const now = update.reshape(statistic, state.shape)
    const kept = update.add('Mul', [state, update.scalar(momentum)])
    update.add('Assign', [state, update.add('Add', [kept, update.add('Mul', [now, update.scalar(1 - momentum)])])])
  }
  graph.bypass(node, affine(write, batch.y, scale, bias))
}

/** With the running statistics. */
export function spellRunningStatistics(graph: Graph, node: Node): void {
  const [x, scale, bias, mean, variance] = node.inputs as Value[]
  const write = new Writer(graph, node.name, node)
  const root = write.add('Sqrt', [write.add('Add', [variance, write.scalar(node.number('epsilon', 1e-5))])])
  const slope = write.add('Div', [scale, root])
  graph.bypass(node, affine(write, x, slope, write.add('Sub', [bias, write.add('Mul', [mean, slope])])))
}
