import { isStatic } from '../../algebra/index.js'
import { type Attribute, type Graph, isConstant, type Node, type Value } from '../../graph/index.js'
import { Writer } from '../../infer/index.js'
import { narrowed, reducedAxes, type Scale, scaleOf } from '../../ops/index.js'
import { count, type Pass } from '../pass.js'
import { type Layer, layers } from './layers.js'
import { movements, partOf } from './movements.js'
import {
  attributesOf,
  boundsOf,
  levelOf,
  lookUp,
  narrow,
  type Quantum,
  quantumOf,
  rescaled,
  table,
  tableOf,
  tabulated
} from './scales.js'

/**
 * What stands between DequantizeLinear and QuantizeLinear becomes one layer of bytes: products of whole numbers with a
 * requantisation, sums and products with scales of their own, means, maxima, movements as they are, and any function of one number as a
 * table. What has no such layer stays a float layer between conversions.
 */
export const quantise: Pass = {
  name: 'quantise',
  run(graph) {
    for (const node of graph.nodes) if (node.op === 'QuantizeLinear') node.output.narrow = true
    let made = 0
    for (const node of [...graph.nodes]) {
      if (node.op !== 'QuantizeLinear') continue
      const write = new Writer(graph, node.inputs[0]!.producer?.name ?? node.name, node)
      const bytes = layerOf(write, node)
      if (!bytes) continue
      // Elements of int8 are bytes too, by 128 more.
      bytes.dtype = node.output.dtype
      graph.bypass(node, bytes)
      made++
    }
    removeUnread(graph)
    return count(made, 'layer of bytes', 'layers of bytes')
  }
}

/** Bytes that hold what the QuantizeLinear gives; undefined where floats have to be computed. */
function layerOf(write: Writer, quantize: Node): Value | undefined {
  const to = scaleOf(quantize)!
  const [x] = quantize.inputs
  const own = quantumOf(x)
  if (own) return own.value.dtype === quantize.output.dtype ? rescaled(write, own, to) : table(write, own, to)
  const node = x?.producer
  if (!node || write.graph.onlyUser(x) !== quantize) return undefined
  if (node.outputs.length > 1) return node.op === 'Split' ? partOf(write, node, x, to) : undefined
  return layers[node.op]?.(write, node, to) ?? others[node.op]?.(write, node, to) ?? asTable(write, node, to)
}

/** Operators that are functions of one number where their other operands are single numbers. */
export const arithmetic: readonly string[] = ['Add', 'Sub', 'Mul', 'Div', 'Pow', 'Max', 'Min', 'Sqrt', 'Exp']
const ofOneNumber = new Set([...arithmetic, 'Activation', 'Clip', 'Relu'])

const asTable: Layer = (write, node, to) => {
  if (!ofOneNumber.has(node.op)) return undefined
  const index = node.inputs.findIndex(input => quantumOf(input))
  const others = node.inputs.filter((input, i) => input && i !== index)
  if (index < 0 || !others.every(input => isConstant(input) && input.data.length === 1)) return undefined
  const from = quantumOf(node.inputs[index])!
  if (node.output.rank !== from.value.rank) return undefined
  const table = tabulated(write.graph, node, index, from, to)
  return table && lookUp(write, from.value, table)
}

const binary =
  (kind: string): Layer =>
  (write, node, to) => {
    const [a, b] = node.inputs.map(input => quantumOf(input))
    const bounds = boundsOf(node, to)
    if (!a || !b || !bounds || node.inputs.length > 2) return undefined
    const together = ofOneByte(write, a, b, (x, y) =>
      narrowed(Math.fround(Math.fround(kind === 'add' ? x + y : x * y) / to.scale), { yZero: to.zero, ...bounds })
    )
    if (together) return together
    return write.add('Binary8', [a.value, b.value], {
      ...{ kind, aZero: a.zero, bZero: b.zero, aScale: a.scale, bScale: b.scale, yScale: to.scale, yZero: to.zero },
      ...bounds
    })
  }

/** Of two functions of the same bytes, as a sigmoid and its own argument are, what a function makes of both is one table. */
function ofOneByte(write: Writer, a: Quantum, b: Quantum, of: (x: number, y: number) => number): Value | undefined {
  const [left, right] = [tableOf(a.value), tableOf(b.value)]
  if (left.source !== right.source) return undefined
  const table = left.bytes.map((byte, i) => of(levelOf(byte, a), levelOf(right.bytes[i], b)))
  return write.add('Lookup', [left.source], { table })
}

const maxPool: Layer = (write, node, to) => {
  const from = quantumOf(node.inputs[0])
  if (!from) return undefined
  const value = write.add('Pool8', [from.value], { ...attributesOf(node), kind: 'max' })
  return rescaled(write, { ...from, value }, to)
}

/** Means over windows of these attributes. */
function meanPool(write: Writer, from: Quantum, to: Scale, attributes: Record<string, Attribute>): Value {
  const scale = Math.fround(from.scale / to.scale)
  return write.add('Pool8', [from.value], { ...attributes, scale, xZero: from.zero, yZero: to.zero })
}

const averagePool: Layer = (write, node, to) => {
  const from = quantumOf(node.inputs[0])
  const kind = node.number('count_include_pad', 0) ? 'paddedMean' : 'mean'
  return from && meanPool(write, from, to, { ...attributesOf(node), kind })
}

/** A mean over all spatial axes is one window. */
const globalMean: Layer = (write, node, to) => {
  const from = quantumOf(node.inputs[0])
  const spatial = from?.value.shape.slice(2) ?? []
  if (!from || spatial.length < 1 || spatial.length > 3 || !isStatic(spatial)) return undefined
  const axes = node.op === 'ReduceMean' ? reducedAxes(node) : spatial.map((_, i) => i + 2)
  if (axes.length !== spatial.length || axes.some((axis, i) => axis !== i + 2)) return undefined
  const value = meanPool(write, from, to, { kernel_shape: spatial as number[], kind: 'mean' })
  return node.output.rank === value.rank ? value : narrow(write.reshape(value, node.output.shape))
}

/** Parts in the steps of the whole. */
const concat: Layer = (write, node, to) => {
  const parts = node.inputs.map(input => quantumOf(input))
  if (!parts.every(part => part !== undefined)) return undefined
  return narrow(
    write.add(
      'Concat',
      parts.map(part => rescaled(write, part, to)),
      attributesOf(node)
    )
  )
}

const others: Readonly<Record<string, Layer>> = {
  Add: binary('add'),
  Mul: binary('mul'),
  MaxPool: maxPool,
  AveragePool: averagePool,
  GlobalAveragePool: globalMean,
  ReduceMean: globalMean,
  Concat: concat,
  ...movements
}

/** Float layers, and conversions, that nobody reads any more. */
function removeUnread(graph: Graph): void {
  for (const node of [...graph.nodes].reverse())
    if (node.outputs.every(output => !output.users.length && !graph.isOutput(output))) graph.remove(node)
}
