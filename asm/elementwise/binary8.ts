import { madd } from '../madd'
import { byteAt, columns, LOOPS, lastRow, row, takeRun, takeSlice } from '../rows'
import { floats } from './quantize'
import { level, levels, narrowed, Requantise, storeBytes, zeroFor } from './requantise'

/** Sums and products of bytes with scales of their own; see compiler/ops/elementwise/binary8.ts. */
@unmanaged
export class Binary8Params {
  d0: u32
  d1: u32
  d2: u32
  d3: u32
  d4: u32
  d5: u32
  a0: i32
  a1: i32
  a2: i32
  a3: i32
  a4: i32
  a5: i32
  b0: i32
  b1: i32
  b2: i32
  b3: i32
  b4: i32
  b5: i32
  y0: i32
  y1: i32
  y2: i32
  y3: i32
  y4: i32
  y5: i32
  kind: u32
  aZero: u32
  bZero: u32
  aScale: f32
  bScale: f32
  yScale: f32
  yZero: u32
  low: u32
  high: u32
}

const ADD: u32 = 0

/** Results of at most so many steps: both ways of computing are 7 roundings of 2^-24 apart at most, less than 1/2048 there. */
const MOST_STEPS: f32 = 1020
/** What lies furthest from a zero point. */
const FURTHEST: f32 = 255
/** Scales between which no product overflows, and what underflows is far from half a step. */
const LEAST_SCALE: f32 = 1e-15
const MOST_SCALE: f32 = 1e15
/** A sum with it counts in 1024ths. */
const FINE = memory.data<f32>([12288, 12288, 12288, 12288], 16)
const FINE_BITS: i32 = 0x46400000
const FRACTION: i32 = 10
/** Elements that are computed as they are defined from sixteen on of which one lies next to a tie: others may follow. */
const DOUBTFUL: u32 = 64
/** Bytes of rows that stay in the nearest cache while their columns pass. */
const NEAR: u32 = 32768

export function binary8(p: Binary8Params, a: usize, b: usize, y: usize): void {
  const sizes = changetype<usize>(p)
  takeSlice(sizes, 1)
  const isSum = p.kind == ADD
  // Products gain where rows share what they are multiplied by.
  const fine: u32 = (isSum || p.b4 == 0) && p.a5 == 1 && p.b5 == 1 && p.y5 == 1 && isFine(p) ? columns & ~15 : 0
  const most: u32 = fine && !isSum ? max(NEAR / columns, 1) : 1
  while (row < lastRow) {
    let left = byteAt(a, sizes, sizes + LOOPS)
    let right = byteAt(b, sizes, sizes + 2 * LOOPS)
    let to = byteAt(y, sizes, sizes + 3 * LOOPS)
    for (let rows = takeRun(p.d4); rows > 0; ) {
      const count = min(rows, most)
      const done: u32 = isSum || count > 1 ? fine : 0
      if (isSum) addRow(p, left, right, to, done)
      else for (let i: u32 = 0; i < done; i += 16) scaleColumns(p, left + i, right + i, to + i, count)
      binaryRows(p, left + done, right + done, to + done, count, columns - done)
      left += <usize>count * p.a4
      right += <usize>count * p.b4
      to += <usize>count * p.y4
      rows -= count
    }
  }
}

function binaryRows(p: Binary8Params, a: usize, b: usize, y: usize, rows: u32, n: u32): void {
  if (n) for (; rows > 0; rows--, a += p.a4, b += p.b4, y += p.y4) binaryRow(p, a, b, y, n)
}

