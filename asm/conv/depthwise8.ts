import { correction, dot, neighbours, operand, SIGNED, WORDS } from '../dense/product8'
import { levels, storeBytes, zeroFor } from '../elementwise/requantise'
import { firstOf, lastOf, statics, worth } from '../thread'
import { Conv8Params } from './conv8'

/**
 * One filter a channel, of bytes, 16 channels at a time. Pixels of an input row are interleaved by fours, so that a lane of a product
 * of bytes (product8.ts) sums four taps; what a group of neighbouring outputs reads lies in a few such quads, of which each output takes
 * its taps by weights that are 0 elsewhere. Each row is interleaved once, into a ring of as many rows as the kernel spans.
 */

/** Channels that are interleaved together, as four blocks of four. */
const WIDE: u32 = 16
/** Groups of outputs in a segment of a row, whose interleaved rows stay in the nearest cache. */
const SEGMENT: u32 = 32

/** Neighbouring outputs of a group: as many as share quads well. */
function outputsOf(kernel: u32, stride: u32): u32 {
  if (stride == 1) return kernel <= 3 ? 2 : kernel <= 5 ? 4 : 2
  return stride == 2 && kernel > 3 && kernel <= 5 ? 2 : 1
}

/** Geometry of the call, of which each thread has its own. */
let outputs: u32 = 0
let quads: u32 = 0
let kind: u32 = 0

export function depthwise8(
  p: Conv8Params,
  x: usize,
  w: usize,
  scale: usize,
  bias: usize,
  y: usize,
  scratch: usize
): void {
  kind = operand()
  outputs = outputsOf(p.kernelW, p.strideW)
  quads = ((outputs - 1) * p.strideW + (p.kernelW - 1) * p.dilationW + 4) >> 2
  const weights = scratch + 64
  const ring = weights + <usize>(p.kernelH * quads * outputs * 128)
  const rows = p.batch * p.outH
  const least = worth((p.outW * p.groups * p.kernelH * p.kernelW) >> 2)
  const first = firstOf(rows, least)
  const last = lastOf(rows, least)
  if (first >= last) return
  const columns = outputs * SEGMENT
  for (let c: u32 = 0; c < p.groups; c += WIDE) {
    const channels = min(p.groups - c, WIDE)
    arrange(p, w + c, channels, scratch, weights)
    for (let left: u32 = 0; left < p.outW; left += columns)
      segment(
        p,
        x + c,
        left,
        min(p.outW - left, columns),
        channels,
        first,
        last,
        scratch,
        weights,
        ring,
        scale + (c << 2),
        bias + (c << 2),
        y + c
      )
  }
}

/** A segment of the rows from `first` on, of `count` outputs from column `left` on. */
function segment(
  p: Conv8Params,
  x: usize,
  left: u32,
  count: u32,
  channels: u32,
  first: u32,
  last: u32,
  sums: usize,
  weights: usize,
  ring: usize,
  scale: usize,
  bias: usize,
  y: usize
): void {
  const span = <i32>((p.kernelH - 1) * p.dilationH + 1)
  const groups = (count + outputs - 1) / outputs
  const size = (<usize>(groups * quads)) << 6
  // The next input row that is not in the ring, of this image.
  let next: i32 = 0
  let image: u32 = 0xffffffff
  for (let row = first; row < last; row++) {
    const n = row / p.outH
    const h = row % p.outH
    const top = <i32>(h * p.strideH) - <i32>p.padH
    if (n != image) next = top
    image = n
    for (next = max(next, top); next < top + span; next++)
      interleave(
        p,
        x + n * p.xN,
        next,
        left,
        groups,
        ring + <usize>(<u32>(next + <i32>p.padH) % <u32>span) * size,
        channels
      )
    for (let kh: u32 = 0; kh < p.kernelH; kh++) {
      const at = <u32>(top + <i32>(kh * p.dilationH) + <i32>p.padH) % <u32>span
      store<u32>(statics() + (kh << 2), <u32>(ring + <usize>at * size))
    }
    const to = y + n * p.yN + h * p.yH + left * p.yW
    for (let c: u32 = 0; c < channels; c += 4)
      multiply(p, c, weights, sums + (c << 2), scale + (c << 2), bias + (c << 2), to + c, count, min(channels - c, 4))
  }
}

