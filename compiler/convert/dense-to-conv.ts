import { type Dim, product } from '../algebra/index.js'
import { CompileError, refuse } from '../errors.js'
import { type Elements, type Graph, isConstant, type Node, type Value } from '../graph/index.js'
import { intsOf } from '../ops/index.js'

/** What stands for a value of rows [N, channels · height · width]. */
interface Maps {
  /** Maps [N, channels, ...], whose sides were `sides` where they were flattened: as large is the kernel of a layer that reads them. */
  readonly value: Value
  readonly channels: number
  readonly sides: readonly [height: number, width: number]
  /** Whether rows had the channels innermost. */
  readonly isTurned: boolean
}

const isPoint = ({ sides }: Maps) => sides[0] === 1 && sides[1] === 1

/** Functions of each element alone. */
const elementwise: ReadonlySet<string> = new Set([
  ...['Cast', 'Celu', 'Clip', 'Dropout', 'Elu', 'Gelu', 'HardSigmoid', 'HardSwish', 'Identity', 'LeakyRelu', 'Mish'],
  ...['Neg', 'Relu', 'Selu', 'Sigmoid', 'Softplus', 'Softsign', 'Swish', 'Tanh', 'ThresholdedRelu']
])
const arithmetic: ReadonlySet<string> = new Set(['Add', 'Sub', 'Mul', 'Div', 'PRelu', 'Sum', 'Max', 'Min'])
const softmaxes: ReadonlySet<string> = new Set(['Softmax', 'LogSoftmax', 'Hardmax'])

/** What takes each map as a whole, and what takes windows of it. */
const pools: Readonly<Record<string, string>> = {
  GlobalAveragePool: 'AveragePool',
  GlobalMaxPool: 'MaxPool',
  ReduceMean: 'AveragePool',
  ReduceMax: 'MaxPool'
}

/**
 * Turns fully connected layers behind flattened maps into convolutions, in place; shapes are to be inferred anew. `fixed` is the
 * same model at the size of its crops, which says how large maps are there. Throws CompileError where rows are read otherwise.
 */
export function denseToConv(graph: Graph, fixed: Graph, onNote: (note: string) => void): void {
  const rewrite = new Rewrite(graph, new Map([...fixed.values].map(({ name, shape }) => [name, shape])))
  for (const node of [...graph.nodes]) rewrite.visit(node)
  if (!rewrite.layers)
    throw new CompileError(
      'the model has no fully connected layer behind flattened maps; nothing becomes a convolution'
    )
  for (const node of graph.nodes)
    if (rewrite.isWhole(node) && node.output.users.length)
      onNote(`${node.op} "${node.name}" looks at all of a picture: a larger one gives other numbers than its crops do`)
}

class Rewrite {
  /** Fully connected layers that are convolutions now. */
  layers = 0
  private readonly rows = new Map<Value, Maps>()

  constructor(
    private readonly graph: Graph,
    private readonly shapes: ReadonlyMap<string, readonly Dim[]>
  ) {}

  visit(node: Node): void {
    if (this.flatten(node)) return
    const given = node.inputs.map(input => input && this.rows.get(input))
    const first = given.find(each => each)
    if (!first) return
    const isFirst = given[0] === first
    if (isFirst && (node.op === 'Gemm' || node.op === 'MatMul')) this.layer(node, first)
    else if (isFirst && elementwise.has(node.op)) this.become(node, first)
    else if (arithmetic.has(node.op)) this.combine(node, given, first)
    else if (isFirst && isPoint(first) && node.op === 'BatchNormalization') this.become(node, first)
    else if (isFirst && isPoint(first) && softmaxes.has(node.op)) this.softmax(node, first)
    else if (node.op === 'Concat' && given.every(each => each && isPoint(each))) this.concat(node, given as Maps[])
    else
      throw refuse(
        node,
        'reads rows that become maps, as maps cannot be read; functions of each element, Softmax, Concat of classes and fully connected layers with constant weights are allowed'
      )
  }

  /** Whether a node makes one number of each map. */
  isWhole(node: Node): boolean {
    if (!pools[node.op] || this.sizesOf(node.inputs[0]!)?.length !== 4) return false
    if (node.op.startsWith('Global')) return true
    const axes = node.list('axes') ?? (node.inputs[1] && intsOf(node, 1, 'axes'))
    return axes?.length === 2 && axes.every(axis => [2, 3].includes(((axis as number) + 4) % 4))
  }

  /** What makes rows of maps: who reads these reads the maps. */
  private flatten(node: Node): boolean {
    const [x] = node.inputs
    if (!x || this.rows.has(x) || isConstant(x)) return false
    if (this.sizesOf(x)?.length !== 4 || this.sizesOf(node.output)?.length !== 2) return false
    if (this.isWhole(node)) {
      const channels = this.window(node)
      this.rows.set(node.output, { value: node.output, channels, sides: [1, 1], isTurned: false })
      return true
    }
    if (!['Flatten', 'Reshape', 'Squeeze'].includes(node.op)) return false
    const before = x.producer
    const isTurned = before?.op === 'Transpose' && `${before.list('perm')}` === '0,2,3,1'
    const value = isTurned ? before.inputs[0]! : x
    const [batch, ...sizes] = this.sizesOf(value)!
    const [rows, width] = this.sizesOf(node.output)!
    if (!sizes.every(size => typeof size === 'number') || width !== product(sizes) || `${rows}` !== `${batch}`)
      return false
    if (value.producer && this.isWhole(value.producer)) this.window(value.producer)
    const [channels, ...sides] = sizes
    this.rows.set(node.output, { value, channels, sides: [sides[0], sides[1]], isTurned })
    return true
  }