/** As results are defined. */
function binaryRow(p: Binary8Params, a: usize, b: usize, y: usize, n: u32): void {
  const r = changetype<Requantise>(changetype<usize>(p) + offsetof<Binary8Params>('yZero'))
  let i: u32 = 0
  if (<u32>p.a5 <= 1 && <u32>p.b5 <= 1 && p.y5 == 1) {
    const aZero = i32x4.splat(p.aZero)
    const bZero = i32x4.splat(p.bZero)
    const aScale = f32x4.splat(p.aScale)
    const bScale = f32x4.splat(p.bScale)
    const yScale = f32x4.splat(p.yScale)
    const zero = zeroFor(p.yZero)
    const low = i8x16.splat(<i8>p.low)
    const high = i8x16.splat(<i8>p.high)
    for (; i + 8 <= n; i += 8) {
      const v = p.a5 ? v128.load8x8_u(a + i) : i16x8.splat(load<u8>(a))
      const w = p.b5 ? v128.load8x8_u(b + i) : i16x8.splat(load<u8>(b))
      const c = floats(i32x4.extend_low_i16x8_u(v), aZero, aScale)
      const d = floats(i32x4.extend_high_i16x8_u(v), aZero, aScale)
      const e = floats(i32x4.extend_low_i16x8_u(w), bZero, bScale)
      const f = floats(i32x4.extend_high_i16x8_u(w), bZero, bScale)
      const first = p.kind == ADD ? f32x4.add(c, e) : f32x4.mul(c, e)
      const second = p.kind == ADD ? f32x4.add(d, f) : f32x4.mul(d, f)
      const words = i16x8.narrow_i32x4_s(
        levels(f32x4.div(first, yScale), zero),
        levels(f32x4.div(second, yScale), zero)
      )
      storeBytes(y + i, narrowed(words, words, low, high), 8)
    }
  }
  for (; i < n; i++) {
    const left = <f32>(<i32>load<u8>(a + <usize>i * p.a5) - <i32>p.aZero) * p.aScale
    const right = <f32>(<i32>load<u8>(b + <usize>i * p.b5) - <i32>p.bZero) * p.bScale
    store<u8>(y + <usize>i * p.y5, <u8>level((p.kind == ADD ? left + right : left * right) / p.yScale, r))
  }
}

/**
 * Divisions take most of the time of what is defined. Results that are multiplied by the scales' quotients instead are close enough
 * to round to the same whole number, unless they lie within 1/2048 of a tie: that is seen in 1024ths of a step, and from sixteen
 * elements with one such on some are computed as they are defined.
 */
function isFine(p: Binary8Params): bool {
  const reach =
    p.kind == ADD
      ? (FURTHEST * (p.aScale + p.bScale)) / p.yScale
      : (FURTHEST * FURTHEST * p.aScale * p.bScale) / p.yScale
  const least = min(p.aScale, min(p.bScale, p.yScale))
  return reach <= MOST_STEPS && least >= LEAST_SCALE && max(p.aScale, max(p.bScale, p.yScale)) <= MOST_SCALE
}

/** Sums of `n` elements, whole sixteens. */
function addRow(p: Binary8Params, a: usize, b: usize, y: usize, n: u32): void {
  for (let i: u32 = 0; i < n; ) {
    i += addFine(p, a + i, b + i, y + i, n - i)
    const doubtful = min(DOUBTFUL, n - i)
    binaryRow(p, a + i, b + i, y + i, doubtful)
    i += doubtful
  }
}

/** Ends before sixteen elements of which one lies next to a tie, and says how many it has done. */
function addFine(p: Binary8Params, a: usize, b: usize, y: usize, n: u32): u32 {
  const aZero = i16x8.splat(<i16>p.aZero)
  const bZero = i16x8.splat(<i16>p.bZero)
  const aStep = f32x4.splat(p.aScale / p.yScale)
  const bStep = f32x4.splat(p.bScale / p.yScale)
  const fine = v128.load(FINE)
  const half = halfOf(p)
  const low = i8x16.splat(<i8>p.low)
  const high = i8x16.splat(<i8>p.high)
  for (let i: u32 = 0; i < n; i += 16) {
    let v = i16x8.sub(v128.load8x8_u(a + i), aZero)
    let w = i16x8.sub(v128.load8x8_u(b + i), bZero)
    const c = added(i32x4.extend_low_i16x8_s(v), i32x4.extend_low_i16x8_s(w), aStep, bStep, fine, half)
    const d = added(i32x4.extend_high_i16x8_s(v), i32x4.extend_high_i16x8_s(w), aStep, bStep, fine, half)
    v = i16x8.sub(v128.load8x8_u(a + i, 8), aZero)
    w = i16x8.sub(v128.load8x8_u(b + i, 8), bZero)
    const e = added(i32x4.extend_low_i16x8_s(v), i32x4.extend_low_i16x8_s(w), aStep, bStep, fine, half)
    const f = added(i32x4.extend_high_i16x8_s(v), i32x4.extend_high_i16x8_s(w), aStep, bStep, fine, half)
    if (isDoubtful(c, d, e, f)) return i
    v128.store(y + i, bytesOf(c, d, e, f, low, high))
  }
  return n
}

