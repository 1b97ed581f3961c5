import { CLIP, clip, HARD_SWISH, hardSwish } from '../elementwise/activation'
import { Epilogue } from '../elementwise/epilogue'
import { madd } from '../madd'
import { statics } from '../thread'
import { BLOCK } from './tile'
import { sixPair } from './wide'

/**
 * Matrix products of operands that are packed: no table of addresses. Rows come in groups of ROWS, interleaved, so that
 * one pointer walks them; weights in panels of 8 columns, as tile.ts has them.
 */

/** Rows of a group: as many as the registers hold, which with a fused multiply-add is one pair more. */
export const ROWS: u32 = ASC_FEATURE_RELAXED_SIMD ? 6 : 4

/** Zeros: no bias, and an epilogue that does nothing. */
const NOTHING = memory.data<f32>([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0])

/**
 * y[row][0..8) = x[row] . w for one group, of which the first `rows` count, and one panel; rows of y lie `step` bytes
 * apart, and up to ROWS of them are written.
 */
export function product(x: usize, w: usize, inner: u32, y: usize, step: usize, rows: u32): void {
  if (ROWS == 6 && rows > 4) sixRows(x, w, inner, NOTHING, y, step, y, step, changetype<Epilogue>(NOTHING))
  else fourRows(x, w, inner, y, step)
}

/** The same of two panels, `panel` bytes apart, and always of ROWS rows. */
export function productPair(x: usize, w: usize, panel: usize, inner: u32, y: usize, step: usize): void {
  sixPair(x, w, panel, inner, NOTHING, NOTHING, y, step, y, step, changetype<Epilogue>(NOTHING))
}

function fourRows(x: usize, w: usize, inner: u32, y: usize, step: usize): void {
  let a0 = f32x4.splat(0)
  let a1 = a0
  let a2 = a0
  let a3 = a0
  let b0 = a0
  let b1 = a0
  let b2 = a0
  let b3 = a0
  const totals = statics()
  const end = w + ((<usize>inner) << 5)
  const first = w + BLOCK
  for (let stop = first; ; stop += BLOCK) {
    for (const to = min(stop, end); w < to; w += 32) {
      const p = v128.load(w)
      const q = v128.load(w, 16)
      let v = v128.load_splat<f32>(x)
      a0 = madd(v, p, a0)
      b0 = madd(v, q, b0)
      v = v128.load_splat<f32>(x, 4)
      a1 = madd(v, p, a1)
      b1 = madd(v, q, b1)
      v = v128.load_splat<f32>(x, 8)
      a2 = madd(v, p, a2)
      b2 = madd(v, q, b2)
      v = v128.load_splat<f32>(x, 12)
      a3 = madd(v, p, a3)
      b3 = madd(v, q, b3)
      x += ROWS * 4
    }
    if (stop > first) {
      a0 = f32x4.add(a0, v128.load(totals))
      b0 = f32x4.add(b0, v128.load(totals, 16))
      a1 = f32x4.add(a1, v128.load(totals, 32))
      b1 = f32x4.add(b1, v128.load(totals, 48))
      a2 = f32x4.add(a2, v128.load(totals, 64))
      b2 = f32x4.add(b2, v128.load(totals, 80))
      a3 = f32x4.add(a3, v128.load(totals, 96))
      b3 = f32x4.add(b3, v128.load(totals, 112))
    }
    if (stop >= end) break
    v128.store(totals, a0)
    v128.store(totals, b0, 16)
    v128.store(totals, a1, 32)
    v128.store(totals, b1, 48)
    v128.store(totals, a2, 64)
    v128.store(totals, b2, 80)
    v128.store(totals, a3, 96)
    v128.store(totals, b3, 112)
    a0 = f32x4.splat(0)
    b0 = a0
    a1 = a0
    b1 = a0
    a2 = a0
    b2 = a0
    a3 = a0
    b3 = a0
  }
  v128.store(y, a0)
  v128.store(y, b0, 16)
  y += step
  v128.store(y, a1)
  v128.store(y, b1, 16)
  y += step
  v128.store(y, a2)
  v128.store(y, b2, 16)
  y += step
  v128.store(y, a3)
  v128.store(y, b3, 16)
}