/**
 * Weights of up to 16 channels by block of four channels, kernel row, quad and output, one lane a channel; and for each channel what
 * its sums begin with to be about the zero point.
 */
function arrange(p: Conv8Params, w: usize, count: u32, sums: usize, to: usize): void {
  const per = p.kernelH * quads * outputs
  memory.fill(sums, 0, 64)
  memory.fill(to, 0, per * 128)
  for (let c: u32 = 0; c < count; c++) {
    let sum: i32 = 0
    for (let tap: u32 = 0; tap < p.kernelH * p.kernelW; tap++) sum += load<i8>(w + tap * p.groups + c)
    store<i32>(sums + (c << 2), sum * correction(kind, p.xZero))
    for (let kh: u32 = 0; kh < p.kernelH; kh++)
      for (let j: u32 = 0; j < outputs; j++)
        for (let kw: u32 = 0; kw < p.kernelW; kw++) {
          const place = j * p.strideW + kw * p.dilationW
          const vector = ((c >> 2) * per + (kh * quads + (place >> 2)) * outputs + j) * 32
          const value = load<i8>(w + (kh * p.kernelW + kw) * p.groups + c)
          const lane = (c & 3) * 4 + (place & 3)
          if (kind == WORDS) store<i16>(to + vector + lane * 2, value)
          else store<i8>(to + vector + lane, value)
        }
  }
}

/** The quads of an input row: of 4 neighbouring pixels, 16 channels as four vectors; zero points where there is no input. */
function interleave(p: Conv8Params, x: usize, row: i32, left: u32, groups: u32, to: usize, count: u32): void {
  const zero = i8x16.splat(<i8>p.xZero)
  const flip = i8x16.splat(kind == SIGNED ? <i8>0x80 : 0)
  const inside = <u32>row < p.inH
  const line = x + <usize>row * p.xH
  for (let g: u32 = 0; g < groups; g++) {
    const from = <i32>((left + g * outputs) * p.strideW) - <i32>p.padW
    for (let q: u32 = 0; q < quads; q++, to += 64) {
      const at = from + <i32>(q << 2)
      let a = zero
      let b = zero
      let c = zero
      let d = zero
      const pixel = line + <usize>at * p.xW
      if (inside && at >= 0 && at + 4 <= <i32>p.inW && count == WIDE) {
        a = v128.load(pixel)
        b = v128.load(pixel + p.xW)
        c = v128.load(pixel + 2 * p.xW)
        d = v128.load(pixel + 3 * p.xW)
      } else if (inside) {
        if (<u32>at < p.inW) a = pixels(pixel, count)
        if (<u32>(at + 1) < p.inW) b = pixels(pixel + p.xW, count)
        if (<u32>(at + 2) < p.inW) c = pixels(pixel + 2 * p.xW, count)
        if (<u32>(at + 3) < p.inW) d = pixels(pixel + 3 * p.xW, count)
      }
      const ac = v128.xor(i8x16.shuffle(a, c, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23), flip)
      const bd = v128.xor(i8x16.shuffle(b, d, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23), flip)
      v128.store(to, i8x16.shuffle(ac, bd, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23))
      v128.store(to, i8x16.shuffle(ac, bd, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31), 16)
      if (count <= 8) continue
      const eg = v128.xor(i8x16.shuffle(a, c, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31), flip)
      const fh = v128.xor(i8x16.shuffle(b, d, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31), flip)
      v128.store(to, i8x16.shuffle(eg, fh, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23), 32)
      v128.store(to, i8x16.shuffle(eg, fh, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31), 48)
    }
  }
}

/** Channels of a pixel, of which `count` are there. */
function pixels(at: usize, count: u32): v128 {
  return count > 8 ? v128.load(at) : v128.load64_zero(at)
}

