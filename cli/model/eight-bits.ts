import { type Graph, isConstant, type Value } from '../../compiler/graph/index.js'
import type { Constant, Held, Program } from '../../runtime/file/index.js'

/** How a compiled model holds its weights, and what computes with them. */
export interface Arithmetic {
  readonly stored: Held
  /** What is more to say, where it is. */
  readonly how?: 'layers on bytes' | 'widened when loaded: float arithmetic'
}

type Weighed = Pick<Program, 'kernels' | 'narrow'> & {
  readonly constants: readonly Pick<Constant, 'stored' | 'groups' | 'rows' | 'columns'>[]
}

/** Told from its constants; where bytes lie between its layers, some of these compute with them. */
export function arithmeticOf({ constants, kernels, narrow }: Weighed): Arithmetic {
  if (constants.some(({ stored }) => stored === 'i8')) {
    const isWidened = !narrow.length && kernels.some(({ name }) => name === 'widen8')
    return { stored: 'i8', how: isWidened ? 'widened when loaded: float arithmetic' : 'layers on bytes' }
  }
  const sizeOf = (list: Weighed['constants']) =>
    list.reduce((sum, { groups, rows, columns }) => sum + groups * rows * columns, 0)
  return { stored: sizeOf(constants.filter(({ stored }) => stored === 'f16')) * 2 > sizeOf(constants) ? 'f16' : 'f32' }
}

/** For people: `int8, layers on bytes`, `f16`. */
export function arithmeticText({ stored, how }: Arithmetic): string {
  const name = stored === 'i8' ? 'int8' : stored
  return how ? `${name}, ${how}` : name
}

/** What moves, picks or bends numbers and never takes them further apart. */
const narrowing = new Set(
  (
    'Identity Reshape Flatten Transpose Squeeze Unsqueeze Slice Split Gather Expand Tile Concat Pad DepthToSpace ' +
    'MaxPool AveragePool GlobalAveragePool GlobalMaxPool ReduceMean ReduceMax Relu LeakyRelu Clip Sigmoid HardSigmoid Tanh Softmax'
  ).split(' ')
)

/**
 * Of a model with QuantizeLinear or the like: how far apart two neighbours of the bytes are that a value comes from. A value behind
 * other arithmetic has no such step; of a model of floats there is no function.
 */
export function stepsOf(graph: Graph): ((name: string) => number | undefined) | undefined {
  if (!graph.nodes.some(({ op }) => /^QLinear|QuantizeLinear$/.test(op))) return undefined
  const values = new Map(graph.nodes.flatMap(({ outputs }) => outputs.map(value => [value.name, value])))
  graph.outputNames.forEach((name, i) => values.set(name, graph.outputs[i]))
  return name => {
    const value = values.get(name)
    return value && stepOf(value)
  }
}

function stepOf({ producer }: Value): number | undefined {
  if (!producer) return undefined
  const { op, inputs } = producer
  if (op === 'QuantizeLinear' || op === 'DynamicQuantizeLinear' || op.startsWith('QLinear')) return 1
  if (op === 'DequantizeLinear') {
    const scale = inputs[1]
    return isConstant(scale) ? Math.max(...scale.data) : undefined
  }
  if (!narrowing.has(op)) return undefined
  const steps = inputs.filter((each): each is Value => Boolean(each?.producer)).map(stepOf)
  return steps.length && steps.every(step => step !== undefined) ? Math.max(...(steps as number[])) : undefined
}