  private sizesOf(value: Value): readonly Dim[] | undefined {
    return this.shapes.get(value.name)
  }

  /** Takes windows as large as maps were, in the place of all of them; gives the number of channels. */
  private window(node: Node): number {
    const [, channels, ...sides] = this.sizesOf(node.inputs[0]!)! as number[]
    node.op = pools[node.op]
    this.graph.setInput(node, 1, undefined)
    setAttributes(node, { kernel_shape: sides, strides: [1, 1] })
    return channels
  }

  private layer(node: Node, { value, channels, sides, isTurned }: Maps): void {
    const [, weights, bias] = node.inputs
    const isProduct = node.op === 'MatMul'
    if (!isConstant(weights) || weights.rank !== 2 || (bias && !isConstant(bias)) || node.number('transA', 0))
      throw refuse(node, 'has weights that are not constant; a layer of constant weights and biases is allowed')
    const [alpha, beta] = isProduct ? [1, 1] : [node.number('alpha', 1), node.number('beta', 1)]
    const isAcross = !isProduct && node.number('transB', 0) === 1
    const [outputs, inputs] = (isAcross ? weights.shape : [...weights.shape].reverse()) as number[]
    const area = sides[0] * sides[1]
    const kernels = new Float32Array(outputs * inputs)
    for (let o = 0; o < outputs; o++)
      for (let c = 0; c < channels; c++)
        for (let i = 0; i < area; i++) {
          const from = isTurned ? i * channels + c : c * area + i
          const at = isAcross ? o * inputs + from : from * outputs + o
          kernels[(o * channels + c) * area + i] = alpha * weights.data[at]
        }
    const shape = [outputs, channels, ...sides]
    const operands: (Value | undefined)[] = [value, this.constant(weights, kernels, shape)]
    if (bias) {
      const { data } = bias
      const values = Float32Array.from({ length: outputs }, (_, o) => beta * data[data.length === 1 ? 0 : o])
      operands.push(this.constant(bias, values, [outputs]))
    }
    node.inputs.forEach((_, i) => this.graph.setInput(node, i, operands[i]))
    node.op = 'Conv'
    setAttributes(node, { kernel_shape: [...sides] })
    this.layers++
    this.rows.set(node.output, { value: node.output, channels: outputs, sides: [1, 1], isTurned: false })
  }

  private constant(like: Value, data: Elements, shape: number[]): Value {
    return this.graph.constant(this.graph.unique(like.name), data, shape)
  }

  /** The same function, of maps. */
  private become(node: Node, maps: Maps): void {
    this.graph.setInput(node, 0, maps.value)
    this.rows.set(node.output, { ...maps, value: node.output })
  }

  /** Maps with others of their kind, or with a constant of each channel. */
  private combine(node: Node, given: readonly (Maps | undefined)[], first: Maps): void {
    node.inputs.forEach((input, i) => {
      const maps = given[i]
      if (maps) {
        const isAlike = `${maps.sides}` === `${first.sides}` && maps.channels === first.channels
        if (!isAlike || maps.isTurned !== first.isTurned) throw refuse(node, 'combines maps of different sizes')
        return this.graph.setInput(node, i, maps.value)
      }
      if (!isConstant(input)) throw refuse(node, `combines maps and rows; maps and constants are allowed`)
      if (input.data.length === 1) return
      const shape = input.shape as number[]
      if (!isPoint(first) || input.data.length !== first.channels || shape.at(-1) !== first.channels)
        throw refuse(node, `takes a constant [${shape}]; one number for each of ${first.channels} channels is allowed`)
      this.graph.setInput(node, i, this.constant(input, input.data, [first.channels, 1, 1]))
    })
    this.rows.set(node.output, { ...first, value: node.output })
  }

  /** Over the classes of each place. */
  private softmax(node: Node, maps: Maps): void {
    if (![1, -1].includes(node.number('axis', -1))) throw refuse(node, 'is not over classes; axis 1 is allowed')
    setAttributes(node, { axis: 1 })
    this.become(node, maps)
  }

  private concat(node: Node, given: readonly Maps[]): void {
    if (![1, -1].includes(node.number('axis', 0))) throw refuse(node, 'joins rows of a batch; axis 1 is allowed')
    given.forEach(({ value }, i) => this.graph.setInput(node, i, value))
    setAttributes(node, { axis: 1 })
    const channels = given.reduce((sum, maps) => sum + maps.channels, 0)
    this.rows.set(node.output, { value: node.output, channels, sides: [1, 1], isTurned: false })
  }
}

function setAttributes({ attributes }: Node, values: Record<string, number | number[]>): void {
  attributes.clear()
  for (const [name, value] of Object.entries(values)) attributes.set(name, value)
}
