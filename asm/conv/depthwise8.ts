import { levels, Requantise, storeBytes, zeroFor } from '../elementwise/requantise'
import { firstOf, lastOf, statics, worth } from '../thread'
import { Conv8Params } from './conv8'

/**
 * One filter a channel, of bytes: 8 channels at a time, whose weights are widened once for a row of the output. Two taps are multiplied
 * and added at a time, in 16 bits; taps outside of the input read a pixel of zero points.
 */

/** Pairs of taps whose widened weights, two vectors each, fit the thread's statics. */
const MOST_PAIRS: u32 = 64
const WEIGHTS: usize = 512

export function depthwise8(
  p: Conv8Params,
  x: usize,
  w: usize,
  scale: usize,
  bias: usize,
  y: usize,
  scratch: usize
): void {
  const taps = p.kernelH * p.kernelW
  memory.fill(scratch, <u8>p.xZero, p.groups + 16)
  const rows = p.batch * p.outH
  const least = worth(p.outW * p.groups * (taps >> 1))
  const last = lastOf(rows, least)
  for (let row = firstOf(rows, least); row < last; row++) {
    const n = row / p.outH
    const h = row % p.outH
    for (let c: u32 = 0; c < p.groups; c += 8)
      line(p, x + n * p.xN, w + c, scale + (c << 2), bias + (c << 2), y + n * p.yN + h * p.yH + c, scratch, h, c)
  }
}

/** A row of the output, 8 channels from `c` on. */
function line(
  p: Conv8Params,
  x: usize,
  w: usize,
  scale: usize,
  bias: usize,
  y: usize,
  zeros: usize,
  h: u32,
  c: u32
): void {
  const r = changetype<Requantise>(changetype<usize>(p) + offsetof<Conv8Params>('yZero'))
  const count = min(p.groups - c, 8)
  const taps = p.kernelH * p.kernelW
  const pairs = min((taps + 1) >> 1, MOST_PAIRS)
  const weights = statics() + WEIGHTS
  let total = i32x4.splat(0)
  let rest = total
  for (let i: u32 = 0; i < pairs; i++) {
    const first = v128.load8x8_s(w + 2 * i * p.groups)
    const second = <u32>(2 * i + 1) < taps ? v128.load8x8_s(w + (2 * i + 1) * p.groups) : i16x8.splat(0)
    const low = i16x8.shuffle(first, second, 0, 8, 1, 9, 2, 10, 3, 11)
    const high = i16x8.shuffle(first, second, 4, 12, 5, 13, 6, 14, 7, 15)
    v128.store(weights + (i << 5), low)
    v128.store(weights + (i << 5), high, 16)
    total = i32x4.add(total, i32x4.dot_i16x8_s(low, i16x8.splat(1)))
    rest = i32x4.add(rest, i32x4.dot_i16x8_s(high, i16x8.splat(1)))
  }
  const zero = i32x4.splat(-(<i32>p.xZero))
  total = i32x4.mul(total, zero)
  rest = i32x4.mul(rest, zero)
  const s = v128.load(scale)
  const t = v128.load(scale, 16)
  const a = v128.load(bias)
  const b = v128.load(bias, 16)
  const own = zeroFor(r.yZero)
  const low = i8x16.splat(<i8>r.low)
  const high = i8x16.splat(<i8>r.high)
  const top = h * p.strideH - p.padH
  x += c
  for (let o: u32 = 0; o < p.outW; o++, y += p.yW) {
    const left = o * p.strideW - p.padW
    let d = total
    let e = rest
    let even = true
    let before: usize = zeros
    let at = weights
    for (let kh: u32 = 0; kh < p.kernelH; kh++) {
      const v = top + kh * p.dilationH
      for (let kw: u32 = 0; kw < p.kernelW; kw++) {
        const u = left + kw * p.dilationW
        const tap = v < p.inH && u < p.inW ? x + v * p.xH + u * p.xW : zeros
        if (even) before = tap
        else {
          const both = i8x16.shuffle(
            v128.load64_zero(before),
            v128.load64_zero(tap),
            0,
            16,
            1,
            17,
            2,
            18,
            3,
            19,
            4,
            20,
            5,
            21,
            6,
            22,
            7,
            23
          )
          d = i32x4.add(d, i32x4.dot_i16x8_s(i16x8.extend_low_i8x16_u(both), v128.load(at)))
          e = i32x4.add(e, i32x4.dot_i16x8_s(i16x8.extend_high_i8x16_u(both), v128.load(at, 16)))
          at += 32
        }
        even = !even
      }
    }
    if (!even) {
      const v = v128.load64_zero(before)
      const both = i8x16.shuffle(v, v, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23)
      d = i32x4.add(d, i32x4.dot_i16x8_s(i16x8.extend_low_i8x16_u(both), v128.load(at)))
      e = i32x4.add(e, i32x4.dot_i16x8_s(i16x8.extend_high_i8x16_u(both), v128.load(at, 16)))
    }
    const f = levels(f32x4.add(f32x4.mul(f32x4.convert_i32x4_s(d), s), a), own)
    const g = levels(f32x4.add(f32x4.mul(f32x4.convert_i32x4_s(e), t), b), own)
    const words = i16x8.narrow_i32x4_s(f, g)
    storeBytes(y, i8x16.max_u(i8x16.min_u(i8x16.narrow_i16x8_u(words, words), high), low), count)
  }
}
