import type { Graph, Node, Value } from '../graph/index.js'
import { Writer } from '../infer/index.js'
import { affine, batchStatistics, normalised } from '../passes/index.js'

/**
 * Normalisations in the operators that they are made of, which have gradients. A BatchNormalization is spelled so where it is to
 * train (its parameters are states then): with the statistics of the batch while training; with the running ones, when it is
 * evaluated, the decompose pass spells it.
 */

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

/** With the statistics of the batch; updates of the running ones, which take `least` of them at least, go behind everything else. */
export function spellBatchStatistics(graph: Graph, node: Node, least: Value): void {
  const { y, mean, variance } = batchStatistics(new Writer(graph, node.name, node), node, least)
  const update = new Writer(graph, `${node.name}.running`)
  update.add('Assign', [node.inputs[3], mean])
  update.add('Assign', [node.inputs[4], variance])
  graph.bypass(node, y)
}
