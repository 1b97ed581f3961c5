import { refuse } from '../errors.js'
import { type Attribute, type Graph, type Node, Value } from '../graph/index.js'
import { ownOps } from '../ops/index.js'

/** Attributes of ONNX's operators that are floats; the reader keeps no more of numbers than their values. */
export const floatAttributes: ReadonlySet<string> = new Set([
  ...['alpha', 'beta', 'gamma', 'epsilon', 'bias', 'lambd', 'momentum', 'ratio', 'spatial_scale', 'cubic_coeff_a'],
  ...['extrapolation_value', 'value_float', 'value_floats', 'high', 'low', 'mean', 'scale', 'scales', 'seed', 'norm'],
  ...['base', 'sigma', 'clip', 'activation_alpha', 'activation_beta', 'layout_scale', 'softcap', 'threshold']
])

/** One node of ONNX's. */
export interface Spelled {
  readonly op: string
  readonly inputs: readonly (Value | undefined)[]
  readonly output: Value
  readonly attributes?: Readonly<Record<string, Attribute>>
}

/** What ONNX's newest operator sets say otherwise than the node does: nodes of which the last gives its output; undefined where nothing. */
export function spelled(graph: Graph, node: Node, opset: number): Spelled[] | undefined {
  const words = new Words(graph, node)
  const spelling = spellings[node.op]?.(words, node, opset)
  if (!spelling && ownOps.has(node.op)) throw refuse(node, 'has no operator of ONNX that says the same')
  return spelling
}

/** Nodes that are put together, the last of which gives the node's output. */
class Words {
  readonly list: Spelled[] = []

  constructor(
    private readonly graph: Graph,
    private readonly node: Node
  ) {}

  add(op: string, inputs: readonly (Value | undefined)[], attributes?: Record<string, Attribute>): Value {
    const output = new Value(this.graph.unique(this.node.name))
    this.list.push({ op, inputs, output, attributes })
    return output
  }

  last(op: string, inputs: readonly (Value | undefined)[], attributes?: Record<string, Attribute>): Spelled[] {
    this.list.push({ op, inputs, output: this.node.output, attributes })
    return this.list
  }

  number(value: number): Value {
    return this.graph.constant(this.graph.unique(this.node.name), Float32Array.of(value), [])
  }

  floats(values: readonly number[]): Value {
    return this.graph.constant(this.graph.unique(this.node.name), Float32Array.from(values), [values.length])
  }

  integers(values: readonly number[]): Value {
    return this.graph.constant(this.graph.unique(this.node.name), Float64Array.from(values), [values.length], 'int64')
  }
}

type Spelling = (words: Words, node: Node, opset: number) => Spelled[] | undefined

const attributesBut = (node: Node, ...names: string[]): Record<string, Attribute> =>
  Object.fromEntries([...node.attributes].filter(([name]) => !names.includes(name)))

/** Functions of one number as the pass recognise-activations names them. */
const activation: Spelling = (words, node) => {
  const [x] = node.inputs
  const [a, b] = [node.number('alpha', 0), node.number('beta', 0)]
  const scaled = (value: Value | undefined, by: number) => words.add('Mul', [value, words.number(by)])
  /** x / 2 * (1 + inner). */
  const halved = (inner: Value) =>
    words.last('Mul', [words.add('Mul', [x, words.add('Add', [inner, words.number(1)])]), words.number(0.5)])
  switch (node.text('act', 'identity')) {
    case 'clip':
      if (a === 0 && b === Number.POSITIVE_INFINITY) return words.last('Relu', [x])
      return words.last('Clip', [
        x,
        a > Number.NEGATIVE_INFINITY ? words.number(a) : undefined,
        b < Number.POSITIVE_INFINITY ? words.number(b) : undefined
      ])
    case 'leakyRelu':
      return words.last('LeakyRelu', [x], { alpha: a })
    case 'sigmoid':
      return words.last('Sigmoid', [x])
    case 'tanh':
      return words.last('Tanh', [x])
    case 'hardSigmoid':
      return words.last('HardSigmoid', [x], { alpha: a, beta: b })
    case 'hardSwish':
      return words.last('Mul', [x, words.add('HardSigmoid', [x], { alpha: a, beta: b })])
    case 'silu':
      return words.last('Mul', [x, words.add('Sigmoid', [x])])
    case 'mish':
      return words.last('Mul', [x, words.add('Tanh', [words.add('Softplus', [x])])])
    case 'elu':
      return words.last('Elu', [x], { alpha: a })
    case 'softplus':
      return words.last('Softplus', [x])
    case 'round':
      return words.last('Round', [x])
    case 'gelu':
      return halved(words.add('Erf', [scaled(x, Math.SQRT1_2)]))
    case 'geluTanh': {
      const cubic = scaled(words.add('Pow', [x, words.number(3)]), 0.044715)
      return halved(words.add('Tanh', [scaled(words.add('Add', [x, cubic]), Math.sqrt(2 / Math.PI))]))
    }
    default:
      return undefined
  }
}

/** An attribute that has become an input. */
const moved =
  (...names: readonly (string | undefined)[]): Spelling =>
  (words, node) => {
    if (!names.some(name => name && node.attributes.has(name))) return undefined
    const inputs = names.map(name => {
      const value = name === undefined ? undefined : node.attributes.get(name)
      if (value === undefined) return undefined
      return words.integers(typeof value === 'number' ? [value] : (value as readonly number[]))
    })
    return words.last(node.op, [node.inputs[0], ...inputs], attributesBut(node, ...names.map(String)))
  }

const reduced: Spelling = (words, node, opset) =>
  node.op === 'ReduceSum' || opset >= 18 ? moved('axes')(words, node, opset) : undefined

/** Before opset 13 over all axes from one on, as if they were one. */
const softmax: Spelling = (words, node) => {
  if (!node.attributes.has('flatten')) return undefined
  const [x] = node.inputs
  const { rank } = x!
  const axis = (node.number('axis', 1) + rank) % rank
  if (axis === rank - 1) return words.last(node.op, [x], { axis })
  const flat = words.add(node.op, [words.add('Flatten', [x], { axis })], { axis: 1 })
  return words.last('Reshape', [flat, words.add('Shape', [x])])
}

const pad: Spelling = (words, node) => {
  const pads = node.list('pads') ?? node.list('paddings')
  if (!pads) return undefined
  const inputs = [node.inputs[0], words.integers(pads), words.number(node.number('value', 0))]
  return words.last('Pad', inputs, { mode: node.text('mode', 'constant') })
}

/** Upsample, and Resize before opset 11. */
const resize: Spelling = (words, node) => {
  const [x, second] = node.inputs
  if (node.op === 'Resize' && node.inputs.length !== 2) return undefined
  const given = node.list('scales')
  const scales = given ? words.floats(given) : second
  return words.last('Resize', [x, undefined, scales], attributesBut(node, 'scales'))
}

const spellings: Readonly<Record<string, Spelling>> = {
  Activation: activation,
  Softmax: softmax,
  LogSoftmax: softmax,
  Hardmax: softmax,
  Pad: pad,
  Upsample: resize,
  Resize: resize,
  Slice: moved('starts', 'ends', 'axes'),
  Squeeze: moved('axes'),
  Unsqueeze: moved('axes'),
  Split: moved('split'),
  TopK: moved('k'),
  ...Object.fromEntries(
    ['L1', 'L2', 'LogSum', 'LogSumExp', 'Max', 'Mean', 'Min', 'Prod', 'Sum', 'SumSquare'].map(name => [
      `Reduce${name}`,
      reduced
    ])
  )
}
