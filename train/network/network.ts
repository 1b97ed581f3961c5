import { free, product, same } from '../../compiler/algebra/index.js'
import { CompileError } from '../../compiler/errors.js'
import { ancestors, type Elements, type Graph, isConstant, type Node, Value } from '../../compiler/graph/index.js'
import { Writer } from '../../compiler/infer/index.js'
import { type ImportOptions, importOnnx } from '../../compiler/onnx/index.js'
import { permutation } from '../../compiler/ops/index.js'
import { deadCode, foldConstants, perChannel } from '../../compiler/passes/index.js'

/**
 * A network cut in three: what stays frozen, the blocks that are trained, and a new head. The cut is made on the graph as
 * ONNX has it, before any fusion, so that names are the model's own and a trained parameter can be put back there.
 */
export interface Cut {
  /** The value whose elements are the features: what the last layer with weights reads. */
  readonly features: string
  /** Where training begins: the input of the deepest blocks that are not frozen; the model's input for all of them. */
  readonly boundary: string
  /** Whether features that are maps are averaged, as in front of a convolution, or all of them read. */
  readonly pooled: boolean
  /** Blocks with weights before the features, and how many of the last are trained. */
  readonly blocks: number
  readonly trained: number
}

export interface CutOptions extends ImportOptions {
  /** A node or value: its output are the features, instead of what the last layer reads. */
  readonly cut?: string
  /** Blocks to train beside the head, counted from the end; `all` for a whole network. */
  readonly unfreeze?: number | 'all'
}

/** Inputs that hold learnt numbers, by operator; batch statistics are none. */
export const learnt: Readonly<Record<string, readonly number[]>> = {
  Conv: [1, 2],
  ConvTranspose: [1, 2],
  Gemm: [1, 2],
  MatMul: [0, 1],
  PRelu: [1],
  InstanceNormalization: [1, 2],
  GroupNormalization: [1, 2],
  LayerNormalization: [1, 2]
}

/** Those of a BatchNormalization that uses the statistics of its batches. */
const normLearnt = [1, 2]

const isFloat = ({ dtype }: Value) => dtype === 'float32' || dtype === 'float16' || dtype === 'float64'

/** An input of a node that holds learnt numbers. */
export interface Learnt {
  readonly index: number
  readonly value: Value & { readonly data: Elements }
}

const layers = new Set(Object.keys(learnt))

/** The constants that a node learns, in the order of its inputs; an Add behind a layer learns its bias. */
export function learntBy(node: Node, batchNorm: boolean): Learnt[] {
  const norm = batchNorm && node.op === 'BatchNormalization'
  const indices = norm ? normLearnt : node.op === 'Add' ? biasIn(node) : (learnt[node.op] ?? [])
  return indices.flatMap(index => {
    const value = node.inputs[index]
    return isConstant(value) && isFloat(value) ? [{ index, value }] : []
  })
}

function biasIn(node: Node): number[] {
  return [0, 1].filter(index => {
    const [bias, sum] = [node.inputs[index], node.inputs[1 - index]]
    const layer = sum?.producer
    if (!layer || !['Conv', 'ConvTranspose', 'Gemm', 'MatMul'].includes(layer.op)) return false
    return isConstant(bias) && bias.data.length > 1 && perChannel(bias, layer.output) !== undefined
  })
}

const hasWeights = (node: Node): boolean => layers.has(node.op) && learntBy(node, false).length > 0

/** The model's graph with shapes known, and what no output needs taken out. */
export function openGraph(bytes: Uint8Array, options: ImportOptions): Graph {
  const graph = importOnnx(bytes, options)
  foldConstants.run(graph)
  deadCode.run(graph)
  return graph
}

/** Where a model is cut. Throws CompileError for one that has no layer to replace. */
export function findCut(graph: Graph, { cut, unfreeze = 0 }: CutOptions): Cut {
  const { features, pooled } = cut === undefined ? penultimate(graph) : { features: named(graph, cut), pooled: true }
  const needed = ancestors(features)
  const starts = blockStarts(graph, needed, features)
  if (unfreeze !== 'all' && (!Number.isInteger(unfreeze) || unfreeze < 0))
    throw new CompileError(`unfreeze ${unfreeze}; a number of blocks from 0, or all, is allowed`)
  const trained = unfreeze === 'all' ? starts.length : Math.min(unfreeze, starts.length)
  const boundary =
    trained === 0 ? features : trained === starts.length ? graph.inputs[0] : starts[starts.length - trained]
  return { features: features.name, boundary: boundary.name, pooled, blocks: starts.length, trained }
}

