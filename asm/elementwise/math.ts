/**
 * Elementary functions of four f32 lanes, within an ulp or two of the exact value. exp splits off a power of two with
 * Cody and Waite's two-part logarithm of two, log splits off the exponent; both end in the minimax polynomials of
 * Moshier's Cephes (expf, logf). erf is the odd rational approximation on [-4, 4] that Eigen uses. NaN passes through:
 * pmin and pmax keep their first operand when it is NaN, and cost one instruction where min and max cost seven.
 */
import { madd } from '../madd'

/** Constants are broadcast from memory: V8 builds a vector constant in three or four instructions, at every use. */
const ONE = memory.data<f32>([1])
const TWO = memory.data<f32>([2])
const LOG2E = memory.data<f32>([1.44269504088896341])
const LN2_HIGH = memory.data<f32>([0.693359375])
const LN2_LOW = memory.data<f32>([-2.1219444e-4])
const MINUS_LN2_HIGH = memory.data<f32>([-0.693359375])
const MINUS_LN2_LOW = memory.data<f32>([2.1219444e-4])
/**
 * Adding 1.5 * 2^23 leaves the nearest integer in the low bits of the sum; with the exponent's bias of 127 on top these
 * bits, shifted to their place, are that power of two. One less gives half of it.
 */
const SHIFTER = memory.data<f32>([12582912 + 127])
const HALF_SHIFTER = memory.data<f32>([12582912 + 126])
const EXP_RANGE = memory.data<f32>([-87.5, 89])
/** From where 2^quotient is zero to where it is infinite. */
const POWER_RANGE = memory.data<f32>([-88, 89])
const EXPM1_LEAST = memory.data<f32>([-30])
const EXP_SERIES = memory.data<f32>([
  1.98756915e-4, 1.3981999507e-3, 8.3334519073e-3, 4.1665795894e-2, 1.6666665459e-1, 5.0000001201e-1
])
const LOG_SERIES = memory.data<f32>([
  7.0376836292e-2, -1.151461031e-1, 1.167699874e-1, -1.2420140846e-1, 1.4249322787e-1, -1.6668057665e-1,
  2.0000714765e-1, -2.4999993993e-1, 3.3333331174e-1
])
const ERF_NUMERATOR = memory.data<f32>([
  -2.72614225801306e-10, 2.77068142495902e-8, -2.10102402082508e-6, -5.69250639462346e-5, -7.34990630326855e-4,
  -2.95459980854025e-3, -1.60960333262415e-2
])
const ERF_DENOMINATOR = memory.data<f32>([
  -1.45660718464996e-5, -2.13374055278905e-4, -1.68282697438203e-3, -7.37332916720468e-3, -1.42647390514189e-2
])

function constant(at: usize): v128 {
  return v128.load_splat<f32>(at)
}

export function clip(v: v128, low: v128, high: v128): v128 {
  return f32x4.pmin(f32x4.pmax(v, low), high)
}

/** value * c + the constant at `d`, the step of every polynomial here. */
function step(value: v128, c: v128, d: usize): v128 {
  return madd(value, c, constant(d))
}

/** The power of two in the low bits of a shifted quotient; what is below -126 becomes 0. */
function powerOfTwo(shifted: v128): v128 {
  return i32x4.shl(shifted, 23)
}

/** e^r - 1 of the remainder r = x - ln 2 * quotient. */
function remainderExpm1(x: v128, quotient: v128): v128 {
  const r = madd(quotient, constant(MINUS_LN2_LOW), madd(quotient, constant(MINUS_LN2_HIGH), x))
  let p = step(r, constant(EXP_SERIES), EXP_SERIES + 4)
  p = step(p, r, EXP_SERIES + 8)
  p = step(p, r, EXP_SERIES + 12)
  p = step(p, r, EXP_SERIES + 16)
  p = step(p, r, EXP_SERIES + 20)
  return madd(f32x4.mul(r, r), p, r)
}

/** Half of the power of two, then twice the product, so that the largest results are finite; below 1.6e-38 it is 0. */
export function exp(v: v128): v128 {
  const x = clip(v, constant(EXP_RANGE), constant(EXP_RANGE + 4))
  const shifter = constant(HALF_SHIFTER)
  const shifted = madd(x, constant(LOG2E), shifter)
  const e = f32x4.add(remainderExpm1(x, f32x4.sub(shifted, shifter)), constant(ONE))
  return f32x4.mul(f32x4.mul(e, powerOfTwo(shifted)), constant(TWO))
}

