import { type Attribute, type Graph, isConstant, type Node, Value } from '../../graph/index.js'
import { evaluateNode, type Writer } from '../../infer/index.js'
import { narrowed, type Scale, scaleOf } from '../../ops/index.js'

/** A tensor of bytes and what makes floats of them. */
export interface Quantum extends Scale {
  readonly value: Value
}

/** The bytes behind a float that DequantizeLinear gives. */
export function quantumOf(value: Value | undefined): Quantum | undefined {
  const node = value?.producer
  if (node?.op !== 'DequantizeLinear' || !node.inputs[0]!.narrow) return undefined
  return { value: node.inputs[0]!, ...scaleOf(node)! }
}

const isSame = (a: Scale, b: Scale) => a.scale === b.scale && a.zero === b.zero

/** round(x / scale) + zero as QuantizeLinear has it, within a byte. */
export function byteOf(x: number, { scale, zero }: Scale): number {
  return narrowed(Math.fround(Math.fround(x) / scale), { yZero: zero, low: 0, high: 255 })
}

/** What a byte stands for. */
export const levelOf = (byte: number, { scale, zero }: Scale) => Math.fround((byte - zero) * scale)

/** The bytes that a function of one number makes of each byte: of `node`, whose input `index` they stand for; the others are single numbers. */
export function tabulated(
  graph: Graph,
  node: Node | undefined,
  index: number,
  from: Scale,
  to: Scale
): number[] | undefined {
  const levels = Float32Array.from({ length: 256 }, (_, byte) => levelOf(byte, from))
  const results = node ? computed(graph, node, index, levels) : levels
  return results && Array.from(results, x => byteOf(x, to))
}

function computed(graph: Graph, node: Node, index: number, levels: Float32Array): ArrayLike<number> | undefined {
  const inputs = node.inputs.map((input, i) => {
    if (i !== index)
      return input && isConstant(input)
        ? graph.constant(input.name, input.data, [input.data.length], input.dtype)
        : undefined
    return graph.constant(node.inputs[i]!.name, levels, [levels.length])
  })
  return evaluateNode(
    likeness(node, inputs),
    inputs.map(input => input?.data),
    graph.folding
  )?.[0]
}

/** A node of the same kind that stands in no graph. */
function likeness(node: Node, inputs: readonly (Value | undefined)[]): Node {
  const made = Object.assign(Object.create(Object.getPrototypeOf(node)), {
    ...node,
    inputs,
    outputs: [new Value(node.name)]
  })
  return made as Node
}

/** The bounds in bytes of an activation that is nothing else; undefined of any other. */
export function boundsOf(node: Node, to: Scale): { low: number; high: number } | undefined {
  const act = node.text('act', 'identity')
  if (act === 'identity') return { low: 0, high: 255 }
  if (act !== 'clip') return undefined
  return { low: byteOf(node.number('alpha', 0), to), high: byteOf(node.number('beta', 0), to) }
}

/** The same numbers in other steps. */
export function rescaled(write: Writer, from: Quantum, to: Scale): Value {
  return isSame(from, to) ? from.value : table(write, from, to)
}

export function table(write: Writer, from: Quantum, to: Scale): Value {
  return lookUp(write, from.value, tabulated(write.graph, undefined, 0, from, to)!)
}

/** The bytes of a table for each byte of a tensor; of one that is looked up itself the two tables are one. */
export function lookUp(write: Writer, value: Value, table: readonly number[]): Value {
  const { source, bytes } = tableOf(value)
  return write.add('Lookup', [source], { table: bytes.map(byte => table[byte]) })
}

/** What a tensor is looked up from, and the bytes that it makes of each; itself where it is not. */
export function tableOf(value: Value): { source: Value; bytes: readonly number[] } {
  const node = value.producer
  if (node?.op === 'Lookup') return { source: node.inputs[0]!, bytes: node.list('table')! }
  return { source: value, bytes: Array.from({ length: 256 }, (_, byte) => byte) }
}

export const attributesOf = (node: Node): Record<string, Attribute> => Object.fromEntries(node.attributes)

/** A value whose storage holds bytes. */
export function narrow(value: Value): Value {
  value.narrow = true
  return value
}
