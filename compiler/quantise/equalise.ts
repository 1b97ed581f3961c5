import { type Graph, isConstant, type Node, type Value } from '../graph/index.js'
import { actOf } from '../passes/index.js'
import { filterOf } from './weights.js'

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
  const made = filterOf(before.shape as number[], 0)
  const read = channelOf(second)
  const [own, next] = [largest(before, made, channels), largest(behind, read, channels)]
  // What is 0 on either side has no range to share.
  const factors = own.map((most, c) => (most > 0 && next[c] > 0 ? Math.sqrt(most / next[c]) : 1))
  const bias = first.inputs[2]
  scaleInput(graph, first, 1, i => 1 / factors[made(i)])
  if (bias) {
    if (bias.data!.length === 1 && channels > 1) spread(graph, first, channels)
    scaleInput(graph, first, 2, c => 1 / factors[c])
  }
  scaleInput(graph, second, 1, i => factors[read(i)])
  return Math.max(...factors.map(factor => Math.abs(Math.log(factor))))
}

/** The channel of the input that an element of the weights reads. */
function channelOf(conv: Node): (i: number) => number {
  const shape = conv.inputs[1]!.shape as number[]
  const [filter, channel] = [filterOf(shape, 0), filterOf(shape, 1)]
  const perGroup = shape[0] / conv.number('group', 1)
  return i => Math.floor(filter(i) / perGroup) * shape[1] + channel(i)
}

function largest({ data }: Value, channel: (i: number) => number, channels: number): Float64Array {
  const most = new Float64Array(channels)
  for (let i = 0; i < data!.length; i++) most[channel(i)] = Math.max(most[channel(i)], Math.abs(data![i]))
  return most
}

/** A new constant, because another layer may share the old. */
function scaleInput(graph: Graph, node: Node, index: number, factor: (i: number) => number): void {
  const old = node.inputs[index]!
  const data = Float32Array.from(old.data!, (value, i) => value * factor(i))
  graph.setInput(node, index, graph.constant(graph.unique(old.name), data, old.shape as number[]))
}

/** One bias for all as one for each. */
function spread(graph: Graph, node: Node, channels: number): void {
  const old = node.inputs[2]!
  const data = new Float32Array(channels).fill(old.data![0])
  graph.setInput(node, 2, graph.constant(graph.unique(old.name), data, [channels]))
}