/** e^x, which is 0 and infinite outside of POWER_RANGE: for what is added to 1 or divided by. */
function boundedExp(v: v128): v128 {
  const x = clip(v, constant(POWER_RANGE), constant(POWER_RANGE + 4))
  const shifter = constant(SHIFTER)
  const shifted = madd(x, constant(LOG2E), shifter)
  const e = f32x4.add(remainderExpm1(x, f32x4.sub(shifted, shifter)), constant(ONE))
  return f32x4.mul(e, powerOfTwo(shifted))
}

/** e^x - 1 for x at most 0, accurate near 0. */
export function expm1(v: v128): v128 {
  const x = f32x4.pmax(v, constant(EXPM1_LEAST))
  const shifter = constant(SHIFTER)
  const shifted = madd(x, constant(LOG2E), shifter)
  const power = powerOfTwo(shifted)
  return madd(remainderExpm1(x, f32x4.sub(shifted, shifter)), power, f32x4.sub(power, constant(ONE)))
}

/** log(1 + f) for f in [sqrt(1/2) - 1, sqrt(2) - 1], plus n * ln 2. */
function logPolynomial(f: v128, n: v128): v128 {
  let p = step(f, constant(LOG_SERIES), LOG_SERIES + 4)
  p = step(p, f, LOG_SERIES + 8)
  p = step(p, f, LOG_SERIES + 12)
  p = step(p, f, LOG_SERIES + 16)
  p = step(p, f, LOG_SERIES + 20)
  p = step(p, f, LOG_SERIES + 24)
  p = step(p, f, LOG_SERIES + 28)
  p = step(p, f, LOG_SERIES + 32)
  const square = f32x4.mul(f, f)
  let tail = f32x4.mul(f32x4.mul(p, f), square)
  tail = f32x4.add(tail, f32x4.mul(n, constant(LN2_LOW)))
  tail = f32x4.sub(tail, f32x4.mul(square, f32x4.splat(0.5)))
  return f32x4.add(f32x4.add(f, tail), f32x4.mul(n, constant(LN2_HIGH)))
}

export function log(v: v128): v128 {
  const subnormal = f32x4.lt(v, f32x4.splat(1.1754943508e-38))
  const x = v128.bitselect(f32x4.mul(v, f32x4.splat(8388608)), v, subnormal)
  // The mantissa lands in [sqrt(1/2), sqrt(2)): 0x3f3504f3 is sqrt(1/2).
  const offset = i32x4.sub(x, i32x4.splat(0x3f3504f3))
  const mantissa = i32x4.add(v128.and(offset, i32x4.splat(0x007fffff)), i32x4.splat(0x3f3504f3))
  const exponent = f32x4.convert_i32x4_s(i32x4.shr_s(offset, 23))
  const n = f32x4.sub(exponent, v128.and(subnormal, f32x4.splat(23)))
  const regular = logPolynomial(f32x4.sub(mantissa, f32x4.splat(1)), n)
  // sqrt keeps infinity and NaN and turns what is negative into NaN.
  const special = v128.bitselect(f32x4.splat(-Infinity), f32x4.sqrt(v), f32x4.eq(v, f32x4.splat(0)))
  const isRegular = v128.and(f32x4.gt(v, f32x4.splat(0)), f32x4.lt(v, f32x4.splat(Infinity)))
  return v128.bitselect(regular, special, isRegular)
}

/** From e^(-2|x|) - 1, which keeps the relative accuracy of small x. */
export function tanh(x: v128): v128 {
  const e = expm1(f32x4.mul(f32x4.abs(x), f32x4.splat(-2)))
  const magnitude = f32x4.div(f32x4.abs(e), f32x4.add(e, f32x4.splat(2)))
  return v128.or(magnitude, v128.and(x, f32x4.splat(-0.0)))
}

/** scale / (1 + e^-x): the sigmoid for a scale of 1. */
export function scaledSigmoid(x: v128, scale: v128): v128 {
  return f32x4.div(scale, f32x4.add(boundedExp(f32x4.neg(x)), constant(ONE)))
}

