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

/** What each byte stands for. */
const levelsOf = ({ scale, zero }: Scale) =>
  Float32Array.from({ length: 256 }, (_, i) => Math.fround((i - zero) * scale))

/** The bytes that a function of one number makes of each byte: of `node`, whose input `index` they stand for; the others are single numbers. */
export function tabulated(
  graph: Graph,
  node: Node | undefined,
  index: number,
  from: Scale,
  to: Scale
): number[] | undefined {
  const levels = levelsOf(from)
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
  return write.add('Lookup', [from.value], { table: tabulated(write.graph, undefined, 0, from, to)! })
}

export const attributesOf = (node: Node): Record<string, Attribute> => Object.fromEntries(node.attributes)

/** A value whose storage holds bytes. */
export function narrow(value: Value): Value {
  value.narrow = true
  return value
}
