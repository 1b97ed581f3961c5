import { sameShape } from '../../algebra/index.js'
import { type Graph, isConstant, type Node, type Value } from '../../graph/index.js'
import type { ActivationName } from '../../ops/index.js'
import { count, type Pass } from '../pass.js'
import { actOf, isScalar, operands, scalarOf, setAct, soleProducer } from './match.js'

/**
 * Gives every function of one number the single spelling `Activation act=... alpha=... beta=...`, also where exporters
 * write it with several nodes: SiLU as x*sigmoid(x), HardSwish as x*clip(x+3, 0, 6)/6, Mish, both Gelus, HardSigmoid.
 */
export const recogniseActivations: Pass = {
  name: 'recognise-activations',
  run(graph) {
    for (const node of [...graph.nodes]) rename(node)
    let joined = 0
    for (let again = true; again; ) {
      again = false
      for (const node of [...graph.nodes]) {
        const found = graph.nodes.includes(node) && pattern(graph, node)
        if (!found || !sameShape(found.x.shape, node.output.shape)) continue
        replaceBy(graph, node, found)
        joined++
        again = true
      }
    }
    return count(joined, 'pattern')
  }
}

interface Found {
  readonly x: Value
  readonly act: ActivationName
  readonly alpha: number
  readonly beta: number
}

const found = (x: Value, act: ActivationName, alpha = 0, beta = 0): Found => ({ x, act, alpha, beta })

const simple: Readonly<Record<string, (node: Node) => [ActivationName, number, number]>> = {
  Relu: () => ['clip', 0, Number.POSITIVE_INFINITY],
  LeakyRelu: node => ['leakyRelu', node.number('alpha', 0.01), 0],
  Sigmoid: () => ['sigmoid', 0, 0],
  Tanh: () => ['tanh', 0, 0],
  HardSigmoid: node => ['hardSigmoid', node.number('alpha', 0.2), node.number('beta', 0.5)],
  HardSwish: () => ['hardSwish', 1 / 6, 0.5],
  Swish: () => ['silu', 0, 0],
  Mish: () => ['mish', 0, 0],
  Elu: node => ['elu', node.number('alpha', 1), 0],
  Softplus: () => ['softplus', 0, 0],
  Round: () => ['round', 0, 0],
  Gelu: node => [node.text('approximate', 'none') === 'tanh' ? 'geluTanh' : 'gelu', 0, 0]
}

function rename(node: Node): void {
  const spelling = simple[node.op]?.(node) ?? clipOf(node) ?? leakyOf(node)
  if (!spelling) return
  node.op = 'Activation'
  node.attributes.clear()
  setAct(node, ...spelling)
}

function clipOf(node: Node): [ActivationName, number, number] | undefined {
  if (node.op !== 'Clip') return undefined
  const bound = (index: number, name: string, fallback: number) =>
    node.inputs[index] ? scalarOf(node.inputs[index]) : node.number(name, fallback)
  const low = bound(1, 'min', Number.NEGATIVE_INFINITY)
  const high = bound(2, 'max', Number.POSITIVE_INFINITY)
  return low === undefined || high === undefined ? undefined : ['clip', low, high]
}

function leakyOf(node: Node): [ActivationName, number, number] | undefined {
  const slope = node.op === 'PRelu' ? scalarOf(node.inputs[1]) : undefined
  return slope === undefined ? undefined : ['leakyRelu', slope, 0]
}

function replaceBy(graph: Graph, node: Node, { x, act, alpha, beta }: Found): void {
  node.op = 'Activation'
  node.attributes.clear()
  setAct(node, act, alpha, beta)
  node.inputs.forEach((_, i) => graph.setInput(node, i, i === 0 ? x : undefined))
  node.inputs.length = 1
  // What computed the pieces is unused now; remove-unused takes it out, and until then it must not block matches.
  for (const dead of [...graph.nodes].reverse())
    if (dead.outputs.every(output => output.users.length === 0 && !graph.isOutput(output))) graph.remove(dead)
}

