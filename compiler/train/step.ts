import type { Program } from '../../runtime/program.js'
import { free } from '../dim.js'
import { differentiate } from '../gradient.js'
import { type Graph, isConstant, Node, Value } from '../graph.js'
import { foldConstants } from '../passes/fold-constants.js'
import { Writer } from '../writer.js'
import { parametersOf, type Section } from './network.js'
import { type BatchNorm, lowerStep, makeDifferentiable } from './pipeline.js'

/** The two programs of a training: a step that changes its states, and the evaluation of what they are by then. */

export type Optimizer = 'sgd' | 'momentum' | 'nesterov' | 'adam' | 'adamw'

export interface UpdateOptions {
  readonly optimizer: Optimizer
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
  readonly groups: number
  /** What it is where a network is trained from scratch. */
  readonly begins: 'drawn' | 'zeros' | 'ones' | 'as it was'
}

/** Inputs of a step: `features` [N, ...], `targets` [N, K], `weights` [N, 1], `rate` [3], `seed` [1]. */
export interface Step {
  readonly program: Program
  readonly parameters: readonly Parameter[]
}

/** Turns the constants that are learnt into states. */
export function releaseParameters(graph: Graph, batchNorm: boolean): Parameter[] {
  const found = new Map<Value, Parameter>()
  const add = (value: Value | undefined, kind: Parameter['kind'], node: Node) => {
    if (!isConstant(value) || found.has(value)) return
    const data = Float32Array.from(value.data)
    const shape = value.shape as readonly number[]
    const begins = beginningOf(node, node.inputs.indexOf(value))
    found.set(value, { name: value.name, shape, data, kind, groups: node.number('group', 1), begins })
  }
  for (const node of graph.nodes) {
    const kind = node.inputs.some(input => input?.name === 'head.weight') ? 'head' : 'backbone'
    for (const value of parametersOf(node, batchNorm)) add(value, kind, node)
    if (batchNorm && node.op === 'BatchNormalization')
      for (const statistic of node.inputs.slice(3, 5)) add(statistic, 'statistic', node)
  }
  for (const value of found.keys()) {
    value.data = undefined
    value.dtype = 'float32'
    graph.states.push(value)
  }
  return [...found.values()]
}

/** Scales and variances begin at 1, biases and means at 0. */
function beginningOf({ op }: Node, index: number): Parameter['begins'] {
  if (['Conv', 'ConvTranspose', 'Gemm', 'MatMul'].includes(op)) return index === 2 ? 'zeros' : 'drawn'
  if (op === 'PRelu') return 'as it was'
  return index === 1 || index === 4 ? 'ones' : 'zeros'
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

export function buildStep({ graph, input, logits }: Section, batchNorm: boolean, options: UpdateOptions): Step {
  const parameters = releaseParameters(graph, batchNorm)
  const [rate, seed] = [new Value('rate', 'float32', [3]), new Value('seed', 'float32', [1])]
  const { targets, weights } = lossInputs(logits)
  graph.inputs = [input, targets, weights, rate, seed]
  randomise(graph, seed)
  makeDifferentiable(graph, batchNorm ? 'batch' : 'frozen')
  const scores = graph.outputs[0]
  const loss = crossEntropy(graph, scores, targets, weights)
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

export function buildEvaluation({ graph }: Section, batchNorm: boolean): Step {
  const parameters = releaseParameters(graph, batchNorm)
  const mode: BatchNorm = batchNorm ? 'running' : 'frozen'
  makeDifferentiable(graph, mode)
  foldConstants.run(graph)
  return { program: lowerStep(graph), parameters }
}

export const lossInputs = (logits: Value) => ({
  targets: new Value('targets', 'float32', [free('N'), logits.shape[1]]),
  weights: new Value('weights', 'float32', [free('N'), 1])
})

/** Softmax cross-entropy, the sum over the batch of each image's own times its weight. */
export function crossEntropy(graph: Graph, logits: Value, targets: Value, weights: Value): Value {
  const write = new Writer(graph, 'loss')
  const likelihood = write.add('Mul', [targets, write.add('LogSoftmax', [logits], { axis: -1 })])
  const each = write.add('ReduceSum', [likelihood], { axes: [1], keepdims: 1 })
  const sum = write.add('ReduceSum', [write.add('Mul', [each, weights])], { axes: [0, 1], keepdims: 0 })
  return write.add('Neg', [sum])
}

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
