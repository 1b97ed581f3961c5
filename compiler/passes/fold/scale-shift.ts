import { type Graph, isConstant, type Node, type Value } from '../../graph/index.js'
import { convInputs, windows } from '../../ops/index.js'
import { perChannel } from '../recognise/match.js'

/** y = scale * x + shift per channel: what a BatchNormalization is at inference, and a Mul or Add by constants. */
export interface ScaleShift {
  readonly x: Value
  readonly scale: Float64Array
  readonly shift: Float64Array
}

/** A BatchNormalization's arithmetic (Ioffe and Szegedy 2015, algorithm 2), in double precision. */
export function scaleShiftOfBatchNorm(node: Node): ScaleShift {
  const [gamma, beta, mean, variance] = node.inputs.slice(1).map(input => input!.data!)
  const epsilon = node.number('epsilon', 1e-5)
  const scale = Float64Array.from(gamma, (g, c) => g / Math.sqrt(variance[c] + epsilon))
  return { x: node.inputs[0]!, scale, shift: Float64Array.from(beta, (b, c) => b - mean[c] * scale[c]) }
}

export function scaleShiftOfArithmetic(node: Node): ScaleShift | undefined {
  const [a, b] = node.inputs as [Value, Value]
  if (!['Mul', 'Add', 'Sub', 'Div'].includes(node.op) || isConstant(a) === isConstant(b)) return undefined
  const [x, constant] = isConstant(b) ? [a, b] : [b, a]
  const values = perChannel(constant, x)
  if (!values || x.rank !== node.output.rank) return undefined
  const ones = new Float64Array(values.length).fill(1)
  const zeros = new Float64Array(values.length)
  const first = x === a
  if (node.op === 'Mul') return { x, scale: values, shift: zeros }
  if (node.op === 'Add') return { x, scale: ones, shift: values }
  if (node.op === 'Sub')
    return { x, scale: first ? ones : ones.map(one => -one), shift: first ? values.map(v => -v) : values }
  return first ? { x, scale: values.map(v => 1 / v), shift: zeros } : undefined
}

const foldable = ['Conv', 'ConvTranspose', 'Gemm']

/** Puts the arithmetic of `node` into the layer that makes its input, or into all layers that read its output, or a normalisation. */
export function fold(graph: Graph, node: Node, affine: ScaleShift): boolean {
  return foldBack(graph, node, affine) || foldForward(graph, node, affine) || foldIntoNorm(graph, node, affine)
}

/** What stands behind a BatchNormalization that no layer takes, as Caffe's Scale does, becomes its own scale and shift. */
function foldIntoNorm(graph: Graph, node: Node, { x, scale, shift }: ScaleShift): boolean {
  const norm = x.producer
  if (norm?.op !== 'BatchNormalization' || graph.onlyUser(x) !== node || !norm.inputs.slice(1).every(isConstant))
    return false
  const [, gamma, beta] = norm.inputs as [Value, Value & { data: Float32Array }, Value & { data: Float32Array }]
  const set = (index: number, old: Value, data: Float32Array) =>
    graph.setInput(norm, index, graph.constant(graph.unique(old.name), data, [data.length], old.dtype))
  set(
    1,
    gamma,
    Float32Array.from(gamma.data, (g, c) => g * scale[c])
  )
  set(
    2,
    beta,
    Float32Array.from(beta.data, (b, c) => b * scale[c] + shift[c])
  )
  graph.bypass(node, x)
  return true
}

function foldBack(graph: Graph, node: Node, { x, scale, shift }: ScaleShift): boolean {
  const layers = layersBehind(
    graph,
    x,
    node,
    shift.some(s => s !== 0)
  )
  if (!layers) return false
  for (const { layer, first } of layers) {
    const [, weights, bias] = layer.inputs as [unknown, Value, Value | undefined]
    const count = filters(layer, weights)
    const own = scale.subarray(first, first + count)
    const old = bias?.data
    setWeights(graph, layer, scaled(weights, filterOf(layer, weights), own))
    setBias(
      graph,
      layer,
      shift.slice(first, first + count).map((s, f) => s + own[f] * (old ? old[old.length === 1 ? 0 : f] : 0))
    )
  }
  graph.bypass(node, x)
  return true
}

interface Part {
  readonly layer: Node
  /** Its first channel among all. */
  readonly first: number
}

/**
 * The layers that make a value which only `user` reads, by way of concatenations of channels and of means, with which the
 * arithmetic of a channel commutes; none where something else makes a part of it.
 */
function layersBehind(graph: Graph, value: Value, user: Node, shifts: boolean, first = 0): Part[] | undefined {
  const made = value.producer
  if (!made || graph.onlyUser(value) !== user || made.attributes.has('act')) return undefined
  if (foldable.includes(made.op)) {
    const [, weights, bias] = made.inputs
    const constant = isConstant(weights) && (!bias || isConstant(bias)) && made.inputs.length <= 3
    return constant ? [{ layer: made, first }] : undefined
  }
  if (made.op === 'GlobalAveragePool' || (made.op === 'AveragePool' && !(shifts && countsPadding(made))))
    return layersBehind(graph, made.inputs[0]!, made, shifts, first)
  if (made.op !== 'Concat' || ![1, 1 - value.rank].includes(made.number('axis', 0))) return undefined
  const parts: Part[] = []
  for (const input of made.inputs as Value[]) {
    const channels = input.shape[1]
    const own = layersBehind(graph, input, made, shifts, first)
    if (!own || typeof channels !== 'number') return undefined
    parts.push(...own)
    first += channels
  }
  return parts
}

