import { sameShape } from '../../algebra/index.js'
import { type Graph, isConstant, largestFolded, Node, type Value } from '../../graph/index.js'
import { inferNode } from '../../infer/index.js'
import { numbersOf } from '../../ops/index.js'
import { count, type Pass } from '../pass.js'
import { removeUnused } from '../remove-unused.js'
import { isScalar, operands, perChannel, scalarOf, soleProducer } from './match.js'

/**
 * Layer and group normalisation where exporters spell them out: LayerNormalization as means, differences and a square
 * root (PyTorch before opset 17), GroupNormalization as an InstanceNormalization between two reshapes.
 */
export const recogniseNorms: Pass = {
  name: 'recognise-norms',
  run(graph) {
    let found = 0
    for (const node of [...graph.nodes]) {
      if (!graph.nodes.includes(node)) continue
      const norm =
        node.op === 'Div' ? layerNorm(graph, node) : node.op === 'Reshape' ? groupNorm(graph, node) : undefined
      if (!norm) continue
      replaceBy(graph, norm)
      found++
    }
    removeUnused(graph)
    return count(found, 'normalisation')
  }
}

interface Norm {
  readonly op: string
  readonly attributes: [string, number][]
  readonly x: Value
  readonly scale: Float32Array
  readonly bias: Float32Array
  /** The last node of the pattern, whose output the normalisation gives. */
  readonly last: Node
}

function replaceBy(graph: Graph, { op, attributes, x, scale, bias, last }: Norm): void {
  const node = new Node(op, graph.unique(last.name), new Map(attributes))
  const parameters = [scale, bias].map(data => graph.constant(graph.unique(node.name), data, [data.length]))
  graph.insert(node, [x, ...parameters], 1, last)
  inferNode(node)
  graph.bypass(last, node.output)
}

/** (x - mean) / sqrt(mean((x - mean)^2) + epsilon) over the last axis, with its scale and bias behind it. */
function layerNorm(graph: Graph, division: Node): Norm | undefined {
  const [difference, deviation] = division.inputs as [Value, Value]
  const root = soleProducer(graph, deviation, 'Sqrt')
  const shifted = soleProducer(graph, root?.inputs[0], 'Add')
  const pair = shifted && operands(shifted, value => scalarOf(value) !== undefined)
  const variance = soleProducer(graph, pair?.[1], 'ReduceMean')
  const square = soleProducer(graph, variance?.inputs[0], 'Pow', 'Mul')
  const centred = difference.producer
  if (!square || !variance || centred?.op !== 'Sub' || square.inputs[0] !== difference) return undefined
  if (square.op === 'Pow' ? !isScalar(square.inputs[1], 2) : square.inputs[1] !== difference) return undefined
  const [x, mean] = centred.inputs as [Value, Value]
  if (mean.producer?.op !== 'ReduceMean' || mean.producer.inputs[0] !== x) return undefined
  if (!isOverLastAxis(variance) || !isOverLastAxis(mean.producer)) return undefined
  const size = x.shape[x.rank - 1]
  if (typeof size !== 'number' || size > largestFolded) return undefined
  const vector = (value: Value | undefined) =>
    isConstant(value) && value.data.length === size && value.shape[value.rank - 1] === size ? value.data : undefined
  const { scale, bias, last } = affineBehind(graph, division, vector)
  return {
    op: 'LayerNormalization',
    attributes: [
      ['axis', -1],
      ['epsilon', scalarOf(pair![0])!]
    ],
    x,
    scale: scale ?? new Float32Array(size).fill(1),
    bias: bias ?? new Float32Array(size),
    last
  }
}

function isOverLastAxis(node: Node): boolean {
  const axes = numbersOf(node, 1, 'axes')
  const { rank } = node.inputs[0]!
  return axes?.length === 1 && (axes[0] + rank) % rank === rank - 1 && node.number('keepdims', 1) === 1
}

/** Reshape to [N, groups, -1], InstanceNormalization without an effect of its own, reshape back. */
function groupNorm(graph: Graph, back: Node): Norm | undefined {
  const instance = soleProducer(graph, back.inputs[0], 'InstanceNormalization')
  const apart = soleProducer(graph, instance?.inputs[0], 'Reshape')
  const x = apart?.inputs[0]
  if (!instance || !x || !sameShape(x.shape, back.output.shape) || apart.output.rank !== 3) return undefined
  const [scales, shifts] = [instance.inputs[1], instance.inputs[2]]
  const channels = x.shape[1]
  const groups = apart.output.shape[1]
  if (typeof channels !== 'number' || typeof groups !== 'number' || !sameShape([x.shape[0]], [apart.output.shape[0]]))
    return undefined
  if (channels % groups || channels > largestFolded || !isConstant(scales) || !isConstant(shifts)) return undefined
  if (!scales.data.every(one => one === 1) || !shifts.data.every(zero => zero === 0)) return undefined
  const { scale, bias, last } = affineBehind(graph, back, value => perChannel(value, x))
  return {
    op: 'GroupNormalization',
    attributes: [
      ['num_groups', groups],
      ['epsilon', instance.number('epsilon', 1e-5)]
    ],
    x,
    scale: scale ?? new Float32Array(channels).fill(1),
    bias: bias ?? new Float32Array(channels),
    last
  }
}

/** The multiplication and addition by constants that follow `node`, as far as they are there. */
function affineBehind(graph: Graph, node: Node, vector: (value: Value | undefined) => ArrayLike<number> | undefined) {
  let last = node
  const follow = (op: string): Float32Array | undefined => {
    const next = graph.onlyUser(last.output)
    const pair = next?.op === op ? operands(next, value => vector(value) !== undefined) : undefined
    if (!next || !pair || !sameShape(next.output.shape, last.output.shape)) return undefined
    last = next
    return Float32Array.from(vector(pair[0])!)
  }
  const scale = follow('Mul')
  const bias = follow('Add')
  return { scale, bias, last }
}