/**
 * y[row][0..8) = epilogue(bias + x[row] . w + r[row]) for a group of six. Rows of y and r lie `step` and `rStep` bytes apart.
 * Of the epilogue bounds, hard swish and a residual in front of them are done, anything else is not.
 */
export function sixRows(
  x: usize,
  w: usize,
  inner: u32,
  bias: usize,
  y: usize,
  step: usize,
  r: usize,
  rStep: usize,
  e: Epilogue
): void {
  let a0 = v128.load(bias)
  let b0 = v128.load(bias, 16)
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
  const totals = statics()
  const end = w + ((<usize>inner) << 5)
  const first = w + BLOCK
  for (let stop = first; ; stop += BLOCK) {
    for (const to = min(stop, end); w < to; w += 32) {
      const p = v128.load(w)
      const q = v128.load(w, 16)
      let v = v128.load_splat<f32>(x)
      a0 = madd(v, p, a0)
      b0 = madd(v, q, b0)
      v = v128.load_splat<f32>(x, 4)
      a1 = madd(v, p, a1)
      b1 = madd(v, q, b1)
      v = v128.load_splat<f32>(x, 8)
      a2 = madd(v, p, a2)
      b2 = madd(v, q, b2)
      v = v128.load_splat<f32>(x, 12)
      a3 = madd(v, p, a3)
      b3 = madd(v, q, b3)
      v = v128.load_splat<f32>(x, 16)
      a4 = madd(v, p, a4)
      b4 = madd(v, q, b4)
      v = v128.load_splat<f32>(x, 20)
      a5 = madd(v, p, a5)
      b5 = madd(v, q, b5)
      x += ROWS * 4
    }
    if (stop > first) {
      a0 = f32x4.add(a0, v128.load(totals))
      b0 = f32x4.add(b0, v128.load(totals, 16))
      a1 = f32x4.add(a1, v128.load(totals, 32))
      b1 = f32x4.add(b1, v128.load(totals, 48))
      a2 = f32x4.add(a2, v128.load(totals, 64))
      b2 = f32x4.add(b2, v128.load(totals, 80))
      a3 = f32x4.add(a3, v128.load(totals, 96))
      b3 = f32x4.add(b3, v128.load(totals, 112))
      a4 = f32x4.add(a4, v128.load(totals, 128))
      b4 = f32x4.add(b4, v128.load(totals, 144))
      a5 = f32x4.add(a5, v128.load(totals, 160))
      b5 = f32x4.add(b5, v128.load(totals, 176))
    }
    if (stop >= end) break
    v128.store(totals, a0)
    v128.store(totals, b0, 16)
    v128.store(totals, a1, 32)
    v128.store(totals, b1, 48)
    v128.store(totals, a2, 64)
    v128.store(totals, b2, 80)
    v128.store(totals, a3, 96)
    v128.store(totals, b3, 112)
    v128.store(totals, a4, 128)
    v128.store(totals, b4, 144)
    v128.store(totals, a5, 160)
    v128.store(totals, b5, 176)
    a0 = f32x4.splat(0)
    b0 = a0
    a1 = a0
    b1 = a0
    a2 = a0
    b2 = a0
    a3 = a0
    b3 = a0
    a4 = a0
    b4 = a0
    a5 = a0
    b5 = a0
  }
  if (e.residual) {
    a0 = f32x4.add(a0, v128.load(r))
    b0 = f32x4.add(b0, v128.load(r, 16))
    r += rStep
    a1 = f32x4.add(a1, v128.load(r))
    b1 = f32x4.add(b1, v128.load(r, 16))
    r += rStep
    a2 = f32x4.add(a2, v128.load(r))
    b2 = f32x4.add(b2, v128.load(r, 16))
    r += rStep
    a3 = f32x4.add(a3, v128.load(r))
    b3 = f32x4.add(b3, v128.load(r, 16))
    r += rStep
    a4 = f32x4.add(a4, v128.load(r))
    b4 = f32x4.add(b4, v128.load(r, 16))
    r += rStep
    a5 = f32x4.add(a5, v128.load(r))
    b5 = f32x4.add(b5, v128.load(r, 16))
  }
  if (e.act) {
    const alpha = f32x4.splat(e.alpha)
    const beta = f32x4.splat(e.beta)
    if (e.act == CLIP) {
      a0 = clip(a0, alpha, beta)
      b0 = clip(b0, alpha, beta)
      a1 = clip(a1, alpha, beta)
      b1 = clip(b1, alpha, beta)
      a2 = clip(a2, alpha, beta)
      b2 = clip(b2, alpha, beta)
      a3 = clip(a3, alpha, beta)
      b3 = clip(b3, alpha, beta)
      a4 = clip(a4, alpha, beta)
      b4 = clip(b4, alpha, beta)
      a5 = clip(a5, alpha, beta)
      b5 = clip(b5, alpha, beta)
    } else if (e.act == HARD_SWISH) {
      a0 = hardSwish(a0, alpha, beta)
      b0 = hardSwish(b0, alpha, beta)
      a1 = hardSwish(a1, alpha, beta)
      b1 = hardSwish(b1, alpha, beta)
      a2 = hardSwish(a2, alpha, beta)
      b2 = hardSwish(b2, alpha, beta)
      a3 = hardSwish(a3, alpha, beta)
      b3 = hardSwish(b3, alpha, beta)
      a4 = hardSwish(a4, alpha, beta)
      b4 = hardSwish(b4, alpha, beta)
      a5 = hardSwish(a5, alpha, beta)
      b5 = hardSwish(b5, alpha, beta)
    }
  }
  v128.store(y, a0)
  v128.store(y, b0, 16)
  y += step
  v128.store(y, a1)
  v128.store(y, b1, 16)
  y += step
  v128.store(y, a2)
  v128.store(y, b2, 16)
  y += step
  v128.store(y, a3)
  v128.store(y, b3, 16)
  y += step
  v128.store(y, a4)
  v128.store(y, b4, 16)
  y += step
  v128.store(y, a5)
  v128.store(y, b5, 16)
}

