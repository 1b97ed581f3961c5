import { type Graph, isConstant, type Node, type Value } from '../graph/index.js'
import { longestSum, reducedAxes } from '../ops/index.js'
import { actOf, arithmetic, moving, repeats } from '../passes/index.js'

/** A layer with weights that runs on bytes. */
export interface Layer {
  readonly node: Node
  /** The axis of the weights along which its filters lie. */
  readonly axis: number
  /** Its output, behind the bounds that its requantisation keeps. */
  readonly result: Value
}

/** What is computed with bytes, and which tensors are bytes therefore. */
export interface Plan {
  readonly layers: readonly Layer[]
  /** Nodes that compute with bytes, activations that belong to one included. */
  readonly nodes: ReadonlySet<Node>
  /** Tensors that are quantised, in the order in which they are made, each with the one whose scale it has. */
  readonly scaledAs: ReadonlyMap<Value, Value>
  /** Those of them that are made as bytes. */
  readonly made: ReadonlySet<Value>
}

/** Decides what computes with bytes: every layer with weights but those in `keep`, and between them what has a kernel for bytes. */
export function planOf(graph: Graph, keep: ReadonlySet<string>): Plan {
  const layers: Layer[] = []
  const nodes = new Set<Node>()
  const made = new Set<Value>()
  const sites = new Set<Value>()
  for (const node of graph.nodes) {
    if (nodes.has(node)) continue
    const axis = keep.has(node.name) ? undefined : filterAxis(node)
    const inputs = axis === undefined ? followed(node, keep) : [node.inputs[0]!]
    if (!inputs || (axis === undefined && !inputs.some(input => made.has(input)))) continue
    const result = resultOf(graph, node)
    if (axis !== undefined) layers.push({ node, axis, result })
    nodes.add(node)
    if (result !== node.output) nodes.add(result.producer!)
    for (const input of inputs) sites.add(input)
    sites.add(result)
    made.add(result)
  }
  return { layers, nodes, made, scaledAs: scales(sites, nodes, made) }
}

/** Names of the layers with weights. */
export function layerNames(graph: Graph): string[] {
  return graph.nodes.filter(node => filterAxis(node) !== undefined).map(({ name }) => name)
}

/** Names of the nodes that could be kept: layers with weights, and what may follow them. */
export function keepable(graph: Graph): string[] {
  return graph.nodes.filter(node => filterAxis(node) !== undefined || followed(node, new Set())).map(({ name }) => name)
}

/** The axis of filters in the weights of a layer that has a kernel for bytes. */
export function filterAxis(node: Node): number | undefined {
  const [x, weights, bias] = node.inputs
  if (!x || !isConstant(weights) || !isFloat(x) || isConstant(x) || node.inputs.length > 3) return undefined
  const shape = weights.shape as readonly number[]
  const filters = (count: number) =>
    !bias || (isConstant(bias) && (bias.data.length === count || bias.data.length === 1))
  if (node.op === 'Conv') {
    const sum = shape.slice(1).reduce((a, b) => a * b, 1)
    return x.rank >= 3 && x.rank <= 5 && sum <= longestSum && filters(shape[0]) ? 0 : undefined
  }
  if (node.op !== 'Gemm' || x.rank !== 2 || weights.rank !== 2) return undefined
  if (node.number('transA', 0) || node.number('alpha', 1) !== 1 || node.number('beta', 1) !== 1) return undefined
  const axis = node.number('transB', 0) ? 0 : 1
  return shape[1 - axis] <= longestSum && filters(shape[axis]) ? axis : undefined
}

const isFloat = ({ dtype }: Value) => dtype.startsWith('float')

/** What has the scale of its input. */
const sameScale = new Set([...moving, 'MaxPool'])

const isMovement = (node: Node) => sameScale.has(node.op) || repeats(node) !== undefined

/** The tensors that a node without filters reads as bytes; undefined where it has no kernel for them. */
function followed(node: Node, keep: ReadonlySet<string>): Value[] | undefined {
  if (keep.has(node.name) || node.outputs.length !== 1 || !isFloat(node.output)) return undefined
  const inputs = node.inputs.filter((input): input is Value => input !== undefined)
  const [x] = inputs
  if (!x || !isFloat(x)) return undefined
  const open = inputs.filter(input => !isConstant(input))
  const others = inputs.filter(isConstant)
  if (isMovement(node)) return isConstant(x) ? undefined : [x]
  switch (node.op) {
    case 'Activation':
      return [x]
    case 'AveragePool':
      return node.list('dilations')?.some(dilation => dilation !== 1) ? undefined : [x]
    case 'GlobalAveragePool':
      return x.rank >= 3 && x.rank <= 5 ? [x] : undefined
    case 'ReduceMean': {
      const axes = reducedAxes(node)
      return axes.length === x.rank - 2 && axes.every((axis, i) => axis === i + 2) ? [x] : undefined
    }
    case 'Concat':
      return others.length ? undefined : inputs
    case 'BatchNormalization':
      return open.length === 1 && (x.rank === 3 || x.rank === 4) ? [x] : undefined
  }
  if ((node.op === 'Add' || node.op === 'Mul') && open.length === 2 && inputs.length === 2) return inputs
  const isFunction = arithmetic.includes(node.op) && open.length === 1 && others.every(({ data }) => data.length === 1)
  return isFunction && open[0].rank === node.output.rank ? open : undefined
}

/** Layers whose requantisation keeps bounds. */
const bounded = new Set(['Conv', 'Gemm', 'Add', 'Mul', 'BatchNormalization'])

function resultOf(graph: Graph, node: Node): Value {
  const next = bounded.has(node.op) ? graph.onlyUser(node.output) : undefined
  return next?.op === 'Activation' && actOf(next) === 'clip' ? next.output : node.output
}

/**
 * What is moved keeps its scale. Parts of a concatenation that nobody else reads are made in the scale of the whole, which they would
 * be brought to anyway.
 */
function scales(sites: ReadonlySet<Value>, nodes: ReadonlySet<Node>, made: ReadonlySet<Value>): Map<Value, Value> {
  const scaledAs = new Map([...sites].map(site => [site, site]))
  const moves = (node: Node | undefined) => node !== undefined && nodes.has(node) && isMovement(node)
  for (const node of nodes)
    if (node.op === 'Concat')
      for (const part of node.inputs as Value[])
        if (part.users.length === 1 && made.has(part) && !moves(part.producer)) scaledAs.set(part, node.output)
  const rootOf = (site: Value): Value => {
    const next = moves(site.producer) ? site.producer!.inputs[0]! : scaledAs.get(site)!
    return next === site ? site : rootOf(next)
  }
  return new Map([...sites].map(site => [site, rootOf(site)]))
}
