/**
 * Functions of one number, which elementwise kernels compute and every convolution's epilogue applies: data (a kind
 * and two floats), never an operator name. The position in `activations` is the kind; asm/elementwise/activation.ts numbers its
 * functions alike. `prelu` takes its slope from a per-channel buffer instead of `a`.
 */
type Activation = (x: number, a: number, b: number) => number

const sigmoid = (x: number) => 1 / (1 + Math.exp(-x))
const softplus = (x: number) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)))
const clip = (x: number, low: number, high: number) => Math.min(Math.max(x, low), high)
const hardSigmoid = (x: number, a: number, b: number) => clip(a * x + b, 0, 1)

export const activations = {
  identity: x => x,
  clip,
  leakyRelu: (x, a) => (x < 0 ? a * x : x),
  prelu: (x, slope) => (x < 0 ? slope * x : x),
  sigmoid,
  tanh: x => Math.tanh(x),
  hardSigmoid,
  hardSwish: (x, a, b) => x * hardSigmoid(x, a, b),
  silu: x => x * sigmoid(x),
  mish: x => x * Math.tanh(softplus(x)),
  elu: (x, a) => (x < 0 ? a * Math.expm1(x) : x),
  selu: (x, a, gamma) => gamma * (x < 0 ? a * Math.expm1(x) : x),
  softplus,
  gelu: x => 0.5 * x * (1 + erf(x * Math.SQRT1_2)),
  geluTanh: x => 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3))),
  erf: x => erf(x),
  exp: x => Math.exp(x),
  log: x => Math.log(x),
  sqrt: x => Math.sqrt(x),
  abs: x => Math.abs(x),
  neg: x => -x,
  reciprocal: x => 1 / x,
  floor: x => Math.floor(x),
  ceil: x => Math.ceil(x),
  round: x => roundHalfEven(x),
  truncate: x => Math.trunc(x),
  nonzero: x => (x !== 0 ? 1 : 0),
  not: x => (x === 0 ? 1 : 0),
  sign: x => Math.sign(x),
  softsign: x => x / (1 + Math.abs(x)),
  thresholdedRelu: (x, a) => (x > a ? x : 0),
  affine: (x, a, b) => a * x + b,
  shrink: (x, threshold, bias) => (x < -threshold ? x + bias : x > threshold ? x - bias : 0),
  sin: x => Math.sin(x),
  cos: x => Math.cos(x),
  tan: x => Math.tan(x),
  asin: x => Math.asin(x),
  acos: x => Math.acos(x),
  atan: x => Math.atan(x),
  sinh: x => Math.sinh(x),
  cosh: x => Math.cosh(x),
  asinh: x => Math.asinh(x),
  acosh: x => Math.acosh(x),
  atanh: x => Math.atanh(x),
  isNan: x => Number(Number.isNaN(x)),
  isInf: (x, above, below) => Number(x === Number.POSITIVE_INFINITY ? above : x === Number.NEGATIVE_INFINITY && below)
} satisfies Record<string, Activation>

export type ActivationName = keyof typeof activations

const names = Object.keys(activations) as ActivationName[]
const functions = Object.values(activations) as Activation[]

export function kindOf(name: ActivationName): number {
  return names.indexOf(name)
}

/** The reference of every kernel's `act, alpha, beta` fields. */
export function activate(kind: number, x: number, alpha: number, beta: number): number {
  return functions[kind](x, alpha, beta)
}

function roundHalfEven(x: number): number {
  const nearest = Math.round(x)
  return Math.abs(x % 1) === 0.5 && nearest % 2 !== 0 ? nearest - 1 : nearest
}

/** Series for small |x|, continued fraction elsewhere (Abramowitz and Stegun 7.1.5, 7.1.14); error below 1e-14. */
function erf(x: number): number {
  const z = Math.abs(x)
  if (z > 6) return Math.sign(x)
  if (z < 2.5) {
    let term = z
    let sum = z
    for (let n = 1; Math.abs(term) > 1e-17 * sum; n++) {
      term *= (-z * z) / n
      sum += term / (2 * n + 1)
    }
    return (Math.sign(x) * 2 * sum) / Math.sqrt(Math.PI)
  }
  let fraction = z
  for (let n = 60; n > 0; n--) fraction = z + n / 2 / fraction
  return Math.sign(x) * (1 - Math.exp(-z * z) / (fraction * Math.sqrt(Math.PI)))
}