/** Products of sixteen columns of `rows` rows with the same sixteen elements of `b`. */
function scaleColumns(p: Binary8Params, a: usize, b: usize, y: usize, rows: u32): void {
  for (let i: u32 = 0; i < rows; ) {
    i += scaleFine(p, a + <usize>i * p.a4, b, y + <usize>i * p.y4, rows - i)
    const doubtful = min(DOUBTFUL / 16, rows - i)
    binaryRows(p, a + <usize>i * p.a4, b, y + <usize>i * p.y4, doubtful, 16)
    i += doubtful
  }
}

/** Ends before a row of which an element lies next to a tie, and says how many it has done. */
function scaleFine(p: Binary8Params, a: usize, b: usize, y: usize, rows: u32): u32 {
  const aZero = i16x8.splat(<i16>p.aZero)
  const bZero = i16x8.splat(<i16>p.bZero)
  // Steps of the result that a product of one and one is.
  const step = f32x4.splat(<f32>((<f64>p.aScale * <f64>p.bScale) / <f64>p.yScale))
  const fine = v128.load(FINE)
  const half = halfOf(p)
  const low = i8x16.splat(<i8>p.low)
  const high = i8x16.splat(<i8>p.high)
  let w = i16x8.sub(v128.load8x8_u(b), bZero)
  const cStep = f32x4.mul(f32x4.convert_i32x4_s(i32x4.extend_low_i16x8_s(w)), step)
  const dStep = f32x4.mul(f32x4.convert_i32x4_s(i32x4.extend_high_i16x8_s(w)), step)
  w = i16x8.sub(v128.load8x8_u(b, 8), bZero)
  const eStep = f32x4.mul(f32x4.convert_i32x4_s(i32x4.extend_low_i16x8_s(w)), step)
  const fStep = f32x4.mul(f32x4.convert_i32x4_s(i32x4.extend_high_i16x8_s(w)), step)
  for (let i: u32 = 0; i < rows; i++, a += p.a4, y += p.y4) {
    let v = i16x8.sub(v128.load8x8_u(a), aZero)
    const c = scaled(i32x4.extend_low_i16x8_s(v), cStep, fine, half)
    const d = scaled(i32x4.extend_high_i16x8_s(v), dStep, fine, half)
    v = i16x8.sub(v128.load8x8_u(a, 8), aZero)
    const e = scaled(i32x4.extend_low_i16x8_s(v), eStep, fine, half)
    const f = scaled(i32x4.extend_high_i16x8_s(v), fStep, fine, half)
    if (isDoubtful(c, d, e, f)) return i
    v128.store(y, bytesOf(c, d, e, f, low, high))
  }
  return rows
}

/** Half a step and the zero point, in 1024ths. */
function halfOf(p: Binary8Params): v128 {
  return i32x4.splat(((<i32>p.yZero) << FRACTION) + (1 << (FRACTION - 1)) - FINE_BITS)
}

function added(a: v128, b: v128, aStep: v128, bStep: v128, fine: v128, half: v128): v128 {
  const sum = madd(f32x4.convert_i32x4_s(a), aStep, f32x4.mul(f32x4.convert_i32x4_s(b), bStep))
  return i32x4.add(f32x4.add(sum, fine), half)
}

function scaled(v: v128, step: v128, fine: v128, half: v128): v128 {
  return i32x4.add(f32x4.add(f32x4.mul(f32x4.convert_i32x4_s(v), step), fine), half)
}

/** Whether any lane has nothing behind the point, which half a step has been added to. */
function isDoubtful(a: v128, b: v128, c: v128, d: v128): bool {
  const first = i32x4.min_u(i32x4.shl(a, 32 - FRACTION), i32x4.shl(b, 32 - FRACTION))
  const second = i32x4.min_u(i32x4.shl(c, 32 - FRACTION), i32x4.shl(d, 32 - FRACTION))
  return !i32x4.all_true(i32x4.min_u(first, second))
}

function bytesOf(a: v128, b: v128, c: v128, d: v128, low: v128, high: v128): v128 {
  const first = i16x8.narrow_i32x4_s(i32x4.shr_s(a, FRACTION), i32x4.shr_s(b, FRACTION))
  const second = i16x8.narrow_i32x4_s(i32x4.shr_s(c, FRACTION), i32x4.shr_s(d, FRACTION))
  return narrowed(first, second, low, high)
}
