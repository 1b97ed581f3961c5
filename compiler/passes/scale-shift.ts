import { windows } from '../ops/window.js'
import { type Graph, isConstant, type Node, type Value } from '../graph.js'
import { convInputs } from '../ops/conv.js'
import { perChannel } from './match.js'

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
  if (node.op === 'Sub') return { x, scale: first ? ones : ones.map(one => -one), shift: first ? values.map(v => -v) : values }
  return first ? { x, scale: values.map(v => 1 / v), shift: zeros } : undefined
}

const foldable = ['Conv', 'ConvTranspose', 'Gemm']

/** Puts the arithmetic of `node` into the layer that makes its input, or into all layers that read its output. */
export function fold(graph: Graph, node: Node, affine: ScaleShift): boolean {
  return foldBack(graph, node, affine) || foldForward(graph, node, affine)
}

function foldBack(graph: Graph, node: Node, { x, scale, shift }: ScaleShift): boolean {
  const layer = x.producer
  if (!layer || !foldable.includes(layer.op) || graph.onlyUser(x) !== node || layer.attributes.has('act')) return false
  const [, weights, bias] = layer.inputs
  if (!isConstant(weights) || (bias && !isConstant(bias)) || layer.inputs.length > 3) return false
  const filter = filterOf(layer, weights)
  setWeights(graph, layer, Float64Array.from(weights.data, (w, i) => w * scale[filter(i)]))
  const old = bias?.data
  setBias(graph, layer, shift.map((s, f) => s + scale[f] * (old ? old[old.length === 1 ? 0 : f] : 0)))
  graph.bypass(node, x)
  return true
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
    (!shifts || user.op === 'Gemm' || !isPadded(user))
  if (!users.length || graph.isOutput(output) || !users.every(fits)) return false
  for (const user of users) {
    const weights = user.inputs[1] as Value & { data: Float32Array }
    const channel = channelOf(user, weights)
    const filter = filterOf(user, weights)
    const bias = user.inputs[convInputs.bias]?.data
    const moved = Float64Array.from({ length: filters(user, weights) }, (_, f) => (bias ? bias[bias.length === 1 ? 0 : f] : 0))
    weights.data.forEach((w, i) => (moved[filter(i)] += w * shift[channel(i)]))
    setWeights(graph, user, Float64Array.from(weights.data, (w, i) => w * scale[channel(i)]))
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

/** The output channel that weight `i` contributes to. */
function filterOf(layer: Node, { shape }: Value): (i: number) => number {
  const [a, b, ...kernel] = shape as readonly number[]
  const taps = kernel.reduce((x, y) => x * y, 1)
  if (layer.op === 'Conv') return i => Math.floor(i / (b * taps))
  if (layer.op === 'Gemm') return layer.number('transB', 0) ? i => Math.floor(i / b) : i => i % b
  const perGroup = a / layer.number('group', 1)
  return i => Math.floor(i / (b * taps * perGroup)) * b + (Math.floor(i / taps) % b)
}

/** The input channel that weight `i` reads. */
function channelOf(layer: Node, { shape }: Value): (i: number) => number {
  const [a, b, ...kernel] = shape as readonly number[]
  const taps = kernel.reduce((x, y) => x * y, 1)
  if (layer.op === 'Gemm') return layer.number('transB', 0) ? i => i % b : i => Math.floor(i / b)
  const filtersPerGroup = a / layer.number('group', 1)
  return i => Math.floor(i / (b * taps * filtersPerGroup)) * b + (Math.floor(i / taps) % b)
}

/** New constants rather than changed ones: another layer may share the old. */
function setWeights(graph: Graph, layer: Node, data: Float64Array): void {
  const old = layer.inputs[1]!
  const made = graph.constant(graph.unique(old.name), Float32Array.from(data), old.shape as number[], old.dtype)
  graph.setInput(layer, 1, made)
}

function setBias(graph: Graph, layer: Node, data: Float64Array): void {
  const name = graph.unique(`${layer.name}.bias`)
  graph.setInput(layer, convInputs.bias, graph.constant(name, Float32Array.from(data), [data.length]))
}
