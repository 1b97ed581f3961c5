/**
 * Functions of one number on four lanes, chosen by kind: the same list in the same order as `activations` of
 * compiler/ops/elementwise/activation.ts. Kinds up to CLIP are a bound at most, so a kernel's epilogue takes them without a call:
 * it clips to lowerBound and upperBound, which are infinite for IDENTITY, and calls activate only for `kind > CLIP`.
 */
import { gather, scatter } from '../lanes'
import { clip, erf, exp, expm1, log, mish, scaledSigmoid, sigmoidBlocks, softplus, tanh } from './math'
import { acos, acosh, asin, asinh, atan, atanh, cos, cosh, sin, sinh, tan } from './trigonometry'

export const IDENTITY: u32 = 0
export const CLIP: u32 = 1
export const LEAKY_RELU: u32 = 2
export const PRELU: u32 = 3
export const SIGMOID: u32 = 4
export const TANH: u32 = 5
export const HARD_SIGMOID: u32 = 6
export const HARD_SWISH: u32 = 7
export const SILU: u32 = 8
export const MISH: u32 = 9
export const ELU: u32 = 10
export const SELU: u32 = 11
export const SOFTPLUS: u32 = 12
export const GELU: u32 = 13
export const GELU_TANH: u32 = 14
export const ERF: u32 = 15
export const EXP: u32 = 16
export const LOG: u32 = 17
export const SQRT: u32 = 18
export const ABS: u32 = 19
export const NEG: u32 = 20
export const RECIPROCAL: u32 = 21
export const FLOOR: u32 = 22
export const CEIL: u32 = 23
export const ROUND: u32 = 24
export const TRUNCATE: u32 = 25
export const NONZERO: u32 = 26
export const NOT: u32 = 27
export const SIGN: u32 = 28
export const SOFTSIGN: u32 = 29
export const THRESHOLDED_RELU: u32 = 30
export const AFFINE: u32 = 31
export const SHRINK: u32 = 32
export const SIN: u32 = 33
export const COS: u32 = 34
export const TAN: u32 = 35
export const ASIN: u32 = 36
export const ACOS: u32 = 37
export const ATAN: u32 = 38
export const SINH: u32 = 39
export const COSH: u32 = 40
export const ASINH: u32 = 41
export const ACOSH: u32 = 42
export const ATANH: u32 = 43
export const IS_NAN: u32 = 44
export const IS_INF: u32 = 45

export { clip }

export function lowerBound(kind: u32, alpha: f32): v128 {
  return f32x4.splat(kind == CLIP ? alpha : -Infinity)
}

export function upperBound(kind: u32, beta: f32): v128 {
  return f32x4.splat(kind == CLIP ? beta : Infinity)
}

export function activate(kind: u32, v: v128, alpha: v128, beta: v128): v128 {
  if (kind > CLIP) return curve(kind, v, alpha, beta)
  return kind == CLIP ? clip(v, alpha, beta) : v
}

/** y = activation(x) over n adjacent floats. The kinds that networks use most have loops of their own. */
export function activateRow(kind: u32, low: f32, high: f32, x: usize, y: usize, n: u32): void {
  const alpha = f32x4.splat(low)
  const beta = f32x4.splat(high)
  const whole = n & ~3
  const end = x + (whole << 2)
  let from = x
  let to = y
  switch (kind) {
    case IDENTITY:
      for (; from < end; from += 16, to += 16) v128.store(to, v128.load(from))
      break
    case CLIP:
      for (; from < end; from += 16, to += 16) v128.store(to, clip(v128.load(from), alpha, beta))
      break
    case LEAKY_RELU:
      for (; from < end; from += 16, to += 16) v128.store(to, leakyRelu(v128.load(from), alpha))
      break
    case SIGMOID:
    case SILU: {
      const blocks = (n & ~15) << 2
      sigmoidBlocks(x, x + blocks, y, kind == SILU)
      from = x + blocks
      to = y + blocks
      for (; from < end; from += 16, to += 16) v128.store(to, activate(kind, v128.load(from), alpha, beta))
      break
    }
    case TANH:
      for (; from < end; from += 16, to += 16) v128.store(to, tanh(v128.load(from)))
      break
    case HARD_SIGMOID:
      for (; from < end; from += 16, to += 16) v128.store(to, hardSigmoid(v128.load(from), alpha, beta))
      break
    case HARD_SWISH:
      for (; from < end; from += 16, to += 16) v128.store(to, hardSwish(v128.load(from), alpha, beta))
      break
    case GELU:
      for (; from < end; from += 16, to += 16) v128.store(to, gelu(v128.load(from)))
      break
    case MISH:
      for (; from < end; from += 16, to += 16) v128.store(to, mish(v128.load(from)))
      break
    case SQRT:
      for (; from < end; from += 16, to += 16) v128.store(to, f32x4.sqrt(v128.load(from)))
      break
    case ABS:
      for (; from < end; from += 16, to += 16) v128.store(to, f32x4.abs(v128.load(from)))
      break
    case NEG:
      for (; from < end; from += 16, to += 16) v128.store(to, f32x4.neg(v128.load(from)))
      break
    default:
      for (; from < end; from += 16, to += 16) v128.store(to, activate(kind, v128.load(from), alpha, beta))
  }
  const rest = n & 3
  if (rest) scatter(to, 4, activate(kind, gather(from, 4, rest), alpha, beta), rest)
}

