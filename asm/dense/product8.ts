import { statics } from '../thread'

/**
 * Products of bytes with whole numbers from -128 to 127, summed exactly in 32 bits. Relaxed SIMD has an instruction for them whose
 * second operand some engines take for unsigned and some for signed, and others sum with saturation: which, a probe tells, and packed
 * rows are written accordingly. Where there is none rows are packed as 16 bits. Sums are the same whichever way they go.
 */

/** Columns of a panel of weights, rows of a tile, and neighbouring elements that one lane multiplies. */
export const PANEL: u32 = 8
export const ROWS: u32 = 6
export const DEPTH: u32 = 4

/** What the engine's product takes of bytes. */
export const UNSIGNED: u32 = 0
export const SIGNED: u32 = 1
export const WORDS: u32 = 2

const LARGEST = memory.data<u8>([127, 127, 127, 127, 127, 127, 127, 127, 127, 127, 127, 127, 127, 127, 127, 127], 16)
const SMALLEST = memory.data<u8>([128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128], 16)
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

/** Bytes that a packed element of DEPTH takes. */
export function unitOf(kind: u32): usize {
  return kind == WORDS ? 8 : 4
}

/** What has to be added to a sum for each unit of its weights' sum. */
export function correction(kind: u32, zero: u32): i32 {
  return (kind == SIGNED ? 128 : 0) - <i32>zero
}

/** `count` elements of a row into the groups of a tile that begin at `to`; the last group may take along what lies behind. */
export function packRun(kind: u32, from: usize, count: u32, to: usize): void {
  const end = from + count
  if (kind == UNSIGNED) {
    for (; from < end; from += DEPTH, to += ROWS * 4) store<u32>(to, load<u32>(from))
  } else if (kind == SIGNED) {
    for (; from < end; from += DEPTH, to += ROWS * 4) store<u32>(to, load<u32>(from) ^ 0x80808080)
  } else {
    for (; from < end; from += DEPTH, to += ROWS * 8)
      v128.store64_lane(to, i16x8.extend_low_i8x16_u(v128.load32_zero(from)), 0)
  }
}

/** As packRun, of `count` zero points. */
export function packZeros(kind: u32, zero: u32, count: u32, to: usize): void {
  const groups = (count + DEPTH - 1) / DEPTH
  const byte = kind == SIGNED ? zero ^ 128 : zero
  if (kind == WORDS) {
    const words = <u64>byte * 0x0001000100010001
    for (let i: u32 = 0; i < groups; i++, to += ROWS * 8) store<u64>(to, words)
  } else {
    const bytes = byte * 0x01010101
    for (let i: u32 = 0; i < groups; i++, to += ROWS * 4) store<u32>(to, bytes)
  }
}

/** Six rows of bytes that lie `step` apart, of which the first `rows` are there, into a tile. */
export function packRows(kind: u32, x: usize, step: usize, rows: u32, inner: u32, to: usize): void {
  const unit = unitOf(kind)
  let done: u32 = 0
  if (kind != WORDS && rows == ROWS) done = packFours(kind, x, step, inner, to)
  for (let i: u32 = 0; i < ROWS; i++)
    packRun(
      kind,
      x + <usize>min(i, rows - 1) * step + done,
      inner - done,
      to + <usize>i * unit + <usize>((done / DEPTH) * ROWS * 4)
    )
}

/** Sixteen elements of six rows at a time, as many as there are whole; returns how many. */
function packFours(kind: u32, x: usize, step: usize, inner: u32, to: usize): u32 {
  const flip = i8x16.splat(kind == SIGNED ? <i8>0x80 : 0)
  const whole = inner & ~15
  for (let k: u32 = 0; k < whole; k += 16, to += 4 * ROWS * 4) {
    const from = x + k
    const a = v128.xor(v128.load(from), flip)
    const b = v128.xor(v128.load(from + step), flip)
    const c = v128.xor(v128.load(from + 2 * step), flip)
    const d = v128.xor(v128.load(from + 3 * step), flip)
    const e = v128.xor(v128.load(from + 4 * step), flip)
    const f = v128.xor(v128.load(from + 5 * step), flip)
    const ab = i32x4.shuffle(a, b, 0, 4, 1, 5)
    const cd = i32x4.shuffle(c, d, 0, 4, 1, 5)
    const ef = i32x4.shuffle(e, f, 0, 4, 1, 5)
    v128.store(to, i64x2.shuffle(ab, cd, 0, 2))
    v128.store64_lane(to + 16, ef, 0)
    v128.store(to + 24, i64x2.shuffle(ab, cd, 1, 3))
    v128.store64_lane(to + 40, ef, 1)
    const gh = i32x4.shuffle(a, b, 2, 6, 3, 7)
    const ij = i32x4.shuffle(c, d, 2, 6, 3, 7)
    const kl = i32x4.shuffle(e, f, 2, 6, 3, 7)
    v128.store(to + 48, i64x2.shuffle(gh, ij, 0, 2))
    v128.store64_lane(to + 64, kl, 0)
    v128.store(to + 72, i64x2.shuffle(gh, ij, 1, 3))
    v128.store64_lane(to + 88, kl, 1)
  }
  return whole
}