function pattern(graph: Graph, node: Node): Found | undefined {
  if (node.op === 'Mul')
    return gated(graph, node) ?? scaledGate(graph, node) ?? geluErf(graph, node) ?? geluTanh(graph, node)
  if (node.op === 'Div') return scaledGate(graph, node) ?? hardSigmoid(graph, node)
  if (node.op === 'Max') return leaky(node)
  if (node.op === 'Sub') return cut(graph, node)
  return undefined
}

const isActivation = (node: Node | undefined, act: ActivationName): boolean =>
  node?.op === 'Activation' && actOf(node) === act

/** x*sigmoid(x), x*hardSigmoid(x), x*tanh(softplus(x)). */
function gated(graph: Graph, node: Node): Found | undefined {
  const pair = operands(node, value => {
    const gate = soleProducer(graph, value, 'Activation')
    return gate !== undefined && ['sigmoid', 'hardSigmoid', 'tanh'].includes(actOf(gate))
  })
  if (!pair) return undefined
  const gate = pair[0].producer!
  const x = pair[1]
  if (isActivation(gate, 'tanh')) {
    const inner = soleProducer(graph, gate.inputs[0], 'Activation')
    return isActivation(inner, 'softplus') && inner!.inputs[0] === x ? found(x, 'mish') : undefined
  }
  if (gate.inputs[0] !== x) return undefined
  if (isActivation(gate, 'sigmoid')) return found(x, 'silu')
  return found(x, 'hardSwish', gate.number('alpha', 0), gate.number('beta', 0))
}

/** clip(x+3, 0, 6) with x, however 1/6 is applied: x*clip/6, x*(clip/6), clip/6 alone. */
function clippedShift(graph: Graph, value: Value | undefined): { x: Value; shift: number; high: number } | undefined {
  const clip = soleProducer(graph, value, 'Activation')
  if (!clip || !isActivation(clip, 'clip') || clip.number('alpha', -1) !== 0) return undefined
  const high = clip.number('beta', 0)
  const shift = soleProducer(graph, clip.inputs[0], 'Add')
  const pair = shift && operands(shift, isConstant)
  const amount = pair && scalarOf(pair[0])
  return pair && amount !== undefined && Number.isFinite(high) ? { x: pair[1], shift: amount, high } : undefined
}

function factorOf(node: Node): { value: Value; factor: number } | undefined {
  const [a, b] = node.inputs as [Value, Value]
  if (node.op === 'Div') {
    const divisor = scalarOf(b)
    return divisor ? { value: a, factor: 1 / divisor } : undefined
  }
  if (node.op !== 'Mul') return undefined
  const pair = operands(node, value => scalarOf(value) !== undefined)
  return pair && { value: pair[1], factor: scalarOf(pair[0])! }
}

function hardSigmoid(graph: Graph, node: Node): Found | undefined {
  const scaled = factorOf(node)
  const clipped = scaled && clippedShift(graph, scaled.value)
  if (!clipped || Math.abs(clipped.high * scaled!.factor - 1) > 1e-5) return undefined
  return found(clipped.x, 'hardSigmoid', scaled!.factor, clipped.shift * scaled!.factor)
}

function scaledGate(graph: Graph, node: Node): Found | undefined {
  const alone = hardSigmoid(graph, node)
  if (alone) return alone
  const scaled = factorOf(node)
  const product = scaled && soleProducer(graph, scaled.value, 'Mul')
  if (!product) return undefined
  for (const [gate, x] of [product.inputs, [...product.inputs].reverse()] as [Value, Value][]) {
    const clipped = clippedShift(graph, gate)
    if (clipped?.x === x && Math.abs(clipped.high * scaled!.factor - 1) <= 1e-5)
      return found(x, 'hardSwish', scaled!.factor, clipped.shift * scaled!.factor)
  }
  return undefined
}