function curve(kind: u32, v: v128, alpha: v128, beta: v128): v128 {
  switch (kind) {
    case LEAKY_RELU:
    case PRELU:
      return leakyRelu(v, alpha)
    case SIGMOID:
      return scaledSigmoid(v, f32x4.splat(1))
    case TANH:
      return tanh(v)
    case HARD_SIGMOID:
      return hardSigmoid(v, alpha, beta)
    case HARD_SWISH:
      return hardSwish(v, alpha, beta)
    case SILU:
      return silu(v)
    case MISH:
      return mish(v)
    case ELU:
      return elu(v, alpha)
    case SELU:
      return f32x4.mul(beta, elu(v, alpha))
    case SOFTPLUS:
      return softplus(v)
    case GELU:
      return gelu(v)
    case GELU_TANH:
      return geluTanh(v)
    case ERF:
      return erf(v)
    case EXP:
      return exp(v)
    case LOG:
      return log(v)
    case SQRT:
      return f32x4.sqrt(v)
    case ABS:
      return f32x4.abs(v)
    case NEG:
      return f32x4.neg(v)
    case RECIPROCAL:
      return f32x4.div(f32x4.splat(1), v)
    case FLOOR:
      return f32x4.floor(v)
    case CEIL:
      return f32x4.ceil(v)
    case ROUND:
      return f32x4.nearest(v)
    case TRUNCATE:
      return f32x4.trunc(v)
    case NONZERO:
      return v128.and(f32x4.ne(v, f32x4.splat(0)), f32x4.splat(1))
    case NOT:
      return v128.and(f32x4.eq(v, f32x4.splat(0)), f32x4.splat(1))
    case SIGN:
      return sign(v)
    case SOFTSIGN:
      return f32x4.div(v, f32x4.add(f32x4.abs(v), f32x4.splat(1)))
    case THRESHOLDED_RELU:
      return v128.and(v, f32x4.gt(v, alpha))
    case AFFINE:
      return affine(v, alpha, beta)
    case SHRINK:
      return shrink(v, alpha, beta)
    case SIN:
      return sin(v)
    case COS:
      return cos(v)
    case TAN:
      return tan(v)
    case ASIN:
      return asin(v)
    case ACOS:
      return acos(v)
    case ATAN:
      return atan(v)
    case SINH:
      return sinh(v)
    case COSH:
      return cosh(v)
    case ASINH:
      return asinh(v)
    case ACOSH:
      return acosh(v)
    case ATANH:
      return atanh(v)
    case IS_NAN:
      return v128.and(f32x4.ne(v, v), f32x4.splat(1))
    case IS_INF:
      return v128.and(whereNegative(v, beta, alpha), f32x4.eq(f32x4.abs(v), f32x4.splat(Infinity)))
    default:
      return v
  }
}

export function whereNegative(v: v128, negative: v128, other: v128): v128 {
  return v128.bitselect(negative, other, f32x4.lt(v, f32x4.splat(0)))
}

export function leakyRelu(v: v128, slope: v128): v128 {
  return whereNegative(v, f32x4.mul(v, slope), v)
}

/** v moved towards 0 by beta where it is more than alpha away, else 0. */
function shrink(v: v128, alpha: v128, beta: v128): v128 {
  const far = f32x4.gt(f32x4.abs(v), alpha)
  return v128.and(f32x4.sub(v, v128.xor(beta, v128.and(v, f32x4.splat(-0.0)))), far)
}

function affine(v: v128, alpha: v128, beta: v128): v128 {
  return f32x4.add(f32x4.mul(v, alpha), beta)
}

export function hardSigmoid(v: v128, alpha: v128, beta: v128): v128 {
  return clip(affine(v, alpha, beta), f32x4.splat(0), f32x4.splat(1))
}

export function hardSwish(v: v128, alpha: v128, beta: v128): v128 {
  return f32x4.mul(v, hardSigmoid(v, alpha, beta))
}

function silu(v: v128): v128 {
  return scaledSigmoid(v, v)
}

function elu(v: v128, alpha: v128): v128 {
  return whereNegative(v, f32x4.mul(alpha, expm1(f32x4.pmin(v, f32x4.splat(0)))), v)
}

function gelu(v: v128): v128 {
  const e = erf(f32x4.mul(v, f32x4.splat(0.70710678118654752)))
  return f32x4.mul(f32x4.mul(v, f32x4.splat(0.5)), f32x4.add(e, f32x4.splat(1)))
}

/** (1 + tanh u) / 2 is the sigmoid of 2u, here with 2u = v * (1.5957691 + 0.0713548 v^2). */
function geluTanh(v: v128): v128 {
  const slope = affine(f32x4.mul(v, v), f32x4.splat(0.07135481282556), f32x4.splat(1.59576912160573))
  return scaledSigmoid(f32x4.mul(v, slope), v)
}

export function sign(v: v128): v128 {
  const one = v128.or(v128.and(v, f32x4.splat(-0.0)), f32x4.splat(1))
  return v128.bitselect(one, v, f32x4.gt(f32x4.abs(v), f32x4.splat(0)))
}
