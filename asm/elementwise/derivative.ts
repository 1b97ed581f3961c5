/** Derivatives of the functions in activation.ts on four lanes, by the same kinds; compiler/ops/elementwise/derivative.ts has them in double. */

import { gather, scatter } from '../lanes'
import { at, columns, LOOPS, lastRow, row, takeRun, takeSlice } from '../rows'
import {
  ABS,
  AFFINE,
  CLIP,
  ELU,
  ERF,
  EXP,
  GELU,
  GELU_TANH,
  HARD_SIGMOID,
  HARD_SWISH,
  hardSigmoid,
  IDENTITY,
  LEAKY_RELU,
  LOG,
  MISH,
  NEG,
  RECIPROCAL,
  SELU,
  SIGMOID,
  SILU,
  SOFTPLUS,
  SOFTSIGN,
  SQRT,
  sign,
  TANH,
  THRESHOLDED_RELU,
  whereNegative
} from './activation'
import { BinaryParams } from './elementwise'
import { erf, exp, scaledSigmoid, softplus, tanh } from './math'

function splat(value: f32): v128 {
  return f32x4.splat(value)
}

function between(v: v128, low: v128, high: v128): v128 {
  return v128.and(f32x4.gt(v, low), f32x4.lt(v, high))
}

function sigmoid(v: v128): v128 {
  return scaledSigmoid(v, splat(1))
}

/** 1 - v^2 */
function rest(v: v128): v128 {
  return f32x4.sub(splat(1), f32x4.mul(v, v))
}

function eluSlope(v: v128, alpha: v128): v128 {
  return whereNegative(v, f32x4.mul(alpha, exp(f32x4.pmin(v, splat(0)))), splat(1))
}

/** 2 / sqrt(pi) * e^(-v^2) */
function erfSlope(v: v128): v128 {
  return f32x4.mul(splat(1.1283791670955126), exp(f32x4.neg(f32x4.mul(v, v))))
}

function geluSlope(v: v128): v128 {
  const u = f32x4.mul(v, splat(0.7071067811865476))
  const half = f32x4.mul(splat(0.5), f32x4.add(splat(1), erf(u)))
  return f32x4.add(half, f32x4.mul(f32x4.mul(splat(0.3535533905932738), v), erfSlope(u)))
}

function geluTanhSlope(v: v128): v128 {
  const square = f32x4.mul(v, v)
  const inner = f32x4.mul(v, f32x4.add(splat(0.7978845608028654), f32x4.mul(splat(0.035677408136300125), square)))
  const t = tanh(inner)
  const slope = f32x4.add(splat(0.7978845608028654), f32x4.mul(splat(0.10703222440890037), square))
  const half = f32x4.mul(splat(0.5), f32x4.add(splat(1), t))
  return f32x4.add(half, f32x4.mul(f32x4.mul(splat(0.5), v), f32x4.mul(rest(t), slope)))
}

/** f'(v) of the function `kind`; those that step have 0. */
export function derivative(kind: u32, v: v128, alpha: v128, beta: v128): v128 {
  switch (kind) {
    case IDENTITY:
      return splat(1)
    case CLIP:
      return v128.and(between(v, alpha, beta), splat(1))
    case LEAKY_RELU:
      return whereNegative(v, alpha, splat(1))
    case SIGMOID: {
      const s = sigmoid(v)
      return f32x4.mul(s, f32x4.sub(splat(1), s))
    }
    case TANH:
      return rest(tanh(v))
    case HARD_SIGMOID:
      return v128.and(between(line(v, alpha, beta), splat(0), splat(1)), alpha)
    case HARD_SWISH: {
      const inside = between(line(v, alpha, beta), splat(0), splat(1))
      return f32x4.add(hardSigmoid(v, alpha, beta), v128.and(inside, f32x4.mul(alpha, v)))
    }
    case SILU: {
      const s = sigmoid(v)
      return f32x4.mul(s, f32x4.add(splat(1), f32x4.mul(v, f32x4.sub(splat(1), s))))
    }
    case MISH: {
      const t = tanh(softplus(v))
      return f32x4.add(t, f32x4.mul(f32x4.mul(v, rest(t)), sigmoid(v)))
    }
    case ELU:
      return eluSlope(v, alpha)
    case SELU:
      return f32x4.mul(beta, eluSlope(v, alpha))
    case SOFTPLUS:
      return sigmoid(v)
    case GELU:
      return geluSlope(v)
    case GELU_TANH:
      return geluTanhSlope(v)
    case ERF:
      return erfSlope(v)
    case EXP:
      return exp(v)
    case LOG:
      return f32x4.div(splat(1), v)
    case SQRT:
      return f32x4.div(splat(0.5), f32x4.sqrt(v))
    case ABS:
      return sign(v)
    case NEG:
      return splat(-1)
    case RECIPROCAL:
      return f32x4.div(splat(-1), f32x4.mul(v, v))
    case SOFTSIGN: {
      const d = f32x4.add(splat(1), f32x4.abs(v))
      return f32x4.div(splat(1), f32x4.mul(d, d))
    }
    case THRESHOLDED_RELU:
      return v128.and(f32x4.gt(v, alpha), splat(1))
    case AFFINE:
      return alpha
    default:
      return splat(0)
  }
}

function line(v: v128, alpha: v128, beta: v128): v128 {
  return f32x4.add(f32x4.mul(v, alpha), beta)
}

/** y = a * f'(b) for gradients of activations. */
export function slope(p: BinaryParams, a: usize, b: usize, y: usize): void {
  const sizes = changetype<usize>(p)
  takeSlice(sizes, p.act > CLIP ? 8 : 1)
  const n = columns
  while (row < lastRow) {
    let left = at(a, sizes, sizes + LOOPS)
    let right = at(b, sizes, sizes + 2 * LOOPS)
    let to = at(y, sizes, sizes + 3 * LOOPS)
    for (let i = takeRun(p.d4); i > 0; i--) {
      slopeRow(p, left, right, to, n)
      left += p.a4 << 2
      right += p.b4 << 2
      to += p.y4 << 2
    }
  }
}

function slopeRow(p: BinaryParams, a: usize, b: usize, y: usize, n: u32): void {
  const aStep = p.a5 << 2
  const bStep = p.b5 << 2
  const yStep = p.y5 << 2
  const alpha = f32x4.splat(p.alpha)
  const beta = f32x4.splat(p.beta)
  let i: u32 = 0
  if (p.act == CLIP && aStep == 4 && bStep == 4 && yStep == 4)
    for (; i + 4 <= n; i += 4) {
      const v = v128.load(b + (i << 2))
      const inside = v128.and(f32x4.gt(v, alpha), f32x4.lt(v, beta))
      v128.store(y + (i << 2), v128.and(inside, v128.load(a + (i << 2))))
    }
  for (; i < n; i += 4) {
    const left = gather(a + i * aStep, aStep, n - i)
    const right = gather(b + i * bStep, bStep, n - i)
    scatter(y + i * yStep, yStep, f32x4.mul(left, derivative(p.act, right, alpha, beta)), n - i)
  }
}
