import { Conv8Params } from './band8'

/**
 * The products of depthwise8 where engines have none of bytes: in 16 bits, whose product sums two neighbours. A row is kept as pairs,
 * each column's element beside that of the next tap, so that a lane has the sums of one channel; taps are paired by twos.
 */

/** Bytes of a column: 16 pairs of 16 bits. */
const COLUMN: usize = 64
/** Bytes between the sums of neighbouring outputs. */
const SUMS: usize = 64

/** Pairs that a kernel row has. */
function pairsOf(p: Conv8Params): u32 {
  return (p.kernelW + 1) >> 1
}

/** Pairs begin at every column, or where outputs are two columns apart at every other. */
function unitOf(p: Conv8Params): u32 {
  return p.strideW == 2 ? 2 : 1
}

/** Columns of pairs that `count` outputs read, and those that fill them up to fours. */
export function columnsOf(p: Conv8Params, count: u32): u32 {
  const whole = count > 1 ? (count + 3) & ~3 : 1
  return ((whole - 1) * p.strideW + (p.kernelW - 1) * p.dilationW) / unitOf(p) + 1
}

/** Outputs of a segment whose columns are at most `columns`: fours, or one where there is no room for them. */
export function outputsIn(p: Conv8Params, columns: u32, most: u32): u32 {
  const unit = unitOf(p)
  const count = min(((columns - 1) * unit - (p.kernelW - 1) * p.dilationW) / p.strideW + 1, most) & ~3
  return max(count, 1)
}

/** The block of 4 channels' weights. */
export function blockOf(p: Conv8Params): usize {
  return (<usize>(p.kernelH * pairsOf(p))) << 4
}

/** Sixteen bytes from `at` on, of which `count` are there and the others may be anything. */
export function some(at: usize, count: u32): v128 {
  return count > 8 ? v128.load(at) : v128.load64_zero(at)
}

function joinedLow(a: v128, b: v128): v128 {
  return i8x16.shuffle(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23)
}

function joinedHigh(a: v128, b: v128): v128 {
  return i8x16.shuffle(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31)
}

/** Weights of up to 16 channels by block of four channels, kernel row and pair; what is missing to a pair is 0. */
export function arrangeWords(p: Conv8Params, w: usize, count: u32, to: usize): void {
  const block = blockOf(p)
  const line = p.kernelW * p.groups
  for (let kh: u32 = 0; kh < p.kernelH; kh++, w += line)
    for (let tap: u32 = 0; tap < p.kernelW; tap += 2, to += 16) {
      const a = some(w + tap * p.groups, count)
      const b = tap + 1 < p.kernelW ? some(w + (tap + 1) * p.groups, count) : i8x16.splat(0)
      const low = joinedLow(a, b)
      const high = joinedHigh(a, b)
      v128.store(to, i16x8.extend_low_i8x16_s(low))
      v128.store(to + block, i16x8.extend_high_i8x16_s(low))
      v128.store(to + 2 * block, i16x8.extend_low_i8x16_s(high))
      v128.store(to + 3 * block, i16x8.extend_high_i8x16_s(high))
    }
}

/** The pairs of `columns` columns of an input row; zero points where there is no input. */
export function pairWords(p: Conv8Params, x: usize, row: i32, left: u32, columns: u32, to: usize, count: u32): void {
  const zero = i8x16.splat(<i8>p.xZero)
  const inside = <u32>row < p.inH
  const next = p.dilationW
  const unit = unitOf(p)
  const step = <usize>unit * p.xW
  const apart = <usize>next * p.xW
  let at = <i32>(left * p.strideW) - <i32>p.padW
  let pixel = x + <usize>row * p.xH + <usize>at * p.xW
  const whole = inside && count > 8
  for (const end = to + <usize>columns * COLUMN; to < end; to += COLUMN, at += unit, pixel += step) {
    let a = zero
    let b = zero
    if (whole && at >= 0 && at + <i32>next < <i32>p.inW) {
      a = v128.load(pixel)
      b = v128.load(pixel + apart)
    } else if (inside) {
      if (<u32>at < p.inW) a = some(pixel, count)
      if (<u32>(at + next) < p.inW) b = some(pixel + apart, count)
    }
    const low = joinedLow(a, b)
    const high = joinedHigh(a, b)
    v128.store(to, i16x8.extend_low_i8x16_u(low))
    v128.store(to, i16x8.extend_high_i8x16_u(low), 16)
    v128.store(to, i16x8.extend_low_i8x16_u(high), 32)
    v128.store(to, i16x8.extend_high_i8x16_u(high), 48)
  }
}

