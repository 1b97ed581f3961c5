import { refuse } from '../../errors.js'
import { broadcastStrides, kernel, loopsOver, numbered, type Op } from '../op.js'
import { loopDepth, visit } from '../visit.js'
import { type ActivationName, activations } from './activation.js'
import { binaryKernel, epilogueOf } from './elementwise.js'

/** Derivatives of `activations`, by the same names; 0 where a function is flat or steps, one side's value at a kink. */
type Derivative = (x: number, a: number, b: number) => number

const { sigmoid, tanh, softplus, exp, erf } = activations
const slopeOfErf = (x: number) => (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x)
const elu = (x: number, a: number) => (x < 0 ? a * Math.exp(x) : 1)
const flat = () => 0

const derivatives: Partial<Record<ActivationName, Derivative>> = {
  identity: () => 1,
  clip: (x, low, high) => Number(x > low && x < high),
  leakyRelu: (x, a) => (x < 0 ? a : 1),
  sigmoid: x => sigmoid(x) * (1 - sigmoid(x)),
  tanh: x => 1 - tanh(x) ** 2,
  hardSigmoid: (x, a, b) => (a * x + b > 0 && a * x + b < 1 ? a : 0),
  hardSwish: (x, a, b) => activations.hardSigmoid(x, a, b) + (a * x + b > 0 && a * x + b < 1 ? a * x : 0),
  silu: x => sigmoid(x) * (1 + x * (1 - sigmoid(x))),
  mish: x => tanh(softplus(x)) + x * (1 - tanh(softplus(x)) ** 2) * sigmoid(x),
  elu,
  selu: (x, a, gamma) => gamma * elu(x, a),
  softplus: x => sigmoid(x),
  gelu: x => 0.5 * (1 + erf(x * Math.SQRT1_2)) + 0.5 * Math.SQRT1_2 * x * slopeOfErf(x * Math.SQRT1_2),
  geluTanh: x => {
    const t = tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3))
    return 0.5 * (1 + t) + 0.5 * x * (1 - t * t) * Math.sqrt(2 / Math.PI) * (1 + 3 * 0.044715 * x * x)
  },
  erf: slopeOfErf,
  exp,
  log: x => 1 / x,
  sqrt: x => 0.5 / Math.sqrt(x),
  abs: x => Math.sign(x),
  neg: () => -1,
  reciprocal: x => -1 / (x * x),
  floor: flat,
  ceil: flat,
  round: flat,
  truncate: flat,
  sign: flat,
  softsign: x => 1 / (1 + Math.abs(x)) ** 2,
  thresholdedRelu: (x, a) => Number(x > a),
  affine: (_, a) => a
}

export const isDifferentiable = (name: ActivationName): boolean => derivatives[name] !== undefined

const functions = (Object.keys(activations) as ActivationName[]).map(name => derivatives[name] ?? (() => Number.NaN))

/** y = a * f'(b), where `act`, `alpha` and `beta` name f; `kind` says nothing. */
export const slopeKernel = kernel({
  ...binaryKernel,
  name: 'slope',
  reference(p, { a, b, y }) {
    visit([p.d0, p.d1, p.d2, p.d3, p.d4, p.d5], i => {
      const ia = i[0] * p.a0 + i[1] * p.a1 + i[2] * p.a2 + i[3] * p.a3 + i[4] * p.a4 + i[5] * p.a5
      const ib = i[0] * p.b0 + i[1] * p.b1 + i[2] * p.b2 + i[3] * p.b3 + i[4] * p.b4 + i[5] * p.b5
      const iy = i[0] * p.y0 + i[1] * p.y1 + i[2] * p.y2 + i[3] * p.y3 + i[4] * p.y4 + i[5] * p.y5
      y[iy] = a[ia] * functions[p.act](b[ib], p.alpha, p.beta)
    })
  }
})

/** Inputs: the gradient of an activation's output, and its input; both of one shape. */
const activationGradient: Op = {
  required: 2,
  infer(node) {
    node.output.shape = node.inputs[0]!.shape
    node.output.dtype = node.inputs[0]!.dtype
  },
  inPlace: [0, 1],
  lower(node, to) {
    const [a, b] = node.inputs.map(input => to.view(input!))
    const y = to.view(node.output)
    const operands = [broadcastStrides(a, y.shape), broadcastStrides(b, y.shape), y.strides]
    const loops = loopsOver(y.shape, y.order, operands, loopDepth)
    if (!loops) throw refuse(node, `needs more than ${loopDepth} nested loops to visit its output`)
    to.call(
      slopeKernel,
      {
        ...numbered('d', loops.sizes),
        ...numbered('a', loops.strides[0]),
        ...numbered('b', loops.strides[1]),
        ...numbered('y', loops.strides[2]),
        kind: 0,
        ...epilogueOf(node)
      },
      { a, b, y }
    )
  }
}

export const slopes: Record<string, Op> = { ActivationGradient: activationGradient }