/** 0.5*x*(1 + erf(x/sqrt(2))), in any association of the three factors. */
function geluErf(graph: Graph, node: Node): Found | undefined {
  return halfTimes(graph, node, (inner, x) => {
    if (inner.op !== 'Erf') return undefined
    const scaled = inner.inputs[0]!.producer
    const factor = scaled && factorOf(scaled)
    return factor && factor.value === x && Math.abs(factor.factor - Math.SQRT1_2) < 1e-4 ? found(x, 'gelu') : undefined
  })
}

/** 0.5*x*(1 + tanh(sqrt(2/pi)*(x + 0.044715*x^3))). */
function geluTanh(graph: Graph, node: Node): Found | undefined {
  return halfTimes(graph, node, (inner, x) => {
    if (!isActivation(inner, 'tanh')) return undefined
    const scaled = inner.inputs[0]!.producer
    const factor = scaled && factorOf(scaled)
    if (!factor || Math.abs(factor.factor - Math.sqrt(2 / Math.PI)) > 1e-4) return undefined
    const sum = factor.value.producer
    const cubic = sum?.op === 'Add' ? sum.inputs.find(input => input !== x)?.producer : undefined
    const term = cubic && factorOf(cubic)
    if (!sum?.inputs.includes(x) || !term || Math.abs(term.factor - 0.044715) > 1e-5) return undefined
    const cube = term.value.producer
    return cube && isCube(cube, x) ? found(x, 'geluTanh') : undefined
  })
}

function isCube(node: Node, x: Value): boolean {
  if (node.op === 'Pow') return node.inputs[0] === x && isScalar(node.inputs[1], 3)
  if (node.op !== 'Mul' || !node.inputs.includes(x)) return false
  const square = node.inputs.find(input => input !== x)?.producer
  return square?.op === 'Mul' && square.inputs.every(input => input === x)
}

function halfTimes(graph: Graph, node: Node, test: (inner: Node, x: Value) => Found | undefined): Found | undefined {
  const factors: Value[] = []
  const collect = (value: Value, depth: number) => {
    const product = depth > 0 ? soleProducer(graph, value, 'Mul') : undefined
    if (product) for (const input of product.inputs) collect(input!, depth - 1)
    else factors.push(value)
  }
  for (const input of node.inputs) collect(input!, 1)
  const half = factors.find(value => isScalar(value, 0.5, 1e-6))
  const others = factors.filter(value => value !== half)
  if (!half || others.length !== 2) return undefined
  for (const [gate, x] of [others, [...others].reverse()]) {
    const sum = soleProducer(graph, gate, 'Add')
    const pair = sum && operands(sum, value => isScalar(value, 1, 1e-6))
    const inner = pair?.[1].producer
    const match = inner && test(inner, x)
    if (match) return match
  }
  return undefined
}

/** relu(x) - relu(x - high), a clip of exporters that have none. */
function cut(graph: Graph, node: Node): Found | undefined {
  const isRelu = (relu: Node | undefined) =>
    isActivation(relu, 'clip') &&
    relu!.number('alpha', -1) === 0 &&
    relu!.number('beta', 0) === Number.POSITIVE_INFINITY
  const [whole, beyond] = node.inputs.map(input => soleProducer(graph, input, 'Activation'))
  if (!whole || !beyond || !isRelu(whole) || !isRelu(beyond)) return undefined
  const x = whole.inputs[0]!
  const shift = soleProducer(graph, beyond.inputs[0], 'Sub', 'Add')
  const pair = shift && operands(shift, value => value === x)
  const by = pair && scalarOf(pair[1])
  if (by === undefined || (shift!.op === 'Sub' && shift!.inputs[0] !== x)) return undefined
  const high = shift!.op === 'Sub' ? by : -by
  return high > 0 ? found(x, 'clip', 0, high) : undefined
}

/** max(x, slope*x) with a slope between 0 and 1. */
function leaky(node: Node): Found | undefined {
  for (const [x, scaled] of [node.inputs, [...node.inputs].reverse()] as [Value, Value][]) {
    const factor = scaled.producer?.op === 'Mul' ? factorOf(scaled.producer) : undefined
    if (factor?.value === x && factor.factor > 0 && factor.factor < 1) return found(x, 'leakyRelu', factor.factor)
  }
  return undefined
}
