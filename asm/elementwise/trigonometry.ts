/**
 * Trigonometric and hyperbolic functions of four f32 lanes and their inverses, for the operators of these names; no
 * network is known that spends time in them. Polynomials are Moshier's Cephes (sinf, cosf, atanf); angles are brought to
 * [-pi/4, pi/4] with pi/2 in three parts, which keeps the digits of angles up to some thousands; larger ones go lane by
 * lane through AssemblyScript's own functions.
 */
import { exp, expm1, log } from './math'

const SIGN = memory.data<f32>([-0.0])
const PI_2 = memory.data<f32>([1.5707963267948966])
const PI_4 = memory.data<f32>([0.7853981633974483])
/** Beyond this, log(2 x) is what asinh and acosh are in single precision. */
const LARGE = memory.data<f32>([10000])
const LARGEST_ANGLE = memory.data<f32>([8192])

function constant(at: usize): v128 {
  return v128.load_splat<f32>(at)
}

function signed(magnitude: v128, x: v128): v128 {
  return v128.xor(magnitude, v128.and(x, constant(SIGN)))
}

function step(value: v128, c: v128, d: f32): v128 {
  return f32x4.add(f32x4.mul(value, c), f32x4.splat(d))
}

/** sin(x + turns * pi / 2). */
function sinFrom(x: v128, turns: i32): v128 {
  const quotient = f32x4.nearest(f32x4.mul(x, f32x4.splat(0.6366197723675814)))
  let r = f32x4.sub(x, f32x4.mul(quotient, f32x4.splat(1.5703125)))
  r = f32x4.sub(r, f32x4.mul(quotient, f32x4.splat(4.837512969970703e-4)))
  r = f32x4.sub(r, f32x4.mul(quotient, f32x4.splat(7.549789948768648e-8)))
  const quadrant = i32x4.add(i32x4.trunc_sat_f32x4_s(quotient), i32x4.splat(turns))
  const z = f32x4.mul(r, r)
  let s = step(z, f32x4.splat(-1.9515295891e-4), 8.3321608736e-3)
  s = step(s, z, -1.6666654611e-1)
  s = f32x4.add(f32x4.mul(f32x4.mul(s, z), r), r)
  let c = step(z, f32x4.splat(2.443315711809948e-5), -1.388731625493765e-3)
  c = step(c, z, 4.166664568298827e-2)
  c = f32x4.sub(f32x4.mul(f32x4.mul(c, z), z), f32x4.mul(z, f32x4.splat(0.5)))
  c = f32x4.add(c, f32x4.splat(1))
  const odd = i32x4.ne(v128.and(quadrant, i32x4.splat(1)), i32x4.splat(0))
  const flip = i32x4.shl(v128.and(quadrant, i32x4.splat(2)), 30)
  return v128.xor(v128.bitselect(c, s, odd), flip)
}

function isLarge(x: v128): bool {
  return v128.any_true(f32x4.gt(f32x4.abs(x), constant(LARGEST_ANGLE)))
}

export function sin(x: v128): v128 {
  if (!isLarge(x)) return sinFrom(x, 0)
  let result = f32x4.splat(Mathf.sin(f32x4.extract_lane(x, 0)))
  result = f32x4.replace_lane(result, 1, Mathf.sin(f32x4.extract_lane(x, 1)))
  result = f32x4.replace_lane(result, 2, Mathf.sin(f32x4.extract_lane(x, 2)))
  return f32x4.replace_lane(result, 3, Mathf.sin(f32x4.extract_lane(x, 3)))
}

export function cos(x: v128): v128 {
  if (!isLarge(x)) return sinFrom(x, 1)
  let result = f32x4.splat(Mathf.cos(f32x4.extract_lane(x, 0)))
  result = f32x4.replace_lane(result, 1, Mathf.cos(f32x4.extract_lane(x, 1)))
  result = f32x4.replace_lane(result, 2, Mathf.cos(f32x4.extract_lane(x, 2)))
  return f32x4.replace_lane(result, 3, Mathf.cos(f32x4.extract_lane(x, 3)))
}

export function tan(x: v128): v128 {
  return f32x4.div(sin(x), cos(x))
}