/** Four channels of all groups; rows of the ring are named in this thread's statics. */
function multiply(
  p: Conv8Params,
  c: u32,
  weights: usize,
  sums: usize,
  scale: usize,
  bias: usize,
  y: usize,
  count: u32,
  channels: u32
): void {
  const w = weights + <usize>((c >> 2) * p.kernelH * quads * outputs * 32)
  if (kind != WORDS && p.kernelH == 3 && quads == 1 && channels == 4) {
    threeRows(p, (<usize>c) << 2, w, v128.load(sums), v128.load(scale), v128.load(bias), y, count)
    return
  }
  const start = v128.load(sums)
  const s = v128.load(scale)
  const t = v128.load(bias)
  const zero = zeroFor(p.yZero)
  const low = i8x16.splat(<i8>p.low)
  const high = i8x16.splat(<i8>p.high)
  for (let o: u32 = 0, group = (<usize>c) << 2; o < count; o += outputs, group += (<usize>quads) << 6)
    for (let j: u32 = 0; j < outputs && o + j < count; j++) {
      const sum = kind == WORDS ? words(p, group, w + (j << 5), start) : bytes(p, group, w + (j << 5), start)
      const level = levels(f32x4.add(f32x4.mul(f32x4.convert_i32x4_s(sum), s), t), zero)
      const both = i16x8.narrow_i32x4_s(level, level)
      const result = i8x16.max_u(i8x16.min_u(i8x16.narrow_i16x8_u(both, both), high), low)
      storeBytes(y + (o + j) * p.yW, result, channels)
    }
}

/** Three rows of one quad each, two outputs at a time: of one group that shares its quads, or of two. */
function threeRows(p: Conv8Params, lane: usize, w: usize, start: v128, s: v128, t: v128, y: usize, count: u32): void {
  const apart: usize = outputs == 2 ? 0 : 64
  const second: usize = outputs == 2 ? 32 : 0
  const step = outputs == 2 ? 64 : 128
  let one = <usize>load<u32>(statics()) + lane
  const two = <usize>load<u32>(statics(), 4) + lane - one
  const three = <usize>load<u32>(statics(), 8) + lane - one
  const pitch = (<usize>outputs) << 5
  const a1 = v128.load(w)
  const b1 = v128.load(w + second)
  const a2 = v128.load(w + pitch)
  const b2 = v128.load(w + pitch + second)
  const a3 = v128.load(w + 2 * pitch)
  const b3 = v128.load(w + 2 * pitch + second)
  const zero = zeroFor(p.yZero)
  const low = i8x16.splat(<i8>p.low)
  const high = i8x16.splat(<i8>p.high)
  for (let o: u32 = 0; o < count; o += 2, one += step, y += 2 * p.yW) {
    const a = dot(a3, v128.load(one + three), dot(a2, v128.load(one + two), dot(a1, v128.load(one), start)))
    const next = one + apart
    const b = dot(b3, v128.load(next + three), dot(b2, v128.load(next + two), dot(b1, v128.load(next), start)))
    const both = i16x8.narrow_i32x4_s(
      levels(f32x4.add(f32x4.mul(f32x4.convert_i32x4_s(a), s), t), zero),
      levels(f32x4.add(f32x4.mul(f32x4.convert_i32x4_s(b), s), t), zero)
    )
    const result = i8x16.max_u(i8x16.min_u(i8x16.narrow_i16x8_u(both, both), high), low)
    v128.store32_lane(y, result, 0)
    if (o + 1 < count) v128.store32_lane(y + p.yW, result, 1)
  }
}

function bytes(p: Conv8Params, group: usize, w: usize, sum: v128): v128 {
  for (let kh: u32 = 0; kh < p.kernelH; kh++) {
    let row = <usize>load<u32>(statics() + (kh << 2)) + group
    for (let q: u32 = 0; q < quads; q++, row += 64, w += (<usize>outputs) << 5)
      sum = dot(v128.load(w), v128.load(row), sum)
  }
  return sum
}

/** As bytes, in 16 bits: every lane sums two taps, and neighbours are neighbours in the end. */
function words(p: Conv8Params, group: usize, w: usize, start: v128): v128 {
  let a = i32x4.splat(0)
  let b = a
  for (let kh: u32 = 0; kh < p.kernelH; kh++) {
    let row = <usize>load<u32>(statics() + (kh << 2)) + group
    for (let q: u32 = 0; q < quads; q++, row += 64, w += (<usize>outputs) << 5) {
      const v = v128.load(row)
      a = i32x4.add(a, i32x4.dot_i16x8_s(v128.load(w), i16x8.extend_low_i8x16_u(v)))
      b = i32x4.add(b, i32x4.dot_i16x8_s(v128.load(w, 16), i16x8.extend_high_i8x16_u(v)))
    }
  }
  return i32x4.add(start, neighbours(a, b))
}
