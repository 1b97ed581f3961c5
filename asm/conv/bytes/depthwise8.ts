import { correction, SIGNED, WORDS } from '../../dense/product8'
import { firstOf, lastOf, statics, worth } from '../../thread'
import { Conv8Params } from './band8'
import { beginRows, finishOutputs, kind, multiply, multiplyPixels, outputs, quads, SUMS } from './depthwise8-columns'
import { arrangeWords, blockOf, columnsOf, outputsIn, pairWords, some } from './depthwise8-words'

/**
 * One filter a channel, of bytes, 16 channels at a time. Pixels of an input row are interleaved by fours, so that a lane of a product
 * of bytes (product8.ts) sums four taps; what a group of neighbouring outputs reads lies in a few such quads, of which each output takes
 * its taps by weights that are 0 elsewhere. Each row is interleaved once, into a ring of as many rows as the kernel spans.
 */

/** Channels that are interleaved together, as four blocks of four. */
const WIDE: u32 = 16
/** Groups of outputs in a segment of a row, whose interleaved rows stay in the nearest cache. */
const SEGMENT: u32 = 32

/** In this thread's statics: a quad of weights. */
const QUAD: usize = 2048

export function depthwise8(
  p: Conv8Params,
  x: usize,
  w: usize,
  scale: usize,
  bias: usize,
  y: usize,
  scratch: usize
): void {
  const lines = scratch + 64
  beginRows(p, lines)
  const products = lines + <usize>(p.kernelH << 2)
  const weights = products + <usize>(outputs * SEGMENT) * SUMS
  const ring = weights + <usize>(p.kernelH * quads * outputs * 128)
  const rows = p.batch * p.outH
  const least = worth((p.outW * p.groups * p.kernelH * p.kernelW) >> 2)
  const first = firstOf(rows, least)
  const last = lastOf(rows, least)
  if (first >= last) return
  const isOne = p.kernelH == 1 && p.kernelW == 1 && p.strideH == 1 && p.strideW == 1
  if (isOne && (p.padH | p.padW) == 0 && p.outH <= p.inH && p.outW <= p.inW) {
    for (let row = first; row < last; row++)
      multiplyPixels(
        p,
        x + (row / p.outH) * p.xN + (row % p.outH) * p.xH,
        w,
        scale,
        bias,
        y + (row / p.outH) * p.yN + (row % p.outH) * p.yH
      )
    return
  }
  const columns = kind == WORDS ? outputsIn(p, quads * SEGMENT, outputs * SEGMENT) : outputs * SEGMENT
  for (let c: u32 = 0; c < p.groups; c += WIDE) {
    const channels = min(p.groups - c, WIDE)
    sumUp(p, w + c, channels, scratch)
    if (kind == WORDS) arrangeWords(p, w + c, channels, weights)
    else arrange(p, w + c, channels, weights)
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
        lines,
        products,
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
  lines: usize,
  products: usize,
  weights: usize,
  ring: usize,
  scale: usize,
  bias: usize,
  y: usize
): void {
  const span = <i32>((p.kernelH - 1) * p.dilationH + 1)
  const groups = (count + outputs - 1) / outputs
  const isWords = kind == WORDS
  const size = (<usize>(isWords ? columnsOf(p, count) : groups * quads)) << 6
  const block = isWords ? blockOf(p) : (<usize>(p.kernelH * quads * outputs)) << 5
  // The next input row that is not in the ring, of this image.
  let next: i32 = 0
  let image: u32 = 0xffffffff
  for (let row = first; row < last; row++) {
    const n = row / p.outH
    const h = row % p.outH
    const top = <i32>(h * p.strideH) - <i32>p.padH
    if (n != image) next = top
    image = n
    for (next = max(next, top); next < top + span; next++) {
      const to = ring + <usize>(<u32>(next + <i32>p.padH) % <u32>span) * size
      if (isWords) pairWords(p, x + n * p.xN, next, left, columnsOf(p, count), to, channels)
      else interleave(p, x + n * p.xN, next, left, groups, to, channels)
    }
    for (let kh: u32 = 0; kh < p.kernelH; kh++) {
      const at = <u32>(top + <i32>(kh * p.dilationH) + <i32>p.padH) % <u32>span
      store<u32>(lines + <usize>(kh << 2), <u32>(ring + <usize>at * size))
    }
    for (let c: u32 = 0; c < channels; c += 4)
      multiply(p, c << 2, weights + <usize>(c >> 2) * block, sums + (c << 2), count, products + (c << 2))
    finishOutputs(p, products, scale, bias, y + n * p.yN + h * p.yH + left * p.yW, count, channels)
  }
}

/** Weights of up to 16 channels by block of four channels, kernel row, quad and output, one lane a channel. */
function arrange(p: Conv8Params, w: usize, count: u32, to: usize): void {
  const block = (<usize>(p.kernelH * quads * outputs)) << 5
  const line = p.kernelW * p.groups
  for (let kh: u32 = 0; kh < p.kernelH; kh++, w += line)
    for (let q: u32 = 0; q < quads; q++)
      for (let j: u32 = 0; j < outputs; j++, to += 32) {
        const place = (q << 2) - j * p.strideW
        store4(
          statics() + QUAD,
          tapAt(p, w, place, count),
          tapAt(p, w, place + 1, count),
          tapAt(p, w, place + 2, count),
          tapAt(p, w, place + 3, count)
        )
        for (let c: usize = 0; c < 4; c++) v128.store(to + c * block, v128.load(statics() + QUAD + (c << 4)))
      }
}

/** The weights of the channels at a place of a kernel row, of which every `dilationW`th is a tap. */
function tapAt(p: Conv8Params, row: usize, place: u32, count: u32): v128 {
  const tap = place / p.dilationW
  if (<i32>place < 0 || tap * p.dilationW != place || tap >= p.kernelW) return i8x16.splat(0)
  return some(row + tap * p.groups, count)
}

/** What the sums of up to 16 channels begin with to be about the zero point. */
function sumUp(p: Conv8Params, w: usize, count: u32, to: usize): void {
  let a = i32x4.splat(0)
  let b = a
  let c = a
  let d = a
  for (let tap: u32 = 0; tap < p.kernelH * p.kernelW; tap++, w += p.groups) {
    const v = some(w, count)
    const low = i16x8.extend_low_i8x16_s(v)
    const high = i16x8.extend_high_i8x16_s(v)
    a = i32x4.add(a, i32x4.extend_low_i16x8_s(low))
    b = i32x4.add(b, i32x4.extend_high_i16x8_s(low))
    c = i32x4.add(c, i32x4.extend_low_i16x8_s(high))
    d = i32x4.add(d, i32x4.extend_high_i16x8_s(high))
  }
  const times = i32x4.splat(correction(kind, p.xZero))
  v128.store(to, i32x4.mul(a, times))
  v128.store(to, i32x4.mul(b, times), 16)
  v128.store(to, i32x4.mul(c, times), 32)
  v128.store(to, i32x4.mul(d, times), 48)
}

/** The quads of an input row: of 4 neighbouring pixels, 16 channels as four vectors; zero points where there is no input. */
function interleave(p: Conv8Params, x: usize, row: i32, left: u32, groups: u32, to: usize, count: u32): void {
  const zero = i8x16.splat(<i8>p.xZero)
  const flip = i8x16.splat(kind == SIGNED ? <i8>0x80 : 0)
  const inside = <u32>row < p.inH
  const line = x + <usize>row * p.xH
  const step = p.xW
  const whole = inside && count > 8
  const most = <i32>p.inW - 4
  for (let g: u32 = 0; g < groups; g++) {
    let at = <i32>((left + g * outputs) * p.strideW) - <i32>p.padW
    let pixel = line + <usize>at * step
    for (let q: u32 = 0; q < quads; q++, to += 64, at += 4, pixel += 4 * step) {
      let a = zero
      let b = zero
      let c = zero
      let d = zero
      if (whole && at >= 0 && at <= most) {
        a = v128.load(pixel)
        b = v128.load(pixel + step)
        c = v128.load(pixel + 2 * step)
        d = v128.load(pixel + 3 * step)
      } else if (inside) {
        if (<u32>at < p.inW) a = some(pixel, count)
        if (<u32>(at + 1) < p.inW) b = some(pixel + step, count)
        if (<u32>(at + 2) < p.inW) c = some(pixel + 2 * step, count)
        if (<u32>(at + 3) < p.inW) d = some(pixel + 3 * step, count)
      }
      if (kind == SIGNED) store4(to, v128.xor(a, flip), v128.xor(b, flip), v128.xor(c, flip), v128.xor(d, flip))
      else store4(to, a, b, c, d)
    }
  }
}

/** Sixteen channels of four pixels, the four of each channel together. */
function store4(to: usize, a: v128, b: v128, c: v128, d: v128): void {
  let ac = i8x16.shuffle(a, c, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23)
  let bd = i8x16.shuffle(b, d, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23)
  v128.store(to, i8x16.shuffle(ac, bd, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23))
  v128.store(to, i8x16.shuffle(ac, bd, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31), 16)
  ac = i8x16.shuffle(a, c, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31)
  bd = i8x16.shuffle(b, d, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31)
  v128.store(to, i8x16.shuffle(ac, bd, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23), 32)
  v128.store(to, i8x16.shuffle(ac, bd, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31), 48)
}