/** max(x, 0) + log(1 + e^-|x|); where e^-|x| is large, log(1 + e) = ln 2 + log(1 + (e - 1) / 2). */
export function softplus(x: v128): v128 {
  const e = exp(f32x4.neg(f32x4.abs(x)))
  const large = f32x4.gt(e, f32x4.splat(0.41421356))
  const f = v128.bitselect(f32x4.mul(f32x4.sub(e, f32x4.splat(1)), f32x4.splat(0.5)), e, large)
  return f32x4.add(f32x4.pmax(x, f32x4.splat(0)), logPolynomial(f, v128.and(large, f32x4.splat(1))))
}

/** x * tanh(log(1 + e)) is x * w / (w + 2) with w = e * (e + 2); beyond 20 the factor is 1. */
export function mish(x: v128): v128 {
  const e = boundedExp(f32x4.pmin(x, f32x4.splat(20)))
  const w = f32x4.mul(e, f32x4.add(e, f32x4.splat(2)))
  return f32x4.mul(x, f32x4.div(w, f32x4.add(w, f32x4.splat(2))))
}

export function erf(v: v128): v128 {
  const x = clip(v, f32x4.splat(-4), f32x4.splat(4))
  const z = f32x4.mul(x, x)
  let p = step(z, constant(ERF_NUMERATOR), ERF_NUMERATOR + 4)
  p = step(p, z, ERF_NUMERATOR + 8)
  p = step(p, z, ERF_NUMERATOR + 12)
  p = step(p, z, ERF_NUMERATOR + 16)
  p = step(p, z, ERF_NUMERATOR + 20)
  p = step(p, z, ERF_NUMERATOR + 24)
  let q = step(z, constant(ERF_DENOMINATOR), ERF_DENOMINATOR + 4)
  q = step(q, z, ERF_DENOMINATOR + 8)
  q = step(q, z, ERF_DENOMINATOR + 12)
  q = step(q, z, ERF_DENOMINATOR + 16)
  return clip(f32x4.div(f32x4.mul(x, p), q), f32x4.splat(-1), f32x4.splat(1))
}

/**
 * a^b; squares, cubes and square roots are exact to the rounding, the rest goes lane by lane through double precision. Of
 * 1 every power is 1, that of NaN too, and of -1 an infinite one, where JavaScript has NaN.
 */
export function powf(a: v128, b: v128): v128 {
  const square = f32x4.mul(a, a)
  if (i32x4.all_true(f32x4.eq(b, f32x4.splat(2)))) return square
  if (i32x4.all_true(f32x4.eq(b, f32x4.splat(3)))) return f32x4.mul(square, a)
  if (i32x4.all_true(f32x4.eq(b, f32x4.splat(0.5))) && !i32x4.bitmask(a)) return f32x4.sqrt(a)
  let result = f32x4.splat(Mathf.pow(f32x4.extract_lane(a, 0), f32x4.extract_lane(b, 0)))
  result = f32x4.replace_lane(result, 1, Mathf.pow(f32x4.extract_lane(a, 1), f32x4.extract_lane(b, 1)))
  result = f32x4.replace_lane(result, 2, Mathf.pow(f32x4.extract_lane(a, 2), f32x4.extract_lane(b, 2)))
  result = f32x4.replace_lane(result, 3, Mathf.pow(f32x4.extract_lane(a, 3), f32x4.extract_lane(b, 3)))
  const one = f32x4.splat(1)
  const endless = v128.and(f32x4.eq(f32x4.abs(a), one), f32x4.eq(f32x4.abs(b), f32x4.splat(Infinity)))
  return v128.bitselect(one, result, v128.or(f32x4.eq(a, one), endless))
}

function floorMod(a: v128, b: v128): v128 {
  return f64x2.sub(a, f64x2.mul(b, f64x2.floor(f64x2.div(a, b))))
}

/** a - b * floor(a / b), in double precision: a quotient that rounds up to an integer would flip the sign. */
export function mod(a: v128, b: v128): v128 {
  const low = floorMod(f64x2.promote_low_f32x4(a), f64x2.promote_low_f32x4(b))
  const high = floorMod(
    f64x2.promote_low_f32x4(i32x4.shuffle(a, a, 2, 3, 2, 3)),
    f64x2.promote_low_f32x4(i32x4.shuffle(b, b, 2, 3, 2, 3))
  )
  return i32x4.shuffle(f32x4.demote_f64x2_zero(low), f32x4.demote_f64x2_zero(high), 0, 1, 4, 5)
}

