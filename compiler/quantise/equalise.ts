import { type Graph, isConstant, type Node, type Value } from '../graph/index.js'
import { actOf } from '../passes/index.js'
import { forEachSpan } from './weights.js'

/** Two convolutions of which the second alone reads what the first gives, but for a function that scales with its argument. */
interface Pair {
  readonly first: Node
  readonly second: Node
}

/**
 * Cross-layer equalisation (Nagel 2019, arXiv 1906.04721, section 4.1): channel by channel the first of two convolutions is divided by
 * a factor, and what the second reads is multiplied by it, so that a channel's weights span as much in one as in the other. The
 * function stays what it was. Goes through all pairs until factors are near 1. Gives the number of pairs.
 */
export function equalise(graph: Graph): number {
  const pairs = graph.nodes.flatMap(node => pairOf(graph, node) ?? [])
  for (let round = 0; round < mostRounds; round++) {
    const change = Math.max(0, ...pairs.map(pair => equalisePair(graph, pair)))
    if (change < settled) break
  }
  return pairs.length
}

const mostRounds = 20
/** Natural logarithm of the largest factor at which nothing changes any more. */
const settled = 0.01

function pairOf(graph: Graph, first: Node): Pair | undefined {
  if (!isLayer(first)) return undefined
  let value = first.output
  let second = graph.onlyUser(value)
  if (second && scales(second)) {
    value = second.output
    second = graph.onlyUser(value)
  }
  return second && isLayer(second) && second.inputs[0] === value ? { first, second } : undefined
}

const isLayer = ({ op, inputs: [, weights, bias, ...more] }: Node) =>
  op === 'Conv' && isConstant(weights) && (!bias || isConstant(bias)) && !more.length

/** f(s x) = s f(x) for s above 0. */
function scales(node: Node): boolean {
  if (node.op !== 'Activation') return false
  if (actOf(node) === 'leakyRelu') return true
  return actOf(node) === 'clip' && node.number('alpha', 1) === 0 && node.number('beta', 0) === Number.POSITIVE_INFINITY
}

/** Gives how far from 1 the factors were, as a logarithm. */
function equalisePair(graph: Graph, { first, second }: Pair): number {
  const [before, behind] = [first.inputs[1]!, second.inputs[1]!]
  const channels = (before.shape as number[])[0]
  const [own, next] = [new Float64Array(channels), new Float64Array(channels)]
  const largest =
    (most: Float64Array, { data }: Value) =>
    (channel: number, from: number, to: number) => {
      for (let i = from; i < to; i++) most[channel] = Math.max(most[channel], Math.abs(data![i]))
    }
  forEachSpan(before.shape as number[], 0, largest(own, before))
  forEachChannel(second, largest(next, behind))
  // What is 0 on either side has no range to share.
  const factors = own.map((most, c) => (most > 0 && next[c] > 0 ? Math.sqrt(most / next[c]) : 1))
  const scale =
    (data: Float32Array, by: (channel: number) => number) => (channel: number, from: number, to: number) => {
      for (let i = from; i < to; i++) data[i] *= by(channel)
    }
  const divided = copied(graph, first, 1)
  forEachSpan(
    before.shape as number[],
    0,
    scale(divided, c => 1 / factors[c])
  )
  if (first.inputs[2]) {
    const bias = copied(graph, first, 2, channels)
    for (let c = 0; c < channels; c++) bias[c] /= factors[c]
  }
  const multiplied = copied(graph, second, 1)
  forEachChannel(
    second,
    scale(multiplied, c => factors[c])
  )
  return Math.max(...factors.map(factor => Math.abs(Math.log(factor))))
}

/** Visits the weights that read each channel of a convolution's input, as ranges. */
function forEachChannel(conv: Node, body: (channel: number, from: number, to: number) => void): void {
  const shape = conv.inputs[1]!.shape as number[]
  const perFilter = shape.slice(1).reduce((a, b) => a * b, 1)
  const perGroup = shape[0] / conv.number('group', 1)
  forEachSpan(shape, 1, (channel, from, to) =>
    body(Math.floor(Math.floor(from / perFilter) / perGroup) * shape[1] + channel, from, to)
  )
}

/** Gives an input a constant of its own, because another layer may share the old, and that one's elements to be changed. */
function copied(graph: Graph, node: Node, index: number, length?: number): Float32Array {
  const old = node.inputs[index]!
  const data =
    length === undefined || old.data!.length === length
      ? Float32Array.from(old.data!)
      : new Float32Array(length).fill(old.data![0])
  const shape = length === undefined ? (old.shape as number[]) : [length]
  graph.setInput(node, index, graph.constant(graph.unique(old.name), data, shape))
  return data
}