/** What the last layer with weights reads, on the way back from the first output. */
function penultimate(graph: Graph): Features {
  const last = lastLayer(graph, graph.outputs[0])
  if (!last)
    throw new CompileError(
      'the model has no layer with float weights, so there is no head to replace; of a quantised model the float .onnx is allowed'
    )
  return readBy(last)
}

interface Features {
  readonly features: Value
  readonly pooled: boolean
}

function lastLayer(graph: Graph, output: Value): Node | undefined {
  const behind = ancestors(output)
  return [...graph.nodes]
    .reverse()
    .find(node => behind.has(node.output) && ['Conv', 'Gemm', 'MatMul'].includes(node.op) && hasWeights(node))
}

function readBy(last: Node): Features {
  // What only brings the features into the layer's shape belongs to the head.
  let value = last.inputs.find(input => input && !isConstant(input))!
  for (let node = value.producer; node && isShaping(node); node = value.producer) value = node.inputs[0]!
  return { features: value, pooled: last.op === 'Conv' }
}

const shaping = new Set(['Flatten', 'Reshape', 'Squeeze', 'Unsqueeze', 'Identity', 'Dropout'])

/** Also a Transpose to channels innermost: maps are averaged and read channel by channel, however they lie. */
function isShaping(node: Node): boolean {
  if (node.op !== 'Transpose') return shaping.has(node.op)
  const perm = permutation(node)
  return perm.length > 2 && perm[0] === 0 && perm[perm.length - 1] === 1
}

function named(graph: Graph, name: string): Value {
  const found =
    graph.nodes.find(node => node.name === name)?.output ?? [...graph.values].find(value => value.name === name)
  if (!found || isConstant(found)) {
    const names = graph.nodes.slice(-6).map(node => `"${node.name}"`)
    throw new CompileError(`cut "${name}": the model has no such node or value; its last nodes are ${names.join(', ')}`)
  }
  return found
}

/**
 * Where each block with weights begins. A block lies between two values through which everything flows: a residual or
 * Inception module, a dense layer's whole block, or a plain layer with what follows it.
 */
function blockStarts(graph: Graph, needed: ReadonlySet<Value>, features: Value): Value[] {
  const nodes = graph.nodes.filter(node => node.outputs.some(output => needed.has(output)))
  const uses = new Map<Value, number>()
  for (const node of nodes)
    for (const input of new Set(node.inputs))
      if (input && needed.has(input)) uses.set(input, (uses.get(input) ?? 0) + 1)
  const live = new Set<Value>(graph.inputs.filter(input => needed.has(input)))
  const starts: Value[] = []
  let start = [...live][0]
  let weights = false
  for (const node of nodes) {
    weights ||= hasWeights(node)
    for (const input of new Set(node.inputs)) {
      if (!input || !needed.has(input)) continue
      uses.set(input, uses.get(input)! - 1)
      if (uses.get(input) === 0) live.delete(input)
    }
    for (const output of node.outputs) if (needed.has(output)) live.add(output)
    const [only] = live
    if (live.size > 1 || node.outputs.every(output => output !== only)) continue
    // Activations and norms behind a layer are the end of its block: the next one begins where weights come again.
    if (weights && (only === features || beginsBlock(only))) {
      starts.push(start)
      start = only
      weights = false
    }
  }
  if (weights) starts.push(start)
  return starts
}

/** Whether every reader has weights, or the value is spread to several. */
function beginsBlock(value: Value): boolean {
  return value.users.length > 1 || value.users.every(hasWeights)
}

/** The network's part from `boundary` to the features, with a free batch, and the head behind it; frozen parts are gone. */
export interface Section {
  readonly graph: Graph
  readonly input: Value
  /** Scores of the new classes, [N, classes]. */
  readonly logits: Value
  /** Those of auxiliary classifiers, which only training has, in the order of the model's outputs. */
  readonly auxiliary: readonly Value[]
}

/** Names of the head's parameters, which are no others'. */
export const headWeights = '#head.weight'
export const headBias = '#head.bias'

/** What the parameters of an auxiliary classifier's new layer begin with. */
export const auxiliaryStem = '#auxiliary.'

