import { beginTiles, boundsAt, dot, neighbours, operand, roundedSum, WORDS } from '../dense/product8'
import { Requantise, storeBytes } from '../elementwise/requantise'
import { Conv8Params } from './conv8'

/** The products of depthwise8: sums over the quads of the rows that a kernel reads, of four channels and four outputs at a time. */

/** Geometry of the call, of which each thread has its own: outputs that share a group of quads, quads of a group, what bytes are to products. */
export let outputs: u32 = 0
export let quads: u32 = 0
export let kind: u32 = 0
/** Where the interleaved rows are that the kernel's rows read. */
let lines: usize = 0

export function beginRows(p: Conv8Params, at: usize): void {
  kind = operand()
  outputs = outputsOf(p.kernelW, p.strideW)
  quads = ((outputs - 1) * p.strideW + (p.kernelW - 1) * p.dilationW + 4) >> 2
  lines = at
  beginTiles(changetype<Requantise>(changetype<usize>(p) + offsetof<Conv8Params>('yZero')))
}

/** Neighbouring outputs of a group: as many as share quads well. */
function outputsOf(kernel: u32, stride: u32): u32 {
  if (stride == 1) return kernel <= 3 ? 2 : kernel <= 5 ? 4 : 2
  return stride == 2 && kernel > 3 && kernel <= 5 ? 2 : 1
}

/** Four channels of `count` outputs, of which `channels` are there. */
export function multiply(
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
  const lane = (<usize>c) << 2
  if (kind == WORDS) wordRows(p, lane, w, sums, scale, bias, y, count, channels)
  else if (p.kernelH == 3 && quads == 1 && outputs == 2) threeRows(p, lane, w, sums, scale, bias, y, count, channels)
  else if (p.kernelH == 3 && quads == 1 && outputs == 1)
    threeRowsApart(p, lane, w, sums, scale, bias, y, count, channels)
  else if (outputs == 4) sharedRows(p, lane, w, sums, scale, bias, y, count, channels)
  else manyRows(p, lane, w, sums, scale, bias, y, count, channels)
}

/** A row of pixels, each channel times one weight: differences from a zero point, and their products, are 16-bit numbers. */
export function multiplyPixels(p: Conv8Params, x: usize, w: usize, scale: usize, bias: usize, y: usize): void {
  const from = i16x8.splat(<i16>p.xZero)
  const bounds = boundsAt()
  const zero = v128.load(bounds)
  const low = v128.load(bounds, 16)
  const high = v128.load(bounds, 32)
  const channels = p.groups
  for (let i: u32 = 0; i < p.outW; i++, x += p.xW, y += p.yW)
    for (let c: u32 = 0; c < channels; c += 8) {
      const v = i16x8.mul(i16x8.sub(v128.load8x8_u(x + c), from), v128.load8x8_s(w + c))
      const s = scale + ((<usize>c) << 2)
      const t = bias + ((<usize>c) << 2)
      const a = roundedSum(i32x4.extend_low_i16x8_s(v), v128.load(s), v128.load(t))
      const b = roundedSum(i32x4.extend_high_i16x8_s(v), v128.load(s, 16), v128.load(t, 16))
      const words = i16x8.narrow_i32x4_s(i32x4.add(a, zero), i32x4.add(b, zero))
      const bytes = i8x16.max_u(i8x16.min_u(i8x16.narrow_i16x8_u(words, words), high), low)
      storeBytes(y + c, bytes, channels - c)
    }
}

/** From one group of quads to that which the output `j` of four reads, and to its weights. */
function groupOf(j: u32): usize {
  return <usize>(j / outputs) * ((<usize>quads) << 6)
}

function weightsOf(j: u32): usize {
  return (<usize>(j % outputs)) << 5
}

