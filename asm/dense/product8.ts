import { narrowed, Requantise, storeBytes, zeroFor } from '../elementwise/requantise'
import { statics } from '../thread'

/**
 * Products of bytes with whole numbers from -128 to 127, summed exactly in 32 bits. Relaxed SIMD has an instruction for them whose
 * second operand some engines take for unsigned and some for signed, and others sum with saturation: which, a probe tells, and rows
 * are copied accordingly, or read where they are. Where there is none rows are copied as 16 bits (words8.ts). Sums are the same
 * whichever way they go.
 */

/** Columns of a panel of weights, rows of a tile, and neighbouring elements that one lane multiplies. */
export const PANEL: u32 = 8
export const ROWS: u32 = 6
export const DEPTH: u32 = 4

/** Bytes of a tile's table: where each row begins. */
export const TABLE: u32 = 4 * ROWS

/** What the engine's product takes of bytes. */
export const UNSIGNED: u32 = 0
export const SIGNED: u32 = 1
export const WORDS: u32 = 2

/** In this thread's statics, behind sums (winograd8.ts): what a panel adds and multiplies, what the call rounds with, a tile of few columns. */
const PANELS: usize = 192
const BOUNDS: usize = PANELS + 96
const EDGE: usize = BOUNDS + 48

const LARGEST = memory.data<u8>([127, 127, 127, 127, 127, 127, 127, 127, 127, 127, 127, 127, 127, 127, 127, 127], 16)
const SMALLEST = memory.data<u8>([128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128], 16)
const MAGIC = memory.data<f32>([12582912, 12582912, 12582912, 12582912], 16)
const TOP = memory.data<u8>([255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255], 16)

/** Four products a lane onto a sum, where the engine has an instruction for that. */
export function dot(w: v128, x: v128, sum: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) return i32x4.relaxed_dot_i8x16_i7x16_add_s(w, x, sum)
  return sum
}

/** How this engine's product takes the bytes of rows; asked in every call, so that the code that is asked is the code that computes. */
export function operand(): u32 {
  if (!ASC_FEATURE_RELAXED_SIMD) return WORDS
  const high = i32x4.extract_lane(dot(v128.load(LARGEST), v128.load(TOP), i32x4.splat(0)), 0)
  const low = i32x4.extract_lane(dot(v128.load(SMALLEST), v128.load(TOP), i32x4.splat(0)), 0)
  if (high == 4 * 127 * 255 && low == -4 * 128 * 255) return UNSIGNED
  if (high == -4 * 127 && low == 4 * 128) return SIGNED
  return WORDS
}

/** Bytes that a copied element takes. */
export function unitOf(kind: u32): u32 {
  return kind == WORDS ? 2 : 1
}

/** What has to be added to a sum for each unit of its weights' sum. */
export function correction(kind: u32, zero: u32): i32 {
  return (kind == SIGNED ? 128 : 0) - <i32>zero
}

/** `count` elements as the product takes them; up to 15 bytes behind them are written as well, and as many read. */
export function copyRun(kind: u32, from: usize, count: u32, to: usize): void {
  const end = from + count
  if (kind == WORDS) {
    for (; from < end; from += 8, to += 16) v128.store(to, v128.load8x8_u(from))
  } else {
    const flip = i8x16.splat(kind == SIGNED ? <i8>0x80 : 0)
    for (; from < end; from += 16, to += 16) v128.store(to, v128.xor(v128.load(from), flip))
  }
}

/** As copyRun, of zero points. */
export function fillRun(kind: u32, zero: u32, count: u32, to: usize): void {
  const value = kind == WORDS ? i16x8.splat(<i16>zero) : i8x16.splat(<i8>(kind == SIGNED ? zero ^ 128 : zero))
  for (const end = to + <usize>(count * unitOf(kind)); to < end; to += 16) v128.store(to, value)
}

