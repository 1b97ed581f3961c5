import { product, show } from '../compiler/algebra/index.js'
import { ancestors, type Graph, isConstant, type Node, type Value } from '../compiler/graph/index.js'
import { CairnError } from '../runtime/base/index.js'

/** What of a network is explained, and at which layer: found on the graph as ONNX has it, whose names are the model's own. */

const shaping = new Set(['Reshape', 'Flatten', 'Squeeze', 'Unsqueeze', 'Identity', 'Dropout', 'Cast'])
const squashing = new Set(['Softmax', 'LogSoftmax', 'Sigmoid'])

/**
 * The scores that are explained: an output by its name, or the first that is one row of numbers, or the first. Of one that ends in
 * Softmax, LogSoftmax or Sigmoid what these read: a probability near 1 has next to no gradient.
 */
export function scoresOf(graph: Graph, output?: string): Value {
  const row = ({ shape }: Value) => shape.filter(size => size !== 1).length === 1
  const at = output === undefined ? Math.max(graph.outputs.findIndex(row), 0) : graph.outputNames.indexOf(output)
  if (at < 0)
    throw new CairnError(`no output "${output}"; ${graph.outputNames.map(name => `"${name}"`).join(', ')} are allowed`)
  const end = graph.outputs[at]
  let value = end
  while (value.producer && shaping.has(value.producer.op)) value = value.producer.inputs[0]!
  const last = value.producer
  return last && squashing.has(last.op) ? last.inputs[0]! : end
}

const convolutions = new Set(['Conv', 'ConvTranspose'])
const pools = new Set(['MaxPool', 'AveragePool', 'LRN', 'Dropout', 'Identity'])
/** Operators that move or weigh no pixels otherwise than channels: maps of maps are maps. */
const moving = new Set(['Transpose', 'Reshape', 'Flatten', 'Squeeze', 'Unsqueeze', 'MatMul', 'Gemm', 'Softmax'])

const isMap = ({ shape }: Value) => shape.length === 4 && !shape.slice(2).every(size => size === 1)

/**
 * The maps that class activation maps weigh: those of a node or value that is named, or the last ones, [1, C, H, W], that are
 * computed from a convolution by whatever keeps pixels in their places, before the pooling that ends them.
 */
export function layerOf(graph: Graph, scores: Value, name?: string): Value {
  const before = ancestors(scores)
  if (name !== undefined) return named(graph, before, name)
  const maps = new Set<Value>()
  let last: Value | undefined
  for (const node of graph.nodes) {
    const isConvolution = convolutions.has(node.op)
    if (!isConvolution && (moving.has(node.op) || !node.inputs.some(input => input && maps.has(input)))) continue
    if (!before.has(node.output) || !isMap(node.output)) continue
    maps.add(node.output)
    last = node.output
  }
  while (last?.producer && pools.has(last.producer.op) && maps.has(last.producer.inputs[0]!))
    last = last.producer.inputs[0]!
  if (last) return last
  throw new CairnError('the model has no convolution whose maps could be weighed; a method such as saliency needs none')
}

function named(graph: Graph, before: ReadonlySet<Value>, name: string): Value {
  const isNamed = (node: Node) => node.name === name && node.outputs.length > 0
  const found = graph.nodes.find(isNamed)?.output ?? [...graph.values].find(value => value.name === name)
  if (!found || isConstant(found)) {
    const layers = graph.nodes.filter(node => before.has(node.output) && isMap(node.output)).slice(-6)
    const names = layers.map(node => `"${node.name}"`).join(', ')
    throw new CairnError(`layer "${name}": the model has no such node or value; its last maps are those of ${names}`)
  }
  if (!isMap(found))
    throw new CairnError(
      `layer "${name}" gives ${found.shape.map(show).join('×')}; maps of several pixels, 1×C×H×W, are allowed`
    )
  if (!before.has(found)) throw new CairnError(`layer "${name}": the scores do not depend on it`)
  return found
}

/** How many scores there are. */
export function countOf({ name, shape }: Value): number {
  const count = product(shape)
  if (typeof count === 'number') return count
  throw new CairnError(`scores "${name}" are ${show(count)} in number, which is not known when compiling`)
}
