import { free } from '../compiler/algebra/index.js'
import { differentiate } from '../compiler/gradients/index.js'
import { type Graph, isConstant, Node, Value } from '../compiler/graph/index.js'
import { Writer } from '../compiler/infer/index.js'
import { foldConstants } from '../compiler/passes/index.js'
import type { Program } from '../runtime/file/index.js'
import { filterRanges, quantisedActivations, quantiseFakes, type Ranges } from './int8/fake.js'
import { type Loss, writeLoss } from './network/losses.js'
import { headBias, headWeights, type Learnt, learntBy, type Section } from './network/network.js'
import { lowerStep, makeDifferentiable } from './network/pipeline.js'

/** The two programs of a training: a step that changes its states, and the evaluation of what they are by then. */

export type Optimizer = 'sgd' | 'momentum' | 'nesterov' | 'adam' | 'adamw'

export interface UpdateOptions {
  readonly optimizer: Optimizer
  readonly loss: Loss
  readonly momentum: number
  /** Decay of weights, not of biases and norms: L2 added to the gradient, but decoupled for adamw. */
  readonly weightDecay: number
  readonly l1: number
  /** The norm that all gradients together are clipped to; 0 for none. */
  readonly clip: number
  /** Multiplies the learning rate of everything but the head. */
  readonly backboneRate: number
}

/** A learnt tensor, with what it holds before training. */
export interface Parameter {
  readonly name: string
  readonly shape: readonly number[]
  readonly data: Float32Array
  /** Running statistics follow the batches; nothing is derived for them. */
  readonly kind: 'head' | 'backbone' | 'statistic'
  /** The nodes that read it, and as which input. */
  readonly uses: readonly Use[]
  /** What it is where a network is trained from scratch; what is drawn, as [outputs, inputs / groups, ...kernel]. */
  readonly begins: 'drawn' | 'zeros' | 'ones' | 'as it was'
  readonly drawnAs: readonly number[]
  readonly groups: number
}

export interface Use {
  readonly node: string
  readonly input: number
}

/**
 * Inputs of a step: `features` [N, ...], `targets` [N, K], `weights` [N, 1], `rate` [3], `follow` [1], the share that running
 * statistics take of the batch's at least, and `seed` [1].
 */
export interface Step {
  readonly program: Program
  readonly parameters: readonly Parameter[]
}

/**
 * Turns the constants that are learnt into states. Weights that several layers share stay shared; biases, scales and
 * statistics, which exporters merge where they happen to be equal, are each layer's own.
 */
export function releaseParameters(graph: Graph, batchNorm: boolean): Parameter[] {
  const found: (Parameter & { readonly uses: Use[] })[] = []
  const shared = new Map<Value, { state: Value; uses: Use[] }>()
  const names = new Set<string>()
  const release = (node: Node, index: number, value: Learnt['value'], kind: Parameter['kind']) => {
    const use = { node: node.name, input: index }
    const known = shared.get(value)
    if (known) known.uses.push(use)
    else {
      const shape = value.shape as readonly number[]
      const name = names.has(value.name) ? `${value.name} of ${node.name}, input ${index}` : value.name
      names.add(name)
      const state = new Value(name, 'float32', shape)
      const uses = [use]
      graph.states.push(state)
      const data = Float32Array.from(value.data)
      found.push({ name, shape, data, kind, uses, ...beginningOf(node, index, shape) })
      if (shape.length > 1 && kind !== 'statistic') shared.set(value, { state, uses })
      graph.setInput(node, index, state)
      return
    }
    graph.setInput(node, index, known.state)
  }
  for (const node of [...graph.nodes]) {
    for (const { index, value } of learntBy(node, batchNorm))
      release(node, index, value, value.name === headWeights || value.name === headBias ? 'head' : 'backbone')
    if (!batchNorm || node.op !== 'BatchNormalization') continue
    for (const index of [3, 4]) {
      const value = node.inputs[index]
      if (isConstant(value)) release(node, index, value, 'statistic')
    }
  }
  return found
}

/** Scales and variances begin at 1, biases and means at 0. */
function beginningOf(
  node: Node,
  index: number,
  shape: readonly number[]
): Pick<Parameter, 'begins' | 'drawnAs' | 'groups'> {
  const { op } = node
  const [first, second, ...kernel] = shape
  const inputsFirst = op === 'MatMul' || op === 'ConvTranspose' || (op === 'Gemm' && !node.number('transB', 0))
  const rest = { drawnAs: inputsFirst ? [second, first, ...kernel] : shape, groups: node.number('group', 1) }
  if (op === 'PRelu') return { begins: 'as it was', ...rest }
  if (op === 'Add') return { begins: 'zeros', ...rest }
  if (['Conv', 'ConvTranspose', 'Gemm', 'MatMul'].includes(op))
    return { begins: index === 2 || shape.length < 2 ? 'zeros' : 'drawn', ...rest }
  return { begins: index === 1 || index === 4 ? 'ones' : 'zeros', ...rest }
}