export interface Head {
  readonly classes: number
  /** [classes, features] and [classes]; zeros until they are trained. */
  readonly weight?: Float32Array
  readonly bias?: Float32Array
  /** Of the features, while training. */
  readonly dropout: number
  /** Whether the model's other outputs get heads of their own, where they depend on what is trained. */
  readonly auxiliary?: boolean
}

export function cutSection(graph: Graph, { features, boundary, pooled }: Cut, head: Head): Section {
  const find = (name: string) => [...graph.values].find(value => value.name === name)!
  const from = find(boundary)
  const wasOne = from.shape[0] === 1
  const input = new Value('features', 'float32', [free('N'), ...from.shape.slice(1)])
  const end = boundary === features ? input : find(features)
  graph.replace(from, input)
  graph.inputs = [input]
  const others = head.auxiliary ? graph.outputs.slice(1) : []
  const logits = addHead(graph, end, head, pooled)
  const auxiliary = others.flatMap((output, i) => addAuxiliary(graph, output, input, head, `${auxiliaryStem}${i}`))
  graph.outputs = [logits, ...auxiliary]
  graph.outputNames = graph.outputs.map((_, i) => (i ? `logits ${i}` : 'logits'))
  graph.outputTypes = graph.outputs.map(() => 'float32')
  deadCode.run(graph)
  if (wasOne) for (const node of graph.nodes) freeBatch(graph, node)
  foldConstants.run(graph)
  const [first, ...rest] = graph.outputs
  return { graph, input, logits: first, auxiliary: rest }
}

/**
 * A new last layer for an auxiliary classifier (Szegedy et al. 2015, section 5); none where it has no layer with weights, or looks at
 * what is frozen.
 */
function addAuxiliary(graph: Graph, output: Value, input: Value, head: Head, stem: string): Value[] {
  const last = lastLayer(graph, output)
  if (!last) return []
  const { features, pooled } = readBy(last)
  const sources = [...ancestors(features)].filter(value => !value.producer)
  if (!sources.includes(input) || sources.some(value => value !== input)) return []
  const { classes } = head
  return [addHead(graph, features, { classes, dropout: 0, stem }, pooled)]
}

/** A Reshape that was exported for one image keeps the batch instead. */
function freeBatch(graph: Graph, node: Node): void {
  const shape = node.op === 'Reshape' ? node.inputs[1] : undefined
  if (!isConstant(shape) || shape.data[0] !== 1) return
  const data = Float64Array.from(shape.data)
  data[0] = 0
  graph.setInput(node, 1, graph.constant(graph.unique(shape.name), data, shape.shape as number[], shape.dtype))
}

/** Pooled to one element a channel where that is wanted, flattened, multiplied: a linear classifier on the features. */
export function addHead(
  graph: Graph,
  features: Value,
  { classes, weight, bias, dropout, stem }: Head & { readonly stem?: string },
  pooled: boolean
): Value {
  const write = new Writer(graph, stem ?? 'head')
  const averaged = pooled && features.shape.slice(2).some(size => !same(size, 1))
  const flat = write.add('Flatten', [averaged ? write.add('GlobalAveragePool', [features]) : features])
  const count = product(flat.shape.slice(1))
  if (typeof count !== 'number')
    throw new CompileError(
      `features "${features.name}" have no fixed size; cut elsewhere, or fix the sizes of the input`
    )
  const kept = dropout ? write.add('Dropout', [flat, write.scalar(dropout)]) : flat
  const names = stem === undefined ? [headWeights, headBias] : [`${stem}.weight`, `${stem}.bias`]
  const w = graph.constant(names[0], weight ?? new Float32Array(classes * count), [classes, count])
  const b = graph.constant(names[1], bias ?? new Float32Array(classes), [classes])
  return write.add('Gemm', [kept, w, b], { transB: 1 })
}

/**
 * The frozen part that computes one value from another, or from the model's input; the batch stays the model's; `pooled` to one
 * element a channel where they are maps.
 */
export function cutBetween(graph: Graph, from: string | undefined, to: string, pooled = false): Graph {
  const find = (name: string) => [...graph.values].find(value => value.name === name)!
  const end = find(to)
  if (from !== undefined) {
    const start = find(from)
    const input = new Value('features', 'float32', start.shape)
    graph.replace(start, input)
    graph.inputs = [input]
  }
  graph.outputs = [pooled && end.rank > 2 ? new Writer(graph, 'pooled').add('GlobalAveragePool', [end]) : end]
  graph.outputNames = [to]
  graph.outputTypes = ['float32']
  deadCode.run(graph)
  return graph
}