/** Three rows of one quad each, which two outputs read. */
function threeRows(
  p: Conv8Params,
  lane: usize,
  w: usize,
  sums: usize,
  scale: usize,
  bias: usize,
  y: usize,
  count: u32,
  channels: u32
): void {
  const start = v128.load(sums)
  let x = <usize>load<u32>(lines) + lane
  const two = <usize>load<u32>(lines, 4) + lane - x
  const three = <usize>load<u32>(lines, 8) + lane - x
  const a1 = v128.load(w)
  const b1 = v128.load(w, 32)
  const a2 = v128.load(w, 64)
  const b2 = v128.load(w, 96)
  const a3 = v128.load(w, 128)
  const b3 = v128.load(w, 160)
  for (let o: u32 = 0; o < count; o += 4, x += 128, y += 4 * p.yW) {
    let v = v128.load(x)
    let a = dot(a1, v, start)
    let b = dot(b1, v, start)
    v = v128.load(x, 64)
    let c = dot(a1, v, start)
    let d = dot(b1, v, start)
    const second = x + two
    v = v128.load(second)
    a = dot(a2, v, a)
    b = dot(b2, v, b)
    v = v128.load(second, 64)
    c = dot(a2, v, c)
    d = dot(b2, v, d)
    const third = x + three
    v = v128.load(third)
    a = dot(a3, v, a)
    b = dot(b3, v, b)
    v = v128.load(third, 64)
    c = dot(a3, v, c)
    d = dot(b3, v, d)
    storeOutputs(y, p.yW, rounded(a, b, c, d, scale, bias), count - o, channels)
  }
}

/** Three rows of one quad each, which each output has to itself. */
function threeRowsApart(
  p: Conv8Params,
  lane: usize,
  w: usize,
  sums: usize,
  scale: usize,
  bias: usize,
  y: usize,
  count: u32,
  channels: u32
): void {
  const start = v128.load(sums)
  let x = <usize>load<u32>(lines) + lane
  const two = <usize>load<u32>(lines, 4) + lane - x
  const three = <usize>load<u32>(lines, 8) + lane - x
  const first = v128.load(w)
  const second = v128.load(w, 32)
  const third = v128.load(w, 64)
  for (let o: u32 = 0; o < count; o += 4, x += 256, y += 4 * p.yW) {
    const u = x + two
    const v = x + three
    const a = dot(third, v128.load(v), dot(second, v128.load(u), dot(first, v128.load(x), start)))
    const b = dot(third, v128.load(v, 64), dot(second, v128.load(u, 64), dot(first, v128.load(x, 64), start)))
    const c = dot(third, v128.load(v, 128), dot(second, v128.load(u, 128), dot(first, v128.load(x, 128), start)))
    const d = dot(third, v128.load(v, 192), dot(second, v128.load(u, 192), dot(first, v128.load(x, 192), start)))
    storeOutputs(y, p.yW, rounded(a, b, c, d, scale, bias), count - o, channels)
  }
}

/** Any rows of quads of which four outputs read all. */
function sharedRows(
  p: Conv8Params,
  lane: usize,
  w: usize,
  sums: usize,
  scale: usize,
  bias: usize,
  y: usize,
  count: u32,
  channels: u32
): void {
  const start = v128.load(sums)
  const line = (<usize>quads) << 6
  const rows = lines + ((<usize>p.kernelH) << 2)
  for (let o: u32 = 0; o < count; o += 4, lane += line, y += 4 * p.yW) {
    let a = start
    let b = start
    let c = start
    let d = start
    let from = w
    for (let row = lines; row < rows; row += 4) {
      let x = <usize>load<u32>(row) + lane
      for (const end = x + line; x < end; x += 64, from += 128) {
        const v = v128.load(x)
        a = dot(v128.load(from), v, a)
        b = dot(v128.load(from, 32), v, b)
        c = dot(v128.load(from, 64), v, c)
        d = dot(v128.load(from, 96), v, d)
      }
    }
    storeOutputs(y, p.yW, rounded(a, b, c, d, scale, bias), count - o, channels)
  }
}