export function atan(x: v128): v128 {
  const size = f32x4.abs(x)
  const one = f32x4.splat(1)
  const steep = f32x4.gt(size, f32x4.splat(2.414213562373095))
  const flat = f32x4.le(size, f32x4.splat(0.414213562373095))
  const middle = f32x4.div(f32x4.sub(size, one), f32x4.add(size, one))
  let r = v128.bitselect(f32x4.div(f32x4.splat(-1), size), v128.bitselect(size, middle, flat), steep)
  const start = v128.bitselect(constant(PI_2), v128.andnot(constant(PI_4), flat), steep)
  const z = f32x4.mul(r, r)
  let p = step(z, f32x4.splat(8.05374449538e-2), -1.38776856032e-1)
  p = step(p, z, 1.99777106478e-1)
  p = step(p, z, -3.33329491539e-1)
  r = f32x4.add(f32x4.mul(f32x4.mul(p, z), r), r)
  return signed(f32x4.add(start, r), x)
}

export function asin(x: v128): v128 {
  const one = f32x4.splat(1)
  return atan(f32x4.div(x, f32x4.sqrt(f32x4.mul(f32x4.sub(one, x), f32x4.add(one, x)))))
}

/** By the half angle, which keeps the digits near 1. */
export function acos(x: v128): v128 {
  const one = f32x4.splat(1)
  return f32x4.mul(f32x4.splat(2), atan(f32x4.sqrt(f32x4.div(f32x4.sub(one, x), f32x4.add(one, x)))))
}

/** e^x / 2, which is finite for longer than e^x. */
function halfExp(x: v128): v128 {
  const root = exp(f32x4.mul(x, f32x4.splat(0.5)))
  return f32x4.mul(f32x4.mul(root, f32x4.splat(0.5)), root)
}

/** From e^-|x| - 1, which keeps the digits of small x. */
export function sinh(x: v128): v128 {
  const size = f32x4.abs(x)
  const m = expm1(f32x4.neg(size))
  const below = f32x4.add(m, f32x4.splat(1))
  const small = f32x4.div(f32x4.mul(f32x4.mul(m, f32x4.splat(-0.5)), f32x4.add(m, f32x4.splat(2))), below)
  const half = halfExp(size)
  const large = f32x4.sub(half, f32x4.div(f32x4.splat(0.25), half))
  return signed(v128.bitselect(small, large, f32x4.lt(size, f32x4.splat(1))), x)
}

export function cosh(x: v128): v128 {
  const half = halfExp(f32x4.abs(x))
  return f32x4.add(half, f32x4.div(f32x4.splat(0.25), half))
}

/** log(1 + u) for u at least 0; what the sum rounds away comes back as a share of it. */
function log1p(u: v128): v128 {
  const sum = f32x4.add(u, f32x4.splat(1))
  const lost = f32x4.div(f32x4.sub(u, f32x4.sub(sum, f32x4.splat(1))), sum)
  return f32x4.add(log(sum), v128.and(lost, f32x4.lt(sum, f32x4.splat(Infinity))))
}

function logTwice(x: v128): v128 {
  return f32x4.add(log(x), f32x4.splat(0.6931471805599453))
}

export function asinh(x: v128): v128 {
  const size = f32x4.abs(x)
  const square = f32x4.mul(size, size)
  const root = f32x4.add(f32x4.sqrt(f32x4.add(square, f32x4.splat(1))), f32x4.splat(1))
  const near = log1p(f32x4.add(size, f32x4.div(square, root)))
  return signed(v128.bitselect(logTwice(size), near, f32x4.gt(size, constant(LARGE))), x)
}

export function acosh(x: v128): v128 {
  const above = f32x4.sub(x, f32x4.splat(1))
  const root = f32x4.mul(f32x4.sqrt(above), f32x4.sqrt(f32x4.add(above, f32x4.splat(2))))
  return v128.bitselect(logTwice(x), log1p(f32x4.add(above, root)), f32x4.gt(x, constant(LARGE)))
}

export function atanh(x: v128): v128 {
  const size = f32x4.abs(x)
  const quotient = f32x4.div(f32x4.add(size, size), f32x4.sub(f32x4.splat(1), size))
  return signed(f32x4.mul(log1p(quotient), f32x4.splat(0.5)), x)
}
