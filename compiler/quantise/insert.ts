import { type Elements, type Graph, isConstant, Node, type Value } from '../graph/index.js'
import { Writer } from '../infer/index.js'
import type { Layer, Plan } from './plan.js'
import type { Scale } from './ranges.js'
import { biasOfRounding, quantiseWeights, type WeightBits } from './weights.js'

/** What a quantised model is made with. */
export interface Settings {
  /** By the names of tensors that have their own. */
  readonly scales: ReadonlyMap<string, Scale>
  /** Means of the channels of what layers read, by its name, where biases shall make up for rounded weights. */
  readonly means?: ReadonlyMap<string, Float64Array>
  /** Bits of the weights; 8 where nothing is said. */
  readonly bits?: WeightBits
}

/**
 * Puts QuantizeLinear and DequantizeLinear around what the plan computes with bytes, as onnxruntime's quantiser does: weights are
 * whole numbers of 8 bits, one scale a filter, biases of 32 bits in steps of the products; bounds that a tensor's bytes keep by
 * themselves are taken out.
 */
export function insertQuantisation(graph: Graph, plan: Plan, settings: Settings): void {
  const { scales } = settings
  for (const layer of plan.layers) {
    quantiseLayer(graph, layer, scaleFor(plan, scales, layer.node.inputs[0]!), settings)
  }
  for (const value of plan.scaledAs.keys()) {
    const parameters = constantsOf(graph, value, scaleFor(plan, scales, value))
    const users = [...value.users]
    const before = graph.nodes.find(node => users.includes(node))
    const behind = value.producer && graph.nodes[graph.nodes.indexOf(value.producer) + 1]
    const write = new Writer(graph, value.name, value.producer ? behind : before)
    const bytes = write.add('QuantizeLinear', [value, ...parameters])
    const floats = write.add('DequantizeLinear', [bytes, ...parameters])
    if (plan.made.has(value)) {
      graph.replace(value, floats)
      graph.setInput(bytes.producer!, 0, value)
    } else
      for (const user of new Set(users))
        if (plan.nodes.has(user))
          user.inputs.forEach((input, i) => {
            if (input === value) graph.setInput(user, i, floats)
          })
    absorb(graph, bytes.producer!, scaleFor(plan, scales, value))
  }
}

/** The scale of a tensor of bytes. */
export const scaleFor = (plan: Plan, scales: Settings['scales'], value: Value): Scale =>
  scales.get(plan.scaledAs.get(value)!.name)!

function constantsOf(graph: Graph, value: Value, { scale, zero }: Scale): Value[] {
  return [
    graph.constant(graph.unique(`${value.name} scale`), Float32Array.of(scale), []),
    graph.constant(graph.unique(`${value.name} zero`), Float64Array.of(zero), [], 'uint8')
  ]
}

/** A Relu or Clip between a layer and bytes that hold nothing outside of its bounds. */
function absorb(graph: Graph, quantize: Node, { scale, zero }: Scale): void {
  const [value] = quantize.inputs
  const node = value!.producer
  if (node?.op !== 'Activation' || node.text('act', '') !== 'clip' || graph.onlyUser(value!) !== quantize) return
  const source = node.inputs[0]!
  if (!source.producer || graph.onlyUser(source) !== node || source.producer.op === 'DequantizeLinear') return
  // The ends may lie beyond the bounds by as little as rounding the zero point makes of it.
  const [low, high] = [(0 - zero - 0.5) * scale, (255 - zero - 0.5) * scale]
  const [from, to] = [node.number('alpha', Number.NEGATIVE_INFINITY), node.number('beta', Number.POSITIVE_INFINITY)]
  if (low + scale >= from && high <= to) graph.bypass(node)
}

/** Gives a layer whole numbers for weights and bias, with what makes floats of them; `read` names what it reads in the float model. */
export function quantiseLayer(
  graph: Graph,
  { node, axis }: Layer,
  { scale }: Scale,
  { means: known, bits }: Settings,
  read = node.inputs[0]!.name
): void {
  const [, weights, bias] = node.inputs as [Value, Value, Value | undefined]
  const means = known?.get(read)
  const filters = (weights.shape as number[])[axis]
  const given: Elements | undefined = isConstant(bias) ? bias.data : undefined
  const quantised = quantiseWeights(weights, axis, given, scale, bits)
  const shift = means && biasOfRounding(weights, axis, quantised, node.number('group', 1), means)
  const named = (what: string) => graph.unique(`${node.name} ${what}`)
  const floats = (stem: string, data: Elements, shape: number[], scales: Float32Array, dtype: 'int8' | 'int32') => {
    const bytes = graph.constant(named(stem), data, shape, dtype)
    const steps = graph.constant(named(`${stem} scale`), scales, [filters])
    const zeros = graph.constant(named(`${stem} zero`), new Float64Array(filters), [filters], dtype)
    const along = dtype === 'int8' ? axis : 0
    const made = graph.insert(
      new Node('DequantizeLinear', named(stem), new Map([['axis', along]])),
      [bytes, steps, zeros],
      1,
      node
    )
    made.output.shape = shape
    return made.output
  }
  graph.setInput(node, 1, floats('weights', quantised.data, weights.shape as number[], quantised.scale, 'int8'))
  if (!given && !shift) return
  const scales = quantised.scale.map(own => own * scale)
  const whole = Float64Array.from(scales, (step, f) => {
    const value = (given ? given[given.length > 1 ? f : 0] : 0) - (shift?.[f] ?? 0)
    return Math.min(Math.max(Math.round(value / step), -(2 ** 31)), 2 ** 31 - 1)
  })
  graph.setInput(node, 2, floats('bias', whole, [filters], scales, 'int32'))
}
