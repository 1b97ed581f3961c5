import { isConstant, type Node, type Value } from '../../graph/index.js'
import type { Writer } from '../../infer/index.js'
import { convInputs, longestSum, type Scale } from '../../ops/index.js'
import { attributesOf, boundsOf, narrow, type Quantum, quantumOf } from './scales.js'

/** Layers with weights, of bytes: convolutions, matrix products, and what multiplies and shifts each channel. */
export type Layer = (write: Writer, node: Node, to: Scale) => Value | undefined

/**
 * Weights as whole numbers from -128 to 127, the scale of each filter, and the sum of its weights' sizes. Those of nine bits, as
 * uint8 about an uneven zero point has them, are two, whose sum they are, of an input that is there twice (`asOften`).
 */
interface Weights {
  readonly value: Value
  asOften(write: Writer, x: Value): Value
  readonly scale: (filter: number) => number
  readonly size: (filter: number) => number
}

/** Steps of the result within which kernels round: a float32 beside 1.5 * 2^23 still holds whole numbers (asm/dense/product8.ts). */
const reach = 2 ** 21

/** Weights that were whole numbers, as they are about their zero points; `axis` is that of the filters, `inner` of what they sum. */
function weightsOf({ graph }: Writer, value: Value | undefined, axis: number, inner: number): Weights | undefined {
  const from = value?.quantised
  if (!value || !from || (from.scale.length > 1 && from.axis !== axis)) return undefined
  const shape = value.shape as number[]
  const data = new Float32Array(from.data.length)
  const each = from.zero.length > 1 ? shape.slice(from.axis + 1).reduce((a, b) => a * b, 1) : data.length
  for (let start = 0, run = 0; start < data.length; start += each, run++) {
    const zero = from.zero[run % from.zero.length]
    for (let i = start; i < start + each; i++) data[i] = from.data[i] - zero
  }
  if (!data.every(element => element >= -256 && element <= 254)) return undefined
  if (!from.scale.every(scale => scale > 0 && Number.isFinite(scale))) return undefined
  const isTwice = !data.every(element => element >= -128 && element <= 127)
  const wide = shape.map((size, i) => (i === inner && isTwice ? 2 * size : size))
  const made = graph.constant(`${value.name} whole`, isTwice ? inHalves(data, shape, inner) : data, wide, 'int8')
  const filters = shape[axis]
  const within = shape.slice(axis + 1).reduce((a, b) => a * b, 1)
  const sizes = new Float64Array(filters)
  data.forEach((element, i) => (sizes[Math.floor(i / within) % filters] += Math.abs(element)))
  return {
    value: made,
    asOften: (write, x) => (isTwice ? narrow(write.add('Concat', [x, x], { axis: 1 })) : x),
    scale: filter => from.scale[from.scale.length > 1 ? filter : 0],
    size: filter => sizes[filter]
  }
}

/** Twice as many along an axis: half of each, and what is left of it. */
function inHalves(data: Float32Array, shape: readonly number[], axis: number): Float32Array {
  const run = shape.slice(axis).reduce((a, b) => a * b, 1)
  const halves = new Float32Array(2 * data.length)
  data.forEach((element, i) => {
    const half = Math.floor(element / 2)
    const at = Math.floor(i / run) * 2 * run + (i % run)
    halves[at] = half
    halves[at + run] = element - half
  })
  return halves
}

/**
 * What the requantisation of a layer needs: the factor of each filter's sums, and its bias in steps of the result. Undefined where
 * results might be further away than kernels can round.
 */
function epilogueOf(
  { graph }: Writer,
  node: Node,
  filters: number,
  { scale, size }: Pick<Weights, 'scale' | 'size'>,
  bias: Value | undefined,
  to: Scale
): Value[] | undefined {
  if (bias && !(isConstant(bias) && (bias.data.length === filters || bias.data.length === 1))) return undefined
  const vector = (of: (filter: number) => number) => Float32Array.from({ length: filters }, (_, filter) => of(filter))
  const factors = vector(filter => scale(filter) / to.scale)
  const biases = vector(filter => (bias ? bias.data![bias.data!.length > 1 ? filter : 0] : 0) / to.scale)
  if (!factors.every((factor, filter) => 255 * size(filter) * Math.abs(factor) + Math.abs(biases[filter]) < reach))
    return undefined
  return [factors, biases].map(data => graph.constant(graph.unique(node.name), data, [filters]))
}

/** With the scale of what the weights multiply. */
const times = (x: Quantum, { scale, size }: Weights) => ({ scale: (filter: number) => x.scale * scale(filter), size })

const zeros = (x: Quantum, to: Scale) => ({ xZero: x.zero, yZero: to.zero })