/** Where the zero point (as `zeroFor` has it), the lowest and the highest byte of results are, once `beginTiles` has said them. */
export function boundsAt(): usize {
  return statics() + BOUNDS
}

/** Where what a panel's sums begin with is, its scales and its biases, once `beginPanel` has said them. */
export function panelAt(): usize {
  return statics() + PANELS
}

/** Whether tiles give their sums as floats; threads have each their own. */
export let givesSums: bool = false

/** Of all tiles of a call, which give sums. */
export function beginSums(): void {
  givesSums = true
}

/** Of all tiles of a call. */
export function beginTiles(r: Requantise): void {
  givesSums = false
  const at = boundsAt()
  v128.store(at, zeroFor(r.yZero))
  v128.store(at, i8x16.splat(<i8>r.low), 16)
  v128.store(at, i8x16.splat(<i8>r.high), 32)
}

/** Of the tiles of one panel: sums begin with `times` the sum of a column's weights. Sums are given without scale and bias. */
export function beginPanel(times: i32, sums: usize, scale: usize, bias: usize): void {
  const at = statics() + PANELS
  v128.store(at, i32x4.mul(i32x4.trunc_sat_f32x4_s(v128.load(sums)), i32x4.splat(times)))
  v128.store(at, i32x4.mul(i32x4.trunc_sat_f32x4_s(v128.load(sums, 16)), i32x4.splat(times)), 16)
  if (givesSums) return
  v128.store(at, v128.load(scale), 32)
  v128.store(at, v128.load(scale, 16), 48)
  v128.store(at, v128.load(bias), 64)
  v128.store(at, v128.load(bias, 16), 80)
}

/**
 * The bytes of a tile: round(sum * scale + bias) + zero, half to even, within bounds, for six rows that begin where `table` says, and
 * a panel at `w`. A sum takes `segments` runs of `groups` times DEPTH elements, which begin at `offsets` in every row. Of the
 * result `rows` and `columns` are written, rows `step` apart. Results lie within 2^21 (compiler/passes/quantise/layers.ts).
 */
export function tile8(
  table: usize,
  offsets: usize,
  segments: u32,
  groups: u32,
  w: usize,
  y: usize,
  step: usize,
  rows: u32,
  columns: u32
): void {
  const isWhole = columns == PANEL
  const to = isWhole ? y : statics() + EDGE
  const apart: usize = isWhole ? step : givesSums ? 4 * PANEL : PANEL
  dots(table, offsets, segments, groups, w, to, apart, rows)
  if (!isWhole) storeEdge(to, y, step, rows, columns)
}

/** The first `columns` of rows of 8. */
export function storeEdge(from: usize, y: usize, step: usize, rows: u32, columns: u32): void {
  for (let row: u32 = 0; row < rows; row++, y += step)
    if (givesSums) {
      for (let c: u32 = 0; c < columns; c++, from += 4) store<f32>(y + (c << 2), load<f32>(from))
      from += (PANEL - columns) << 2
    } else {
      storeBytes(y, v128.load64_zero(from), columns)
      from += PANEL
    }
}