/** Dropout draws anew in every step; elsewhere it is the identity. */
function randomise(graph: Graph, seed: Value): void {
  graph.nodes
    .filter(node => node.op === 'Dropout')
    .forEach((node, salt) => {
      const given = node.inputs[1]
      const ratio = isConstant(given) ? given.data[0] : node.number('ratio', 0.5)
      const drawn = new Node(
        'RandomDropout',
        graph.unique(node.name),
        new Map([
          ['ratio', ratio],
          ['salt', salt + 1]
        ])
      )
      graph.insert(drawn, [node.inputs[0], seed], 1, node)
      graph.bypass(node, drawn.output)
    })
}

/** With `ranges` behind fake quantisation. */
export function buildStep(
  { graph, input, logits }: Section,
  batchNorm: boolean,
  options: UpdateOptions,
  ranges?: Ranges
): Step {
  const parameters = releaseParameters(graph, batchNorm)
  if (ranges) quantiseFakes(graph, ranges)
  const rate = new Value('rate', 'float32', [3])
  const [follow, seed] = ['follow', 'seed'].map(name => new Value(name, 'float32', [1]))
  const { targets, weights } = lossInputs(logits)
  graph.inputs = [input, targets, weights, rate, follow, seed]
  randomise(graph, seed)
  makeDifferentiable(graph, batchNorm ? follow : undefined)
  const scores = graph.outputs[0]
  const loss = writeLoss(graph, options.loss, scores, targets, weights)
  const learnt = graph.states.filter((_, i) => parameters[i].kind !== 'statistic')
  const one = graph.constant(graph.unique('loss'), Float32Array.of(1), [])
  const gradients = differentiate(graph, new Map([[loss, one]]), learnt) as Value[]
  const norm = globalNorm(graph, gradients)
  const kinds = new Map(parameters.map(({ name, kind }) => [name, kind]))
  learnt.forEach((state, i) => {
    update(graph, state, gradients[i], rate, norm, kinds.get(state.name) === 'head' ? 1 : options.backboneRate, options)
  })
  graph.outputs = [scores, loss, norm]
  graph.outputNames = ['logits', 'loss', 'norm']
  graph.outputTypes = ['float32', 'float32', 'float32']
  return { program: lowerStep(graph), parameters }
}

export function buildEvaluation({ graph }: Section, batchNorm: boolean, ranges?: Ranges): Step {
  const parameters = releaseParameters(graph, batchNorm)
  if (ranges) quantiseFakes(graph, ranges)
  makeDifferentiable(graph)
  foldConstants.run(graph)
  return { program: lowerStep(graph), parameters }
}

/** What layers on bytes read, as outputs of a program whose input is one of them, and the ranges of their weights, which are given. */
export function buildObservation(
  { graph, input }: Section,
  batchNorm: boolean,
  weights: ReadonlyMap<string, Float32Array>
): { readonly program: Program; readonly names: readonly string[]; readonly filters: Ranges['weights'] } {
  releaseParameters(graph, batchNorm)
  const filters = filterRanges(graph, weights)
  const values = [...quantisedActivations(graph).keys()].filter(value => value !== input)
  const names = values.map(({ name }) => name)
  graph.outputs = values
  graph.outputNames = names
  graph.outputTypes = values.map(() => 'float32')
  makeDifferentiable(graph)
  foldConstants.run(graph)
  return { program: lowerStep(graph), names, filters }
}

export const lossInputs = (logits: Value) => ({
  targets: new Value('targets', 'float32', [free('N'), logits.shape[1]]),
  weights: new Value('weights', 'float32', [free('N'), 1])
})

function globalNorm(graph: Graph, gradients: readonly Value[]): Value {
  const write = new Writer(graph, 'norm')
  const squares = gradients.map(gradient =>
    write.reshape(write.add('ReduceSumSquare', [gradient], { keepdims: 0 }), [1])
  )
  const all = squares.length > 1 ? write.add('Concat', squares, { axis: 0 }) : squares[0]
  return write.add('Sqrt', [write.add('ReduceSum', [all], { axes: [0], keepdims: 1 })])
}

function update(
  graph: Graph,
  state: Value,
  gradient: Value,
  rate: Value,
  norm: Value,
  factor: number,
  { optimizer, momentum, weightDecay, l1, clip }: UpdateOptions
): void {
  const write = new Writer(graph, `${state.name}.update`)
  const decay = state.rank > 1 ? weightDecay : 0
  const moment = (name: string): Value => {
    const value = new Value(`${state.name}.${name}`, 'float32', state.shape)
    graph.states.push(value)
    return value
  }
  const common = { factor, l1: state.rank > 1 ? l1 : 0, clip }
  if (optimizer === 'adam' || optimizer === 'adamw') {
    const decoupled = optimizer === 'adamw'
    const own = {
      beta1: momentum,
      beta2: 0.999,
      epsilon: 1e-8,
      l2: decoupled ? 0 : decay,
      decay: decoupled ? decay : 0
    }
    write.add('Adam', [state, gradient, rate, norm, moment('m'), moment('v')], { ...common, ...own })
  } else {
    const own = { momentum: optimizer === 'sgd' ? 0 : momentum, nesterov: Number(optimizer === 'nesterov'), l2: decay }
    write.add('Sgd', [state, gradient, rate, norm, moment('m')], { ...common, ...own })
  }
}