/** The sums of four channels for `count` outputs, and for up to three more; `lines` says where rows of pairs are. */
export function multiplyWords(
  p: Conv8Params,
  lines: usize,
  lane: usize,
  w: usize,
  start: v128,
  count: u32,
  to: usize
): void {
  if (p.kernelH == 3 && p.kernelW == 3 && p.dilationW == 1) threeWords(p, lines, lane, w, start, count, to)
  else manyWords(p, lines, lane, w, start, count, to)
}

function threeWords(p: Conv8Params, lines: usize, lane: usize, w: usize, start: v128, count: u32, to: usize): void {
  let x = <usize>load<u32>(lines) + lane
  const two = <usize>load<u32>(lines, 4) + lane - x
  const three = <usize>load<u32>(lines, 8) + lane - x
  const a1 = v128.load(w)
  const b1 = v128.load(w, 16)
  const a2 = v128.load(w, 32)
  const b2 = v128.load(w, 48)
  const a3 = v128.load(w, 64)
  const b3 = v128.load(w, 80)
  const unit = unitOf(p)
  const step = <usize>(p.strideW / unit) * COLUMN
  const pair = <usize>(2 / unit) * COLUMN
  for (const end = to + <usize>count * SUMS; to < end; to += SUMS, x += step) {
    const second = x + two
    const third = x + three
    const u = i32x4.add(i32x4.dot_i16x8_s(a1, v128.load(x)), i32x4.dot_i16x8_s(b1, v128.load(x + pair)))
    const v = i32x4.add(i32x4.dot_i16x8_s(a2, v128.load(second)), i32x4.dot_i16x8_s(b2, v128.load(second + pair)))
    const t = i32x4.add(i32x4.dot_i16x8_s(a3, v128.load(third)), i32x4.dot_i16x8_s(b3, v128.load(third + pair)))
    v128.store(to, i32x4.add(i32x4.add(start, u), i32x4.add(v, t)))
  }
}

function manyWords(p: Conv8Params, lines: usize, lane: usize, w: usize, start: v128, count: u32, to: usize): void {
  const unit = unitOf(p)
  const step: usize = count > 1 ? <usize>(p.strideW / unit) * COLUMN : 0
  const second = step
  const third = second + step
  const fourth = third + step
  const pair = <usize>((p.dilationW * 2) / unit) * COLUMN
  const line = (<usize>pairsOf(p)) << 4
  const rows = lines + ((<usize>p.kernelH) << 2)
  for (let o: u32 = 0; o < count; o += 4, lane += 4 * step, to += 4 * SUMS) {
    let a = start
    let b = start
    let c = start
    let d = start
    let from = w
    for (let row = lines; row < rows; row += 4) {
      let x = <usize>load<u32>(row) + lane
      for (const end = from + line; from < end; from += 16, x += pair) {
        const t = v128.load(from)
        a = i32x4.add(a, i32x4.dot_i16x8_s(t, v128.load(x)))
        b = i32x4.add(b, i32x4.dot_i16x8_s(t, v128.load(x + second)))
        c = i32x4.add(c, i32x4.dot_i16x8_s(t, v128.load(x + third)))
        d = i32x4.add(d, i32x4.dot_i16x8_s(t, v128.load(x + fourth)))
      }
    }
    v128.store(to, a)
    v128.store(to, b, SUMS)
    v128.store(to, c, 2 * SUMS)
    v128.store(to, d, 3 * SUMS)
  }
}