/** A group of six rows that lie `step` bytes apart, by transposes of four elements, where ROWS is six; returns the place behind. */
export function spreadSix(x: usize, step: usize, count: u32, to: usize): usize {
  for (; count >= 4; count -= 4, x += 16, to += 96) {
    const third = x + 2 * step
    const fifth = third + 2 * step
    const a = v128.load(x)
    const b = v128.load(x + step)
    const c = v128.load(third)
    const d = v128.load(third + step)
    const e = v128.load(fifth)
    const f = v128.load(fifth + step)
    let ab = i32x4.shuffle(a, b, 0, 4, 1, 5)
    let cd = i32x4.shuffle(c, d, 0, 4, 1, 5)
    let ef = i32x4.shuffle(e, f, 0, 4, 1, 5)
    v128.store(to, i64x2.shuffle(ab, cd, 0, 2))
    v128.store64_lane(to, ef, 0, 16)
    v128.store(to, i64x2.shuffle(ab, cd, 1, 3), 24)
    v128.store64_lane(to, ef, 1, 40)
    ab = i32x4.shuffle(a, b, 2, 6, 3, 7)
    cd = i32x4.shuffle(c, d, 2, 6, 3, 7)
    ef = i32x4.shuffle(e, f, 2, 6, 3, 7)
    v128.store(to, i64x2.shuffle(ab, cd, 0, 2), 48)
    v128.store64_lane(to, ef, 0, 64)
    v128.store(to, i64x2.shuffle(ab, cd, 1, 3), 72)
    v128.store64_lane(to, ef, 1, 88)
  }
  for (; count > 0; count--, x += 4) {
    let from = x
    for (let row = ROWS; row > 0; row--, from += step, to += 4) store<f32>(to, load<f32>(from))
  }
  return to
}