/** Means that count zeros of the padding do not carry a shift along. */
function countsPadding(pool: Node): boolean {
  return pool.number('count_include_pad', 0) !== 0
}

/**
 * A shift in front of a convolution adds the same to every output only where no padding is read: padding is zero
 * behind the shift, not before it. A scale alone always moves.
 */
function foldForward(graph: Graph, node: Node, { x, scale, shift }: ScaleShift): boolean {
  const { output } = node
  const users = [...new Set(output.users)]
  const shifts = shift.some(s => s !== 0)
  const fits = (user: Node) =>
    (user.op === 'Conv' || (user.op === 'Gemm' && output.rank === 2)) &&
    user.inputs[0] === output &&
    user.inputs.filter(input => input === output).length === 1 &&
    isConstant(user.inputs[1]) &&
    (!user.inputs[convInputs.bias] || isConstant(user.inputs[convInputs.bias])) &&
    (!shifts || user.op === 'Gemm' || !isPadded(user))
  if (!users.length || graph.isOutput(output) || !users.every(fits)) return false
  for (const user of users) {
    const weights = user.inputs[1] as Value & { data: Float32Array }
    const channel = channelOf(user, weights)
    const filter = filterOf(user, weights)
    const bias = user.inputs[convInputs.bias]?.data
    const moved = Float64Array.from({ length: filters(user, weights) }, (_, f) =>
      bias ? bias[bias.length === 1 ? 0 : f] : 0
    )
    forEachTap(weights, (a, b, from, to) => {
      let sum = 0
      for (let i = from; i < to; i++) sum += weights.data[i]
      moved[filter(a, b)] += sum * shift[channel(a, b)]
    })
    setWeights(graph, user, scaled(weights, channel, scale))
    if (shifts || bias) setBias(graph, user, moved)
  }
  graph.bypass(node, x)
  return true
}

function isPadded(conv: Node): boolean {
  const kernel = (conv.inputs[1]!.shape as readonly number[]).slice(2)
  const { padsBegin, padsEnd } = windows(conv, conv.inputs[0]!.shape.slice(2), kernel)
  return [...padsBegin, ...padsEnd].some(pad => pad !== 0)
}

function filters(layer: Node, { shape }: Value): number {
  const [a, b] = shape as readonly number[]
  if (layer.op === 'Conv') return a
  if (layer.op === 'Gemm') return layer.number('transB', 0) ? a : b
  return b * layer.number('group', 1)
}

/** Which channel the weights at [a, b, ...] belong to. */
type ChannelOf = (a: number, b: number) => number

/** The output channel that weights contribute to. */
function filterOf(layer: Node, { shape }: Value): ChannelOf {
  if (layer.op === 'Conv') return a => a
  if (layer.op === 'Gemm') return layer.number('transB', 0) ? a => a : (_, b) => b
  const [channels, filters] = shape as readonly number[]
  const perGroup = channels / layer.number('group', 1)
  return (a, b) => Math.floor(a / perGroup) * filters + b
}

/** The input channel that weights read. */
function channelOf(layer: Node, { shape }: Value): ChannelOf {
  if (layer.op === 'Gemm') return layer.number('transB', 0) ? (_, b) => b : a => a
  const [filters, channels] = shape as readonly number[]
  const perGroup = filters / layer.number('group', 1)
  return (a, b) => Math.floor(a / perGroup) * channels + b
}

/** Visits the kernel positions of every pair of leading indices as one range of elements. */
function forEachTap({ shape }: Value, body: (a: number, b: number, from: number, to: number) => void): void {
  const [rows, columns, ...kernel] = shape as readonly number[]
  const taps = kernel.reduce((x, y) => x * y, 1)
  for (let a = 0, at = 0; a < rows; a++) for (let b = 0; b < columns; b++, at += taps) body(a, b, at, at + taps)
}

function scaled(weights: Value, channel: ChannelOf, scale: Float64Array): Float32Array {
  const data = new Float32Array(weights.data!.length)
  forEachTap(weights, (a, b, from, to) => {
    const factor = scale[channel(a, b)]
    for (let i = from; i < to; i++) data[i] = weights.data![i] * factor
  })
  return data
}

/** New constants rather than changed ones: another layer may share the old. */
function setWeights(graph: Graph, layer: Node, data: Float32Array): void {
  const old = layer.inputs[1]!
  const made = graph.constant(graph.unique(old.name), data, old.shape as number[], old.dtype)
  graph.setInput(layer, 1, made)
}

function setBias(graph: Graph, layer: Node, data: Float64Array): void {
  const name = graph.unique(`${layer.name}.bias`)
  graph.setInput(layer, convInputs.bias, graph.constant(name, Float32Array.from(data), [data.length]))
}
