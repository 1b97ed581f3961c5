import { div } from '../algebra/index.js'
import { refuse } from '../errors.js'
import type { Attribute, Graph, Node, Value } from '../graph/index.js'
import { fusedInputs } from '../ops/index.js'
import { attention, multiHeadAttention } from './attention.js'
import { Writer } from './writer.js'

/** What stands for the outputs of a node of onnxruntime's own, in ONNX's operators; undefined for those that have no other spelling. */
export type Spelling = (write: Writer, node: Node) => (Value | undefined)[]

/** The functions behind fused layers, and the numbers that they take, in the order in which FusedConv has them. */
const activations: Readonly<Record<string, readonly string[]>> = {
  ...Object.fromEntries(
    ['Relu', 'Sigmoid', 'Tanh', 'HardSwish', 'Softplus', 'Softsign', 'Gelu'].map(name => [name, []])
  ),
  LeakyRelu: ['alpha'],
  Elu: ['alpha'],
  ThresholdedRelu: ['alpha'],
  Selu: ['alpha', 'gamma'],
  HardSigmoid: ['alpha', 'beta']
}

/** The function behind a fused layer, with the numbers that `numberOf` finds for it. */
function activated(
  write: Writer,
  node: Node,
  x: Value,
  numberOf: (name: string, index: number) => number | undefined
): Value {
  const act = node.text('activation', '')
  if (!act) return x
  if (act === 'Clip') {
    const [low, high] = [numberOf('min', 0) ?? Number.NEGATIVE_INFINITY, numberOf('max', 1) ?? Number.POSITIVE_INFINITY]
    return write.add(act, [x, write.scalar(low), write.scalar(high)])
  }
  if (Object.hasOwn(activations, act)) {
    const given = activations[act].flatMap((name, i) => {
      const value = numberOf(name, i)
      return value === undefined ? [] : [[name, value] as const]
    })
    return write.add(act, [x], Object.fromEntries(given))
  }
  throw refuse(node, `activation "${act}" is not supported`)
}

/** As convolutions have them. */
const listed = (node: Node) => (_: string, index: number) => node.list('activation_params')?.[index]

/** As FusedGemm has them, an attribute each. */
const named = (node: Node) => (name: string) =>
  node.attributes.has(`activation_${name}`) ? node.number(`activation_${name}`, 0) : undefined

const convolution = ['auto_pad', 'dilations', 'group', 'kernel_shape', 'pads', 'strides'] as const

const kept = (node: Node, names: readonly string[]): Record<string, Attribute> =>
  Object.fromEntries([...node.attributes].filter(([name]) => names.includes(name)))

/** Conv, then what is added to it, then the activation. */
const fusedConv: Spelling = (write, node) => {
  const [x, w, bias, sum] = node.inputs
  const y = write.add('Conv', bias ? [x, w, bias] : [x, w], kept(node, convolution))
  return [activated(write, node, sum ? write.add('Add', [y, sum]) : y, listed(node))]
}

/** Channels innermost; `filters` says whether the filters' are as well (M × kH × kW × C). */
const lastConv =
  (filters: boolean): Spelling =>
  (write, node) => {
    const [x, w, bias, sum] = node.inputs as (Value | undefined)[]
    const { rank } = x!
    const first = (value: Value) => write.add('Transpose', [value], { perm: [0, rank - 1, ...between(1, rank - 1)] })
    const y = write.add('Conv', [first(x!), filters ? first(w!) : w, bias], kept(node, convolution))
    const last = write.add('Transpose', [y], { perm: [0, ...between(2, rank), 1] })
    return [activated(write, node, sum ? write.add('Add', [last, sum]) : last, listed(node))]
  }

/** Whole numbers from `from` on, below `to`. */
const between = (from: number, to: number) => Array.from({ length: Math.max(to - from, 0) }, (_, i) => from + i)

/** Operands whose first axis goes behind the others of the batch, and whose last two change places. */
const fusedMatMul: Spelling = (write, node) => {
  const operand = (index: number, name: string) => {
    const x = node.inputs[index]!
    const { rank } = x
    if (rank < 2) return x
    const axes = between(0, rank)
    const moved = node.number(`transBatch${name}`, 0) ? [...axes.slice(1, -1), 0, rank - 1] : axes
    const perm = node.number(`trans${name}`, 0) ? [...moved.slice(0, -2), moved[rank - 1], moved[rank - 2]] : moved
    return perm.every((axis, i) => axis === i) ? x : write.add('Transpose', [x], { perm })
  }
  const y = write.add('MatMul', [operand(0, 'A'), operand(1, 'B')])
  const alpha = node.number('alpha', 1)
  return [alpha === 1 ? y : write.add('Mul', [y, write.scalar(alpha)])]
}

const fusedGemm: Spelling = (write, node) => {
  const y = write.add('Gemm', node.inputs, kept(node, ['alpha', 'beta', 'transA', 'transB']))
  return [activated(write, node, y, named(node))]
}

/** Gelu of the sum with a bias, if there is one. */
const gelu =
  (approximate: 'none' | 'tanh'): Spelling =>
  (write, { inputs: [x, bias] }) => [write.add('Gelu', [bias ? write.add('Add', [x, bias]) : x], { approximate })]

/** x * sigmoid(alpha x). */
const quickGelu: Spelling = (write, node) => {
  const [x] = node.inputs
  const scaled = write.add('Mul', [x, write.scalar(node.number('alpha', 1.702))])
  return [write.add('Mul', [x, write.add('Sigmoid', [scaled])])]
}