/** The sums of six packed rows and a panel, as 6 times 8 whole numbers in this thread's statics. */
export function product8(kind: u32, x: usize, w: usize, groups: u32): void {
  if (kind != WORDS) dots(x, w, groups, statics())
  else
    for (let pair: usize = 0; pair < ROWS / 2; pair++) words(x + pair * 16, w, groups, statics() + pair * 2 * PANEL * 4)
}

function dots(x: usize, w: usize, groups: u32, y: usize): void {
  let a0 = i32x4.splat(0)
  let a1 = a0
  let a2 = a0
  let a3 = a0
  let a4 = a0
  let a5 = a0
  let b0 = a0
  let b1 = a0
  let b2 = a0
  let b3 = a0
  let b4 = a0
  let b5 = a0
  for (const end = w + ((<usize>groups) << 5); w < end; w += 32) {
    const p = v128.load(w)
    const q = v128.load(w, 16)
    let v = v128.load32_splat(x)
    a0 = dot(p, v, a0)
    b0 = dot(q, v, b0)
    v = v128.load32_splat(x, 4)
    a1 = dot(p, v, a1)
    b1 = dot(q, v, b1)
    v = v128.load32_splat(x, 8)
    a2 = dot(p, v, a2)
    b2 = dot(q, v, b2)
    v = v128.load32_splat(x, 12)
    a3 = dot(p, v, a3)
    b3 = dot(q, v, b3)
    v = v128.load32_splat(x, 16)
    a4 = dot(p, v, a4)
    b4 = dot(q, v, b4)
    v = v128.load32_splat(x, 20)
    a5 = dot(p, v, a5)
    b5 = dot(q, v, b5)
    x += ROWS * 4
  }
  v128.store(y, a0)
  v128.store(y, b0, 16)
  v128.store(y, a1, 32)
  v128.store(y, b1, 48)
  v128.store(y, a2, 64)
  v128.store(y, b2, 80)
  v128.store(y, a3, 96)
  v128.store(y, b3, 112)
  v128.store(y, a4, 128)
  v128.store(y, b4, 144)
  v128.store(y, a5, 160)
  v128.store(y, b5, 176)
}

/** Two rows of 16-bit elements: each lane sums every other pair of a column, which are joined in the end. */
function words(x: usize, w: usize, groups: u32, y: usize): void {
  let a = i32x4.splat(0)
  let b = a
  let c = a
  let d = a
  let e = a
  let f = a
  let g = a
  let h = a
  for (const end = w + ((<usize>groups) << 5); w < end; w += 32) {
    const u = v128.load64_splat(x)
    const v = v128.load64_splat(x, 8)
    let t = v128.load8x8_s(w)
    a = i32x4.add(a, i32x4.dot_i16x8_s(t, u))
    e = i32x4.add(e, i32x4.dot_i16x8_s(t, v))
    t = v128.load8x8_s(w, 8)
    b = i32x4.add(b, i32x4.dot_i16x8_s(t, u))
    f = i32x4.add(f, i32x4.dot_i16x8_s(t, v))
    t = v128.load8x8_s(w, 16)
    c = i32x4.add(c, i32x4.dot_i16x8_s(t, u))
    g = i32x4.add(g, i32x4.dot_i16x8_s(t, v))
    t = v128.load8x8_s(w, 24)
    d = i32x4.add(d, i32x4.dot_i16x8_s(t, u))
    h = i32x4.add(h, i32x4.dot_i16x8_s(t, v))
    x += ROWS * 8
  }
  v128.store(y, joined(a, b))
  v128.store(y, joined(c, d), 16)
  v128.store(y, joined(e, f), 32)
  v128.store(y, joined(g, h), 48)
}

/** Neighbouring lanes added. */
export function joined(a: v128, b: v128): v128 {
  return i32x4.add(i32x4.shuffle(a, b, 0, 2, 4, 6), i32x4.shuffle(a, b, 1, 3, 5, 7))
}
