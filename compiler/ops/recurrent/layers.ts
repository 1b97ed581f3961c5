import { type Dim, showShape } from '../../algebra/index.js'
import { refuse } from '../../errors.js'
import type { Node, Value } from '../../graph/index.js'
import { type ActivationName, kindOf } from '../elementwise/activation.js'
import type { Op } from '../op.js'
import { gatesOf, scaledTanh } from './cells.js'

/** LSTM, GRU and RNN as ONNX has them; the decompose pass makes a matrix product and a Recurrence of each. */

type Recurrent = keyof typeof gatesOf

/** The functions that a gate may have: kind, alpha and beta where the model gives none, and how many of these it takes. */
const functions: Readonly<
  Record<string, readonly [kind: ActivationName | undefined, takes: number, alpha: number, beta: number]>
> = {
  relu: ['clip', 0, 0, Number.POSITIVE_INFINITY],
  tanh: ['tanh', 0, 0, 0],
  sigmoid: ['sigmoid', 0, 0, 0],
  affine: ['affine', 2, 1, 0],
  leakyrelu: ['leakyRelu', 1, 0.01, 0],
  thresholdedrelu: ['thresholdedRelu', 1, 1, 0],
  scaledtanh: [undefined, 2, 1, 1],
  hardsigmoid: ['hardSigmoid', 2, 0.2, 0.5],
  elu: ['elu', 1, 1, 0],
  softsign: ['softsign', 0, 0, 0],
  softplus: ['softplus', 0, 0, 0]
}

const usual: Readonly<Record<Recurrent, readonly string[]>> = {
  RNN: ['Tanh'],
  GRU: ['Sigmoid', 'Tanh'],
  LSTM: ['Sigmoid', 'Tanh', 'Tanh']
}

const directionsOf: Readonly<Record<string, readonly [directions: number, backward: number]>> = {
  forward: [1, 1],
  reverse: [1, 0],
  bidirectional: [2, 1]
}

export interface Layer {
  readonly gates: number
  readonly directions: number
  /** The first direction that goes from the end to the beginning. */
  readonly backward: number
  readonly size: number
  readonly steps: Dim
  readonly batch: Dim
  readonly inputs: Dim
  /** Whether images stand in front of steps. */
  readonly batchFirst: boolean
}

/** What the attributes and shapes of a recurrent layer say; refuses those that do not fit. */
export function layerOf(node: Node): Layer {
  const [x, w, r] = node.inputs as Value[]
  const direction = node.text('direction', 'forward')
  if (!Object.hasOwn(directionsOf, direction))
    throw refuse(node, `direction "${direction}"; ${Object.keys(directionsOf).join(', ')} are allowed`)
  const [directions, backward] = directionsOf[direction]
  for (const [name, value] of [
    ['X', x],
    ['W', w],
    ['R', r]
  ] as const)
    if (value.rank !== 3) throw refuse(node, `${name} ${showShape(value.shape)} has ${value.rank} axes; 3 are needed`)
  const size = r.shape[2]
  if (typeof size !== 'number' || size < 1) throw refuse(node, `R ${showShape(r.shape)} must have known sizes`)
  const declared = node.number('hidden_size', size)
  const gates = gatesOf[node.op as Recurrent]
  const batchFirst = node.number('layout', 0) === 1
  const [steps, batch] = batchFirst ? [x.shape[1], x.shape[0]] : x.shape
  const inputs = x.shape[2]
  const wanted: readonly (readonly [string, Value | undefined, readonly Dim[]])[] = [
    ['W', w, [directions, gates * size, inputs]],
    ['R', r, [directions, gates * size, declared]],
    ['B', node.inputs[3], [directions, 2 * gates * size]],
    ['sequence_lens', node.inputs[4], [batch]],
    ...(['initial_h', 'initial_c'] as const).map((name, i) => {
      const shape = batchFirst ? [batch, directions, size] : [directions, batch, size]
      return [name, node.inputs[5 + i], shape] as const
    }),
    ['P', node.inputs[7], [directions, 3 * size]]
  ]
  for (const [name, value, shape] of wanted) {
    if (!value) continue
    const fits = value.rank === shape.length && value.shape.every((dim, axis) => node.expectEqual(dim, shape[axis]))
    if (!fits) throw refuse(node, `${name} is ${showShape(value.shape)}; ${showShape(shape)} is needed`)
  }
  return { gates, directions, backward, size, steps, batch, inputs, batchFirst }
}

/** The functions of all directions: kind, alpha and beta of each, three for a direction. */
export function functionsOf(node: Node, { directions }: Layer): number[] {
  const each = usual[node.op as Recurrent]
  const given = node.attributes.get('activations') as readonly string[] | undefined
  const names = given?.length ? given : Array.from({ length: directions }, () => each).flat()
  const count = directions * each.length
  if (!Array.isArray(names) || names.length !== count)
    throw refuse(node, `activations has ${names.length} names; ${count} are needed`)
  const left = { alpha: [...(node.list('activation_alpha') ?? [])], beta: [...(node.list('activation_beta') ?? [])] }
  const list = names.flatMap(name => {
    const found = functions[String(name).toLowerCase()]
    if (!found) throw refuse(node, `activation "${name}"; ${Object.keys(functions).join(', ')} are allowed`)
    const [kind, takes, alpha, beta] = found
    const own = [takes > 0 ? (left.alpha.shift() ?? alpha) : alpha, takes > 1 ? (left.beta.shift() ?? beta) : beta]
    return [kind ? kindOf(kind) : scaledTanh, ...own]
  })
  return list
}

const layer = (gives: number): Op => ({
  required: 3,
  gives,
  infer(node) {
    const { directions, size, steps, batch, batchFirst } = layerOf(node)
    for (const output of node.outputs) {
      output.dtype = node.inputs[0]!.dtype
      output.shape = batchFirst ? [batch, directions, size] : [directions, batch, size]
    }
    node.output.shape = batchFirst ? [batch, steps, directions, size] : [steps, directions, batch, size]
  }
})

export const recurrentLayers: Record<string, Op> = { RNN: layer(2), GRU: layer(2), LSTM: layer(3) }
