import { show } from '../../compiler/algebra/index.js'
import { type Graph, isConstant, type Node, type Value } from '../../compiler/graph/index.js'
import { type ImportOptions, importOnnx, kindOf } from '../../compiler/onnx/index.js'
import { deadCode, foldConstants } from '../../compiler/passes/index.js'
import { CairnError } from '../../runtime/base/index.js'
import { inputOf } from '../program.js'

/** Layers of a network, found on the graph as ONNX has it, whose names are the model's own. */

const layers = new Set(['Conv', 'ConvTranspose', 'Gemm', 'MatMul'])
/** What belongs to the layer before it: activations, norms, and what only training changes. */
const endings = new Set([
  ...['BatchNormalization', 'InstanceNormalization', 'LRN', 'Dropout', 'Identity', 'Relu', 'Clip', 'LeakyRelu'],
  ...['PRelu', 'Elu', 'Selu', 'Celu', 'Gelu', 'Tanh', 'Softplus', 'Softsign', 'Mish', 'HardSwish', 'Sigmoid'],
  ...['HardSigmoid', 'ThresholdedRelu']
])
/** Of these the gradient is 0 where a unit says nothing. */
const silencing = new Set(['Relu', 'Clip', 'ThresholdedRelu', 'HardSigmoid', 'HardSwish'])
/** What gives the gate of x · σ(x). */
const gates = new Set(['Sigmoid', 'HardSigmoid'])

/** The model for one picture of these sizes, its constants folded, and no more than its outputs need. */
export function graphOf(bytes: Uint8Array, dims: readonly number[], options: ImportOptions): Graph {
  if (kindOf(bytes)?.name === 'cairn')
    throw new CairnError('a compiled model holds calls of kernels, not layers by name: give the .onnx')
  const { name } = inputOf(importOnnx(bytes, options))
  const graph = importOnnx(bytes, { ...options, shapes: { ...options.shapes, [name]: dims } })
  foldConstants.run(graph)
  deadCode.run(graph)
  return graph
}

/** The value behind the activation of what makes `value`, where nothing else reads what lies between. */
export function behind(value: Value): Value {
  for (;;) {
    const [user, other] = value.users
    if (value.users.length === 1 && user && endings.has(user.op) && user.inputs[0] === value) value = user.output
    else if (isBias(user, value) && value.users.length === 1) value = user.output
    else {
      // x · σ(x), as exporters spell it.
      const [gate, product] = gates.has(user?.op ?? '') ? [user, other] : [other, user]
      const isSwish = value.users.length === 2 && gates.has(gate.op) && product.op === 'Mul'
      if (!isSwish || !product.inputs.includes(gate.output)) return value
      value = product.output
    }
  }
}

const isBias = (node: Node | undefined, of: Value): node is Node =>
  node?.op === 'Add' && node.inputs.some(input => input !== of && isConstant(input))

/** What each layer with weights gives, behind its activation, in the order of running. */
function layersIn(graph: Graph): Value[] {
  const found = graph.nodes.filter(node => layers.has(node.op) && node.inputs.some(isConstant))
  return [...new Set(found.map(node => behind(node.output)))].filter(({ shape }) => unitsOf(shape) !== undefined)
}

/** What the layers named so give, or without names all that `layersIn` finds. Throws CairnError where there is none. */
export function layersAsked(graph: Graph, names: readonly string[] | undefined): Value[] {
  const found = names?.map(name => layerNamed(graph, name)) ?? layersIn(graph)
  if (found.length) return found
  throw new CairnError(
    'the model has no layer with float weights whose maps have known sizes; of a quantised model the float .onnx is allowed'
  )
}

/** What the layer named so gives: a node's output, or a value. Throws CairnError for a name that there is not. */
function layerNamed(graph: Graph, name: string): Value {
  const node = graph.nodes.find(node => node.name === name && node.outputs.length > 0)
  const found = node?.output ?? [...graph.values].find(value => value.name === name && value.producer)
  const told = (value: Value) => value.shape.map(show).join('×')
  if (found && unitsOf(found.shape) !== undefined) return found
  if (found)
    throw new CairnError(`layer "${name}" gives ${told(found)}; 1×C, or 1×C×H×W, of sizes that are known, is allowed`)
  const names = layersIn(graph).map(value => `"${nameOf(value)}"`)
  const list =
    names.length > mostNames ? [...names.slice(0, mostNames / 2), '…', ...names.slice(-mostNames / 2)] : names
  throw new CairnError(`layer "${name}": the model has no such node or value; its layers are ${list.join(', ')}`)
}

const mostNames = 12

/** The name of what makes it, which `layerNamed` finds again. */
export const nameOf = ({ name, producer }: Value): string => producer?.name || name

/** Units and the places that each has, of [1, C] or [1, C, H, W]; undefined of others. */
export function unitsOf(shape: Value['shape']): { units: number; height: number; width: number } | undefined {
  const [batch, units, height = 1, width = 1] = shape
  const isKnown = shape.every(size => typeof size === 'number' && size > 0)
  if (!isKnown || batch !== 1 || (shape.length !== 2 && shape.length !== 4)) return undefined
  return { units, height, width } as { units: number; height: number; width: number }
}

/** What an activation reads that is silent, and gives no gradient, where it should first be made to speak. */
export function beforeSilence(value: Value): Value {
  while (value.producer && silencing.has(value.producer.op)) value = value.producer.inputs[0]!
  return value
}