/** Whether so many products can be summed in 32 bits; `axis` is that of the filters. */
function isSummed({ value }: Weights, axis: number): boolean {
  const products = value.shape.reduce<number>((size, dim, i) => (i === axis ? size : size * (dim as number)), 1)
  return products <= longestSum
}

const conv: Layer = (write, node, to) => {
  const x = quantumOf(node.inputs[convInputs.x])
  const weights = weightsOf(write, node.inputs[convInputs.weights], 0, 1)
  const bounds = boundsOf(node, to)
  if (!x || !weights || !bounds || node.inputs[convInputs.residual] || !isSummed(weights, 0)) return undefined
  const often = weights.value.shape[1] !== node.inputs[convInputs.weights]!.shape[1]
  if (often && node.number('group', 1) > 1) return undefined
  const filters = weights.value.shape[0] as number
  const vectors = epilogueOf(write, node, filters, times(x, weights), node.inputs[convInputs.bias], to)
  return (
    vectors &&
    write.add('Conv8', [weights.asOften(write, x.value), weights.value, ...vectors], {
      ...attributesOf(node),
      ...zeros(x, to),
      ...bounds
    })
  )
}

const gemm: Layer = (write, node, to) => {
  const x = quantumOf(node.inputs[0])
  const transB = node.number('transB', 0)
  const weights = weightsOf(write, node.inputs[1], transB ? 0 : 1, transB ? 1 : 0)
  const bounds = boundsOf(node, to)
  if (!x || !weights || !bounds || node.inputs[4] || node.number('transA', 0)) return undefined
  if (!isSummed(weights, transB ? 0 : 1)) return undefined
  if (node.number('alpha', 1) !== 1 || node.number('beta', 1) !== 1) return undefined
  const columns = weights.value.shape[transB ? 0 : 1] as number
  const vectors = epilogueOf(write, node, columns, times(x, weights), node.inputs[2], to)
  if (!vectors) return undefined
  const often = weights.asOften(write, x.value)
  return write.add('Gemm8', [often, weights.value, ...vectors], { transB, ...zeros(x, to), ...bounds })
}

/** Products of a batch by constant matrices, which are as many, one behind the other. */
const mostMatrices = 64

const matmul: Layer = (write, node, to) => {
  const x = quantumOf(node.inputs[0])
  const [, b] = node.inputs
  const from = b?.quantised
  if (!x || !from || !isConstant(b) || b.rank !== 3 || x.value.rank !== 3 || from.scale.length > 1) return undefined
  const [batch, inner, columns] = b.shape as number[]
  const [, rows] = x.value.shape
  if (x.value.shape[0] !== batch || batch > mostMatrices) return undefined
  const { graph } = write
  const size = inner * columns
  const products: Value[] = []
  for (let i = 0; i < batch; i++) {
    const part = narrow(write.add('Slice', [x.value, ...[i, i + 1, 0].map(number => write.sizes([number]))]))
    const w = graph.constant(graph.unique(b.name), b.data.slice(i * size, (i + 1) * size), [inner, columns])
    w.quantised = { ...from, data: from.data.slice(i * size, (i + 1) * size) }
    const weights = weightsOf(write, w, 1, 0)
    const vectors = weights && epilogueOf(write, node, columns, times(x, weights), undefined, to)
    if (!weights || !vectors || !isSummed(weights, 1)) return undefined
    const often = weights.asOften(write, narrow(write.reshape(part, [rows, inner])))
    const y = write.add('Gemm8', [often, weights.value, ...vectors], { ...zeros(x, to), low: 0, high: 255 })
    products.push(narrow(write.reshape(y, [1, rows, columns])))
  }
  return narrow(write.add('Concat', products, { axis: 0 }))
}

/** One weight a channel, which is 1. */
const scaleShift: Layer = (write, node, to) => {
  const x = quantumOf(node.inputs[0])
  const [, scale, shift] = node.inputs
  const bounds = boundsOf(node, to)
  if (!x || !bounds || !isConstant(scale) || node.inputs[4] || x.value.rank < 3 || x.value.rank > 4) return undefined
  const channels = x.value.shape[1] as number
  const { data } = scale
  if (data.length !== channels) return undefined
  const vectors = epilogueOf(write, node, channels, { scale: c => x.scale * data[c], size: () => 1 }, shift, to)
  const shape = [channels, 1, ...new Array<number>(x.value.rank - 2).fill(1)]
  const ones = write.graph.constant(write.graph.unique(node.name), new Float32Array(channels).fill(1), shape, 'int8')
  return vectors && write.add('Conv8', [x.value, ones, ...vectors], { group: channels, ...zeros(x, to), ...bounds })
}

export const layers: Readonly<Record<string, Layer>> = {
  Conv: conv,
  Gemm: gemm,
  MatMul: matmul,
  ScaleShift: scaleShift
}
