/**
 * From sums and floats back to bytes: round(v) + zero, half to even, within bounds. Every float operation is rounded by itself, so
 * that results are the same bits on every engine.
 */
@unmanaged
export class Requantise {
  yZero: u32
  low: u32
  high: u32
}

/** Beyond this many steps a result is out of bounds whatever the zero point is. */
const REACH: f32 = 1024
/** A sum with it has a whole number in its last bits. */
const MAGIC: f32 = 12582912
const MAGIC_BITS: i32 = 0x4b400000

/** Whole numbers, with the zero point on top, of four results in steps of their scale; NaN is far below. */
export function levels(v: v128, zero: v128): v128 {
  v = f32x4.pmax(f32x4.splat(-REACH), f32x4.pmin(v, f32x4.splat(REACH)))
  return i32x4.add(f32x4.add(v, f32x4.splat(MAGIC)), zero)
}

/** The operand of `levels` for a zero point. */
export function zeroFor(zero: u32): v128 {
  return i32x4.splat(<i32>zero - MAGIC_BITS)
}

/** One result, as the vectors have it. */
export function level(v: f32, r: Requantise): u32 {
  const whole = i32x4.extract_lane(levels(f32x4.splat(v), zeroFor(r.yZero)), 0)
  return max(min(<u32>max(whole, 0), min<u32>(255, r.high)), r.low)
}

/** Sixteen words as bytes within bounds. */
export function narrowed(a: v128, b: v128, low: v128, high: v128): v128 {
  return i8x16.max_u(i8x16.min_u(i8x16.narrow_i16x8_u(a, b), high), low)
}

/** The first `count` (1 to 8) bytes of a vector. */
export function storeBytes(y: usize, v: v128, count: u32): void {
  if (count >= 8) {
    v128.store64_lane(y, v, 0)
    return
  }
  if (count & 4) {
    v128.store32_lane(y, v, 0)
    v = i8x16.shuffle(v, v, 4, 5, 6, 7, 4, 5, 6, 7, 4, 5, 6, 7, 4, 5, 6, 7)
    y += 4
  }
  if (count & 2) {
    v128.store16_lane(y, v, 0)
    v = i8x16.shuffle(v, v, 2, 3, 2, 3, 2, 3, 2, 3, 2, 3, 2, 3, 2, 3, 2, 3)
    y += 2
  }
  if (count & 1) v128.store8_lane(y, v, 0)
}
