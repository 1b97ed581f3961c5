import { beginTiles, boundsAt, dot, joined, operand, roundedSum, WORDS } from '../../dense/product8'
import { narrowed, Requantise, storeBytes } from '../../elementwise/requantise'
import { Conv8Params } from './band8'
import { multiplyWords } from './depthwise8-words'

/**
 * The products of depthwise8: sums over the quads of the rows that a kernel reads, of four channels and four outputs at a time, and what
 * makes bytes of them. Calls in the loops of sums would send all registers to memory: so there is none.
 */

/** Bytes between the sums of neighbouring outputs: of 16 channels. */
export const SUMS: usize = 64

/** Geometry of the call, of which each thread has its own: outputs that share a group of quads, quads of a group, what bytes are to products. */
export let outputs: u32 = 0
export let quads: u32 = 0
export let kind: u32 = 0
/** Where it is said where the interleaved rows are that the kernel's rows read. */
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

/** The sums of four channels for `count` outputs, which begin as `sums` says, and for up to three more. */
export function multiply(p: Conv8Params, lane: usize, w: usize, sums: usize, count: u32, to: usize): void {
  const start = v128.load(sums)
  if (kind == WORDS) multiplyWords(p, lines, lane, w, start, count, to)
  else if (p.kernelH == 3 && quads == 1 && outputs == 2) threeRows(lane, w, start, count, to)
  else if (p.kernelH == 3 && quads == 1 && outputs == 1) threeRowsApart(lane, w, start, count, to)
  else if (outputs == 4 && quads == 2) sharedRows(p, lane, w, start, count, to)
  else manyRows(p, lane, w, start, count, to)
}

/** From one group of quads to that which the output `j` of four reads, and to its weights. */
function groupOf(j: u32): usize {
  return <usize>(j / outputs) * ((<usize>quads) << 6)
}

function weightsOf(j: u32): usize {
  return (<usize>(j % outputs)) << 5
}

/** Three rows of one quad each, which two outputs read. */
function threeRows(lane: usize, w: usize, start: v128, count: u32, to: usize): void {
  let x = <usize>load<u32>(lines) + lane
  const two = <usize>load<u32>(lines, 4) + lane - x
  const three = <usize>load<u32>(lines, 8) + lane - x
  const a1 = v128.load(w)
  const b1 = v128.load(w, 32)
  const a2 = v128.load(w, 64)
  const b2 = v128.load(w, 96)
  const a3 = v128.load(w, 128)
  const b3 = v128.load(w, 160)
  for (let o: u32 = 0; o < count; o += 4, x += 128, to += 4 * SUMS) {
    const second = x + two
    const third = x + three
    let u = v128.load(x)
    let v = v128.load(second)
    let t = v128.load(third)
    v128.store(to, dot(a3, t, dot(a2, v, dot(a1, u, start))))
    v128.store(to, dot(b3, t, dot(b2, v, dot(b1, u, start))), SUMS)
    u = v128.load(x, 64)
    v = v128.load(second, 64)
    t = v128.load(third, 64)
    v128.store(to, dot(a3, t, dot(a2, v, dot(a1, u, start))), 2 * SUMS)
    v128.store(to, dot(b3, t, dot(b2, v, dot(b1, u, start))), 3 * SUMS)
  }
}

/** Three rows of one quad each, which each output has to itself. */
function threeRowsApart(lane: usize, w: usize, start: v128, count: u32, to: usize): void {
  let x = <usize>load<u32>(lines) + lane
  const two = <usize>load<u32>(lines, 4) + lane - x
  const three = <usize>load<u32>(lines, 8) + lane - x
  const first = v128.load(w)
  const second = v128.load(w, 32)
  const third = v128.load(w, 64)
  for (let o: u32 = 0; o < count; o += 4, x += 256, to += 4 * SUMS) {
    const u = x + two
    const v = x + three
    v128.store(to, dot(third, v128.load(v), dot(second, v128.load(u), dot(first, v128.load(x), start))))
    v128.store(
      to,
      dot(third, v128.load(v, 64), dot(second, v128.load(u, 64), dot(first, v128.load(x, 64), start))),
      SUMS
    )
    v128.store(
      to,
      dot(third, v128.load(v, 128), dot(second, v128.load(u, 128), dot(first, v128.load(x, 128), start))),
      2 * SUMS
    )
    v128.store(
      to,
      dot(third, v128.load(v, 192), dot(second, v128.load(u, 192), dot(first, v128.load(x, 192), start))),
      3 * SUMS
    )
  }
}

