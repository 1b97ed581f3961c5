/**
 * Elementary functions of four f32 lanes, within an ulp or two of the exact value. exp splits off a power of two with
 * Cody and Waite's two-part logarithm of two, log splits off the exponent; both end in the minimax polynomials of
 * Moshier's Cephes (expf, logf). erf is the odd rational approximation on [-4, 4] that Eigen uses. NaN passes through:
 * pmin and pmax keep their first operand when it is NaN, and cost one instruction where min and max cost seven.
 */
const LOG2E: f32 = 1.44269504088896341
const LN2_HIGH: f32 = 0.693359375
const LN2_LOW: f32 = -2.1219444e-4
/** Adding 1.5 * 2^23 leaves the nearest integer in the low bits of the sum. */
const SHIFTER: f32 = 12582912

export function clip(v: v128, low: v128, high: v128): v128 {
  return f32x4.pmin(f32x4.pmax(v, low), high)
}

/** value * c + d with constants, the step of every polynomial here. */
function step(value: v128, c: v128, d: f32): v128 {
  return f32x4.add(f32x4.mul(value, c), f32x4.splat(d))
}

/** x / ln 2, rounded, as an integer in the low bits of a float. */
function shiftedQuotient(x: v128): v128 {
  return step(x, f32x4.splat(LOG2E), SHIFTER)
}

/** 2^(quotient + offset): the shift drops all but the low nine bits, and what is below -126 becomes 0. */
function powerOfTwo(shifted: v128, offset: i32): v128 {
  return i32x4.shl(i32x4.add(shifted, i32x4.splat(127 + offset)), 23)
}

/** e^r - 1 of the remainder r = x - ln 2 * quotient. */
function remainderExpm1(x: v128, shifted: v128): v128 {
  const n = f32x4.sub(shifted, f32x4.splat(SHIFTER))
  const r = f32x4.sub(f32x4.sub(x, f32x4.mul(n, f32x4.splat(LN2_HIGH))), f32x4.mul(n, f32x4.splat(LN2_LOW)))
  let p = step(r, f32x4.splat(1.98756915e-4), 1.3981999507e-3)
  p = step(p, r, 8.3334519073e-3)
  p = step(p, r, 4.1665795894e-2)
  p = step(p, r, 1.6666665459e-1)
  p = step(p, r, 5.0000001201e-1)
  return f32x4.add(f32x4.mul(f32x4.mul(r, r), p), r)
}

/** Half of the power of two, then twice the product, so that the largest results are finite; below 1.6e-38 it is 0. */
export function exp(v: v128): v128 {
  const x = clip(v, f32x4.splat(-87.5), f32x4.splat(89))
  const shifted = shiftedQuotient(x)
  const e = f32x4.add(remainderExpm1(x, shifted), f32x4.splat(1))
  return f32x4.mul(f32x4.mul(e, powerOfTwo(shifted, -1)), f32x4.splat(2))
}

/** e^x - 1 for x at most 0, accurate near 0. */
export function expm1(v: v128): v128 {
  const x = f32x4.pmax(v, f32x4.splat(-30))
  const shifted = shiftedQuotient(x)
  const power = powerOfTwo(shifted, 0)
  return f32x4.add(f32x4.mul(remainderExpm1(x, shifted), power), f32x4.sub(power, f32x4.splat(1)))
}

/** log(1 + f) for f in [sqrt(1/2) - 1, sqrt(2) - 1], plus n * ln 2. */
function logPolynomial(f: v128, n: v128): v128 {
  let p = step(f, f32x4.splat(7.0376836292e-2), -1.151461031e-1)
  p = step(p, f, 1.167699874e-1)
  p = step(p, f, -1.2420140846e-1)
  p = step(p, f, 1.4249322787e-1)
  p = step(p, f, -1.6668057665e-1)
  p = step(p, f, 2.0000714765e-1)
  p = step(p, f, -2.4999993993e-1)
  p = step(p, f, 3.3333331174e-1)
  const square = f32x4.mul(f, f)
  let tail = f32x4.mul(f32x4.mul(p, f), square)
  tail = f32x4.add(tail, f32x4.mul(n, f32x4.splat(LN2_LOW)))
  tail = f32x4.sub(tail, f32x4.mul(square, f32x4.splat(0.5)))
  return f32x4.add(f32x4.add(f, tail), f32x4.mul(n, f32x4.splat(LN2_HIGH)))
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
  return f32x4.div(scale, f32x4.add(exp(f32x4.neg(x)), f32x4.splat(1)))
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
  const e = exp(f32x4.pmin(x, f32x4.splat(20)))
  const w = f32x4.mul(e, f32x4.add(e, f32x4.splat(2)))
  return f32x4.mul(x, f32x4.div(w, f32x4.add(w, f32x4.splat(2))))
}

export function erf(v: v128): v128 {
  const x = clip(v, f32x4.splat(-4), f32x4.splat(4))
  const z = f32x4.mul(x, x)
  let p = step(z, f32x4.splat(-2.72614225801306e-10), 2.77068142495902e-8)
  p = step(p, z, -2.10102402082508e-6)
  p = step(p, z, -5.69250639462346e-5)
  p = step(p, z, -7.34990630326855e-4)
  p = step(p, z, -2.95459980854025e-3)
  p = step(p, z, -1.60960333262415e-2)
  let q = step(z, f32x4.splat(-1.45660718464996e-5), -2.13374055278905e-4)
  q = step(q, z, -1.68282697438203e-3)
  q = step(q, z, -7.37332916720468e-3)
  q = step(q, z, -1.42647390514189e-2)
  return clip(f32x4.div(f32x4.mul(x, p), q), f32x4.splat(-1), f32x4.splat(1))
}

/** a^b; squares, cubes and square roots are exact to the rounding, the rest goes lane by lane through double precision. */
export function powf(a: v128, b: v128): v128 {
  const square = f32x4.mul(a, a)
  if (i32x4.all_true(f32x4.eq(b, f32x4.splat(2)))) return square
  if (i32x4.all_true(f32x4.eq(b, f32x4.splat(3)))) return f32x4.mul(square, a)
  if (i32x4.all_true(f32x4.eq(b, f32x4.splat(0.5))) && !i32x4.bitmask(a)) return f32x4.sqrt(a)
  let result = f32x4.splat(Mathf.pow(f32x4.extract_lane(a, 0), f32x4.extract_lane(b, 0)))
  result = f32x4.replace_lane(result, 1, Mathf.pow(f32x4.extract_lane(a, 1), f32x4.extract_lane(b, 1)))
  result = f32x4.replace_lane(result, 2, Mathf.pow(f32x4.extract_lane(a, 2), f32x4.extract_lane(b, 2)))
  return f32x4.replace_lane(result, 3, Mathf.pow(f32x4.extract_lane(a, 3), f32x4.extract_lane(b, 3)))
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

/** The remainder with the dividend's sign, as C's fmod gives it. */
export function remainder(a: v128, b: v128): v128 {
  const whole = f32x4.trunc(f32x4.div(a, b))
  return f32x4.sub(a, f32x4.mul(b, whole))
}
