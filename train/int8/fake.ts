import { fakeQuantise } from '../../compiler/gradients/index.js'
import { type Graph, isConstant, type Node, type Value } from '../../compiler/graph/index.js'
import { Writer } from '../../compiler/infer/index.js'
import { scaleOfRange } from '../../compiler/quantise/index.js'

/** Where a network's tensors pass through bytes when it is quantised, imitated while it is trained. */

export interface Range {
  readonly low: number
  readonly high: number
}

/** By the names of values: the ranges of activations, and of weights the largest magnitude of each filter. */
export interface Ranges {
  readonly activations: ReadonlyMap<string, Range>
  readonly weights: ReadonlyMap<string, Float32Array>
}

/** Layers with weights that have kernels on bytes (compiler/quantise/plan.ts). */
const products = new Set(['Conv', 'Gemm', 'MatMul'])
const others = new Set(['Add', 'Mul', 'Concat', 'AveragePool', 'GlobalAveragePool'])

/** Inputs that are computed from pictures; a bias or a scale goes into the layer before it. */
function activationsOf(graph: Graph, node: Node): Value[] {
  const isComputed = (value: Value | undefined): value is Value =>
    value !== undefined && !isConstant(value) && !graph.states.includes(value)
  if (products.has(node.op)) return isComputed(node.inputs[1]) ? [] : node.inputs.slice(0, 1).filter(isComputed)
  return others.has(node.op) && node.inputs.every(isComputed) ? node.inputs.filter(isComputed) : []
}

/** The values that layers on bytes read, each with those layers. */
export function quantisedActivations(graph: Graph): Map<Value, Node[]> {
  const found = new Map<Value, Node[]>()
  for (const node of graph.nodes)
    for (const value of new Set(activationsOf(graph, node))) found.set(value, [...(found.get(value) ?? []), node])
  return found
}

interface Filters {
  readonly node: Node
  readonly weights: Value
  /** The axis of the filters. */
  readonly axis: number
}

/** Weights that are learnt, of layers that are quantised. */
function quantisedWeights(graph: Graph): Filters[] {
  return graph.nodes.flatMap(node => {
    const weights = products.has(node.op) ? node.inputs[1] : undefined
    if (!weights || !graph.states.includes(weights) || weights.rank < 2) return []
    const isFirst = node.op === 'Conv' || (node.op === 'Gemm' && node.number('transB', 0))
    return [{ node, weights, axis: isFirst ? 0 : weights.rank - 1 }]
  })
}

/** The largest magnitude in each filter, for weights that hold `data`. */
export function filterRanges(graph: Graph, data: ReadonlyMap<string, Float32Array>): Map<string, Float32Array> {
  return new Map(
    quantisedWeights(graph).map(({ weights, axis }) => {
      const shape = weights.shape as readonly number[]
      const inner = shape.slice(axis + 1).reduce((a, b) => a * b, 1)
      const largest = new Float32Array(shape[axis])
      data.get(weights.name)!.forEach((value, i) => {
        const filter = Math.floor(i / inner) % shape[axis]
        largest[filter] = Math.max(largest[filter], Math.abs(value))
      })
      return [weights.name, largest]
    })
  )
}

/** Lets what layers on bytes read pass through the steps of bytes: uint8 for activations, symmetric int8 for weights. */
export function quantiseFakes(graph: Graph, { activations, weights }: Ranges): void {
  const write = (value: Value, before: Node) => new Writer(graph, graph.unique(`${value.name}.int8`), before)
  const stepsOf = (value: Value, scales: Float32Array, shape: readonly number[]) => {
    const constant = (what: string, data: Float32Array) =>
      graph.constant(graph.unique(`${value.name}.${what}`), data, shape)
    return {
      scale: constant('scale', scales),
      inverse: constant(
        'inverse',
        scales.map(scale => 1 / scale)
      )
    }
  }
  for (const [value, readers] of quantisedActivations(graph)) {
    const { scale, zero } = scaleOfRange(activations.get(value.name)!)
    const steps = { ...stepsOf(value, Float32Array.of(scale), []), low: -zero, high: 255 - zero }
    const fake = fakeQuantise(write(value, readers[0]), value, steps)
    for (const reader of readers)
      reader.inputs.forEach((input, i) => {
        if (input === value) graph.setInput(reader, i, fake)
      })
  }
  for (const { node, weights: value, axis } of quantisedWeights(graph)) {
    const scales = weights.get(value.name)!.map(largest => (largest || 1) / 127)
    const shape = value.shape.map((size, i) => (i === axis ? (size as number) : 1))
    const steps = { ...stepsOf(value, scales, shape), low: -127, high: 127 }
    graph.setInput(node, 1, fakeQuantise(write(value, node), value, steps))
  }
}