/** Of the sum the first half, times Gelu of the second. */
const biasSplitGelu: Spelling = (write, { inputs: [x, bias] }) => {
  const sum = write.add('Add', [x, bias])
  const { rank, shape } = sum
  const size = div(shape[rank - 1], 2)
  const part = (from: Value, to: Value) => write.add('Slice', [sum, from, to, write.sizes([rank - 1])])
  const [a, b] = [
    part(write.sizes([0]), write.sizes([size])),
    part(write.sizes([size]), write.sizes([shape[rank - 1]]))
  ]
  return [write.add('Mul', [a, write.add('Gelu', [b], { approximate: 'none' })])]
}

const biasAdd: Spelling = (write, { inputs: [x, bias, skip] }) => [
  write.add('Add', [write.add('Add', [x, bias]), skip])
]

/** Groups of channels, which lie innermost unless the node says otherwise; with x * sigmoid(x) behind them or not. */
const groupNorm: Spelling = (write, node) => {
  const [x, scale, bias] = node.inputs as Value[]
  const { rank } = x
  const last = node.number('channels_last', 1) !== 0
  const first = last ? write.add('Transpose', [x], { perm: [0, rank - 1, ...between(1, rank - 1)] }) : x
  const attributes = { num_groups: node.number('groups', 1), epsilon: node.number('epsilon', 1e-5) }
  const y = write.add('GroupNormalization', [first, scale, bias], attributes)
  const back = last ? write.add('Transpose', [y], { perm: [0, ...between(2, rank), 1] }) : y
  return [node.number('activation', 0) ? write.add('Mul', [back, write.add('Sigmoid', [back])]) : back]
}

/** x / sqrt(mean(x²) + epsilon) * scale over the axes from one on, and the reciprocal root. */
function byRoot(write: Writer, x: Value, scale: Value, axis: number, epsilon: number): [Value, Value] {
  const axes = between(axis < 0 ? axis + x.rank : axis, x.rank)
  const square = write.add('ReduceMean', [write.add('Mul', [x, x])], { axes, keepdims: 1 })
  const root = write.add('Sqrt', [write.add('Add', [square, write.scalar(epsilon)])])
  return [write.add('Mul', [write.add('Div', [x, root]), scale]), write.add('Reciprocal', [root])]
}

const simplified: Spelling = (write, node) => {
  const [x, scale] = node.inputs as Value[]
  return byRoot(write, x, scale, node.number('axis', -1), node.number('epsilon', 1e-5))
}

/** Normalised is the sum of the two inputs, and of a bias. */
const skipped =
  (isSimplified: boolean): Spelling =>
  (write, node) => {
    const [x, skip, scale, ...rest] = node.inputs as Value[]
    const [shift, bias] = isSimplified ? [undefined, rest[0]] : rest
    const both = write.add('Add', [x, skip])
    const sum = bias ? write.add('Add', [both, bias]) : both
    const epsilon = node.number('epsilon', 1e-12)
    if (isSimplified) {
      const [y, root] = byRoot(write, sum, scale, -1, epsilon)
      return [y, undefined, root, sum]
    }
    const y = write.add('LayerNormalization', shift ? [sum, scale, shift] : [sum, scale], { axis: -1, epsilon })
    return [y, undefined, undefined, sum]
  }

const spellings: Readonly<Record<string, Spelling>> = {
  'com.microsoft:FusedConv': fusedConv,
  'com.microsoft:NhwcConv': lastConv(true),
  'com.microsoft:NhwcFusedConv': lastConv(false),
  'com.ms.internal.nhwc:Conv': lastConv(false),
  'com.microsoft:FusedMatMul': fusedMatMul,
  'com.microsoft:FusedGemm': fusedGemm,
  'com.microsoft:Gelu': gelu('none'),
  'com.microsoft:BiasGelu': gelu('none'),
  'com.microsoft:FastGelu': gelu('tanh'),
  'com.microsoft:QuickGelu': quickGelu,
  'com.microsoft:BiasSplitGelu': biasSplitGelu,
  'com.microsoft:BiasAdd': biasAdd,
  'com.microsoft:GroupNorm': groupNorm,
  SimplifiedLayerNormalization: simplified,
  'com.microsoft:SkipLayerNormalization': skipped(false),
  'com.microsoft:SkipSimplifiedLayerNormalization': skipped(true),
  'com.microsoft:Attention': attention,
  'com.microsoft:MultiHeadAttention': multiHeadAttention
}

/** Puts ONNX's operators in the place of one of onnxruntime's own; `give` leaves an output with what it is. */
function spell(
  graph: Graph,
  node: Node,
  give: (graph: Graph, node: Node, output: Value, value: Value) => void
): boolean {
  const missing = between(0, fusedInputs[node.op]).find(i => !node.inputs[i])
  if (missing !== undefined) throw refuse(node, `input ${missing} is missing`)
  const values = spellings[node.op](new Writer(graph, node.name, node), node)
  node.outputs.forEach((output, i) => {
    const value = values[i]
    if (value) give(graph, node, output, value)
    else if (output.users.length || graph.isOutput(output))
      throw refuse(node, `output ${i} "${output.name}" is not supported`)
  })
  graph.remove(node)
  return true
}

type Give = Parameters<typeof spell>[2]

/** By operator, what puts others in its place. */
export const fusions = (give: Give): Record<string, (graph: Graph, node: Node) => boolean> =>
  Object.fromEntries(Object.keys(spellings).map(op => [op, (graph: Graph, node: Node) => spell(graph, node, give)]))