/** Any rows of two quads each, which four outputs read. */
function sharedRows(p: Conv8Params, lane: usize, w: usize, start: v128, count: u32, to: usize): void {
  const rows = lines + ((<usize>p.kernelH) << 2)
  for (let o: u32 = 0; o < count; o += 4, lane += 128, to += 4 * SUMS) {
    let a = start
    let b = start
    let c = start
    let d = start
    let from = w
    for (let row = lines; row < rows; row += 4, from += 256) {
      const x = <usize>load<u32>(row) + lane
      const u = v128.load(x)
      const v = v128.load(x, 64)
      a = dot(v128.load(from, 128), v, dot(v128.load(from), u, a))
      b = dot(v128.load(from, 160), v, dot(v128.load(from, 32), u, b))
      c = dot(v128.load(from, 192), v, dot(v128.load(from, 64), u, c))
      d = dot(v128.load(from, 224), v, dot(v128.load(from, 96), u, d))
    }
    v128.store(to, a)
    v128.store(to, b, SUMS)
    v128.store(to, c, 2 * SUMS)
    v128.store(to, d, 3 * SUMS)
  }
}

/** Any rows of any number of quads. */
function manyRows(p: Conv8Params, lane: usize, w: usize, start: v128, count: u32, to: usize): void {
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
  for (let o: u32 = 0; o < count; o += 4, lane += step, to += 4 * SUMS) {
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
    v128.store(to, a)
    v128.store(to, b, SUMS)
    v128.store(to, c, 2 * SUMS)
    v128.store(to, d, 3 * SUMS)
  }
}

/** The bytes of `count` outputs' sums, of up to 16 channels each. */
export function finishOutputs(
  p: Conv8Params,
  sums: usize,
  scale: usize,
  bias: usize,
  y: usize,
  count: u32,
  channels: u32
): void {
  const bounds = boundsAt()
  const zero = v128.load(bounds)
  const low = v128.load(bounds, 16)
  const high = v128.load(bounds, 32)
  const aScale = v128.load(scale)
  const bScale = v128.load(scale, 16)
  const cScale = v128.load(scale, 32)
  const dScale = v128.load(scale, 48)
  const aBias = v128.load(bias)
  const bBias = v128.load(bias, 16)
  const cBias = v128.load(bias, 32)
  const dBias = v128.load(bias, 48)
  for (const end = sums + <usize>count * SUMS; sums < end; sums += SUMS, y += p.yW) {
    const ab = joined(roundedSum(v128.load(sums), aScale, aBias), roundedSum(v128.load(sums, 16), bScale, bBias), zero)
    const cd = joined(
      roundedSum(v128.load(sums, 32), cScale, cBias),
      roundedSum(v128.load(sums, 48), dScale, dBias),
      zero
    )
    const bytes = narrowed(ab, cd, low, high)
    if (channels == 16) v128.store(y, bytes)
    else {
      storeBytes(y, bytes, channels)
      if (channels > 8) storeBytes(y + 8, i64x2.shuffle(bytes, bytes, 1, 0), channels - 8)
    }
  }
}

/** A row of pixels, each channel times one weight: differences from a zero point, and their products, are 16-bit numbers. */
export function multiplyPixels(p: Conv8Params, x: usize, w: usize, scale: usize, bias: usize, y: usize): void {
  const channels = p.groups
  for (let c: u32 = 0; c < channels; c += 8, scale += 32, bias += 32)
    multiplyChannels(p, x + c, v128.load8x8_s(w + c), scale, bias, y + c, channels - c)
}

/** Up to eight channels of a row of pixels. */
function multiplyChannels(p: Conv8Params, x: usize, w: v128, scale: usize, bias: usize, y: usize, channels: u32): void {
  const from = i16x8.splat(<i16>p.xZero)
  const bounds = boundsAt()
  const zero = v128.load(bounds)
  const low = v128.load(bounds, 16)
  const high = v128.load(bounds, 32)
  const aScale = v128.load(scale)
  const bScale = v128.load(scale, 16)
  const aBias = v128.load(bias)
  const bBias = v128.load(bias, 16)
  for (let i: u32 = 0; i < p.outW; i++, x += p.xW, y += p.yW) {
    const v = i16x8.mul(i16x8.sub(v128.load8x8_u(x), from), w)
    const words = joined(
      roundedSum(i32x4.extend_low_i16x8_s(v), aScale, aBias),
      roundedSum(i32x4.extend_high_i16x8_s(v), bScale, bBias),
      zero
    )
    storeBytes(y, narrowed(words, words, low, high), channels)
  }
}