function dots(
  table: usize,
  offsets: usize,
  segments: u32,
  groups: u32,
  w: usize,
  y: usize,
  step: usize,
  rows: u32
): void {
  const panel = statics() + PANELS
  let a0 = v128.load(panel)
  let b0 = v128.load(panel, 16)
  let a1 = a0
  let a2 = a0
  let a3 = a0
  let a4 = a0
  let a5 = a0
  let b1 = b0
  let b2 = b0
  let b3 = b0
  let b4 = b0
  let b5 = b0
  const x0 = <usize>load<u32>(table)
  const x1 = <usize>load<u32>(table, 4)
  const x2 = <usize>load<u32>(table, 8)
  const x3 = <usize>load<u32>(table, 12)
  const x4 = <usize>load<u32>(table, 16)
  const x5 = <usize>load<u32>(table, 20)
  for (const last = w + ((<usize>(segments * groups)) << 5); w < last; offsets += 4) {
    let k = <usize>load<u32>(offsets)
    for (const end = w + ((<usize>groups) << 5); w < end; w += 32) {
      const p = v128.load(w)
      const q = v128.load(w, 16)
      let v = v128.load32_splat(x0 + k)
      a0 = dot(p, v, a0)
      b0 = dot(q, v, b0)
      v = v128.load32_splat(x1 + k)
      a1 = dot(p, v, a1)
      b1 = dot(q, v, b1)
      v = v128.load32_splat(x2 + k)
      a2 = dot(p, v, a2)
      b2 = dot(q, v, b2)
      v = v128.load32_splat(x3 + k)
      a3 = dot(p, v, a3)
      b3 = dot(q, v, b3)
      v = v128.load32_splat(x4 + k)
      a4 = dot(p, v, a4)
      b4 = dot(q, v, b4)
      v = v128.load32_splat(x5 + k)
      a5 = dot(p, v, a5)
      b5 = dot(q, v, b5)
      k += DEPTH
    }
  }
  if (givesSums) {
    storeSums(y, a0, b0)
    if (rows > 1) storeSums(y + step, a1, b1)
    if (rows > 2) storeSums(y + 2 * step, a2, b2)
    if (rows > 3) storeSums(y + 3 * step, a3, b3)
    if (rows > 4) storeSums(y + 4 * step, a4, b4)
    if (rows > 5) storeSums(y + 5 * step, a5, b5)
    return
  }
  // By stages, so that no more than the registers hold is alive at a time.
  const s = v128.load(panel, 32)
  const c = v128.load(panel, 64)
  a0 = roundedSum(a0, s, c)
  a1 = roundedSum(a1, s, c)
  a2 = roundedSum(a2, s, c)
  a3 = roundedSum(a3, s, c)
  a4 = roundedSum(a4, s, c)
  a5 = roundedSum(a5, s, c)
  const t = v128.load(panel, 48)
  const d = v128.load(panel, 80)
  b0 = roundedSum(b0, t, d)
  b1 = roundedSum(b1, t, d)
  b2 = roundedSum(b2, t, d)
  b3 = roundedSum(b3, t, d)
  b4 = roundedSum(b4, t, d)
  b5 = roundedSum(b5, t, d)
  const bounds = boundsAt()
  const zero = v128.load(bounds)
  const low = v128.load(bounds, 16)
  const high = v128.load(bounds, 32)
  a0 = narrowed(joined(a0, b0, zero), joined(a1, b1, zero), low, high)
  a2 = narrowed(joined(a2, b2, zero), joined(a3, b3, zero), low, high)
  a4 = narrowed(joined(a4, b4, zero), joined(a5, b5, zero), low, high)
  storeRows(y, step, a0, rows)
  if (rows > 2) storeRows(y + 2 * step, step, a2, rows - 2)
  if (rows > 4) storeRows(y + 4 * step, step, a4, rows - 4)
}

/** A row of sums, as floats. */
export function storeSums(y: usize, a: v128, b: v128): void {
  v128.store(y, f32x4.convert_i32x4_s(a))
  v128.store(y, f32x4.convert_i32x4_s(b), 16)
}

/** sum * scale + bias, with a whole number in the last bits. */
export function roundedSum(sum: v128, scale: v128, bias: v128): v128 {
  return f32x4.add(f32x4.add(f32x4.mul(f32x4.convert_i32x4_s(sum), scale), bias), v128.load(MAGIC))
}

export function joined(a: v128, b: v128, zero: v128): v128 {
  return i16x8.narrow_i32x4_s(i32x4.add(a, zero), i32x4.add(b, zero))
}

export function storeRows(y: usize, step: usize, pair: v128, rows: u32): void {
  v128.store64_lane(y, pair, 0)
  if (rows > 1) v128.store64_lane(y + step, pair, 1)
}