/** The remainder with the dividend's sign, as C's fmod gives it; lane by lane, because quotients may have many digits. */
export function remainder(a: v128, b: v128): v128 {
  let result = f32x4.splat(f32x4.extract_lane(a, 0) % f32x4.extract_lane(b, 0))
  result = f32x4.replace_lane(result, 1, f32x4.extract_lane(a, 1) % f32x4.extract_lane(b, 1))
  result = f32x4.replace_lane(result, 2, f32x4.extract_lane(a, 2) % f32x4.extract_lane(b, 2))
  return f32x4.replace_lane(result, 3, f32x4.extract_lane(a, 3) % f32x4.extract_lane(b, 3))
}

/**
 * y = sigmoid(x), times x where `weighted`, over whole blocks of four vectors from x to end: written out for four at a
 * time, which share the constants and do not wait for each other.
 */
export function sigmoidBlocks(x: usize, end: usize, y: usize, weighted: bool): void {
  for (; x < end; x += 64, y += 64) {
    const low = constant(POWER_RANGE)
    const high = constant(POWER_RANGE + 4)
    let x0 = clip(f32x4.neg(v128.load(x)), low, high)
    let x1 = clip(f32x4.neg(v128.load(x, 16)), low, high)
    let x2 = clip(f32x4.neg(v128.load(x, 32)), low, high)
    let x3 = clip(f32x4.neg(v128.load(x, 48)), low, high)
    const shifter = constant(SHIFTER)
    let c = constant(LOG2E)
    let n0 = madd(x0, c, shifter)
    let n1 = madd(x1, c, shifter)
    let n2 = madd(x2, c, shifter)
    let n3 = madd(x3, c, shifter)
    c = constant(MINUS_LN2_HIGH)
    x0 = madd(f32x4.sub(n0, shifter), c, x0)
    x1 = madd(f32x4.sub(n1, shifter), c, x1)
    x2 = madd(f32x4.sub(n2, shifter), c, x2)
    x3 = madd(f32x4.sub(n3, shifter), c, x3)
    c = constant(MINUS_LN2_LOW)
    x0 = madd(f32x4.sub(n0, shifter), c, x0)
    x1 = madd(f32x4.sub(n1, shifter), c, x1)
    x2 = madd(f32x4.sub(n2, shifter), c, x2)
    x3 = madd(f32x4.sub(n3, shifter), c, x3)
    c = constant(EXP_SERIES)
    let p0 = c
    let p1 = c
    let p2 = c
    let p3 = c
    for (let at = EXP_SERIES + 4; at < EXP_SERIES + 24; at += 4) {
      c = constant(at)
      p0 = madd(p0, x0, c)
      p1 = madd(p1, x1, c)
      p2 = madd(p2, x2, c)
      p3 = madd(p3, x3, c)
    }
    p0 = madd(f32x4.mul(x0, x0), p0, x0)
    p1 = madd(f32x4.mul(x1, x1), p1, x1)
    p2 = madd(f32x4.mul(x2, x2), p2, x2)
    p3 = madd(f32x4.mul(x3, x3), p3, x3)
    n0 = powerOfTwo(n0)
    n1 = powerOfTwo(n1)
    n2 = powerOfTwo(n2)
    n3 = powerOfTwo(n3)
    const one = constant(ONE)
    // Not madd(p, n, n), which is NaN where n is infinite.
    n0 = madd(f32x4.add(p0, one), n0, one)
    n1 = madd(f32x4.add(p1, one), n1, one)
    n2 = madd(f32x4.add(p2, one), n2, one)
    n3 = madd(f32x4.add(p3, one), n3, one)
    v128.store(y, f32x4.div(weighted ? v128.load(x) : one, n0))
    v128.store(y, f32x4.div(weighted ? v128.load(x, 16) : one, n1), 16)
    v128.store(y, f32x4.div(weighted ? v128.load(x, 32) : one, n2), 32)
    v128.store(y, f32x4.div(weighted ? v128.load(x, 48) : one, n3), 48)
  }
}