/** Any rows of any number of quads. */
function manyRows(
  p: Conv8Params,
  lane: usize,
  w: usize,
  sums: usize,
  scale: usize,
  bias: usize,
  y: usize,
  count: u32,
  channels: u32
): void {
  const start = v128.load(sums)
  const pitch = (<usize>outputs) << 5
  const line = (<usize>quads) << 6
  const second = groupOf(1)
  const third = groupOf(2)
  const fourth = groupOf(3)
  const w2 = weightsOf(1)
  const w3 = weightsOf(2)
  const w4 = weightsOf(3)
  const step = <usize>(4 / outputs) * line
  const rows = lines + ((<usize>p.kernelH) << 2)
  for (let o: u32 = 0; o < count; o += 4, lane += step, y += 4 * p.yW) {
    let a = start
    let b = start
    let c = start
    let d = start
    let from = w
    for (let row = lines; row < rows; row += 4) {
      let x = <usize>load<u32>(row) + lane
      for (const end = x + line; x < end; x += 64, from += pitch) {
        a = dot(v128.load(from), v128.load(x), a)
        b = dot(v128.load(from + w2), v128.load(x + second), b)
        c = dot(v128.load(from + w3), v128.load(x + third), c)
        d = dot(v128.load(from + w4), v128.load(x + fourth), d)
      }
    }
    storeOutputs(y, p.yW, rounded(a, b, c, d, scale, bias), count - o, channels)
  }
}

function wordRows(
  p: Conv8Params,
  lane: usize,
  w: usize,
  sums: usize,
  scale: usize,
  bias: usize,
  y: usize,
  count: u32,
  channels: u32
): void {
  const start = v128.load(sums)
  const step = <usize>(4 / outputs) * ((<usize>quads) << 6)
  for (let o: u32 = 0; o < count; o += 4, lane += step, y += 4 * p.yW) {
    const a = words(p, lane, w, start)
    const b = words(p, lane + groupOf(1), w + weightsOf(1), start)
    const c = words(p, lane + groupOf(2), w + weightsOf(2), start)
    const d = words(p, lane + groupOf(3), w + weightsOf(3), start)
    storeOutputs(y, p.yW, rounded(a, b, c, d, scale, bias), count - o, channels)
  }
}

/** The bytes of four outputs' sums, four channels each. */
function rounded(a: v128, b: v128, c: v128, d: v128, scale: usize, bias: usize): v128 {
  const s = v128.load(scale)
  const t = v128.load(bias)
  const bounds = boundsAt()
  const zero = v128.load(bounds)
  const first = i16x8.narrow_i32x4_s(i32x4.add(roundedSum(a, s, t), zero), i32x4.add(roundedSum(b, s, t), zero))
  const second = i16x8.narrow_i32x4_s(i32x4.add(roundedSum(c, s, t), zero), i32x4.add(roundedSum(d, s, t), zero))
  const bytes = i8x16.min_u(i8x16.narrow_i16x8_u(first, second), v128.load(bounds, 32))
  return i8x16.max_u(bytes, v128.load(bounds, 16))
}

/** Of four outputs the first `count`, of four channels the first `channels`. */
function storeOutputs(y: usize, step: usize, bytes: v128, count: u32, channels: u32): void {
  if (channels == 4 && count >= 4) {
    v128.store32_lane(y, bytes, 0)
    v128.store32_lane(y + step, bytes, 1)
    v128.store32_lane(y + 2 * step, bytes, 2)
    v128.store32_lane(y + 3 * step, bytes, 3)
    return
  }
  for (let left = min<u32>(count, 4); left > 0; left--, y += step) {
    storeBytes(y, bytes, channels)
    bytes = i32x4.shuffle(bytes, bytes, 1, 2, 3, 0)
  }
}

/** As bytes, in 16 bits: every lane sums two taps, and neighbours are neighbours in the end. */
function words(p: Conv8Params, group: usize, w: usize, start: v128): v128 {
  let a = i32x4.splat(0)
  let b = a
  for (let kh: u32 = 0; kh < p.kernelH; kh++) {
    let row = <usize>load<u32>(lines + (kh << 2)) + group
    for (let q: u32 = 0; q < quads; q++, row += 64, w += (<usize>outputs) << 5) {
      const v = v128.load(row)
      a = i32x4.add(a, i32x4.dot_i16x8_s(v128.load(w), i16x8.extend_low_i8x16_u(v)))
      b = i32x4.add(b, i32x4.dot_i16x8_s(v128.load(w, 16), i16x8.extend_high_i8x16_u(v)))
    }
  }
  return i32x4.add(start, neighbours(a, b))
}
