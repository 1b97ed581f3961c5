import {
  activate,
  activateRow,
  CLIP,
  clip,
  HARD_SWISH,
  hardSwish,
  lowerBound,
  PRELU,
  upperBound
} from '../elementwise/activation'
import { Epilogue, RESIDUAL_AFTER, RESIDUAL_BEFORE } from '../elementwise/epilogue'
import { madd } from '../madd'
import { statics } from '../thread'
import { finishOne, isInline, isLate, PANEL, SEGMENT, storeColumns } from './tile'

/**
 * Micro-kernels for few columns, of which a panel of 8 would be mostly padding. Tables are those of tile.ts; several sums
 * of each result keep the additions from waiting for each other.
 */

/** Columns up to which half a panel is enough. */
export const HALF: u32 = 4

/** Columns up to which the inner dimension goes along the lanes instead, and what it has to be a multiple of. */
export const FEW: u32 = 3
export const LANES: u32 = 4

/** One tile of four rows times the first half of a panel, as `tile` takes them; `columns` are 1 to 4. */
export function halfTile(
  table: usize,
  shift: usize,
  w: usize,
  bias: usize,
  slope: usize,
  at: usize,
  columns: u32,
  e: Epilogue
): void {
  let a0 = v128.load(bias)
  let a1 = a0
  let a2 = a0
  let a3 = a0
  let b0 = f32x4.splat(0)
  let b1 = b0
  let b2 = b0
  let b3 = b0
  shift += <usize>load<u32>(table, 40)
  let segment = <usize>load<u32>(table, 36)
  const last = segment + <usize>load<u32>(table, 32) * SEGMENT
  for (; segment < last; segment += SEGMENT) {
    let x0 = <usize>load<u32>(segment) + shift
    let x1 = <usize>load<u32>(segment, 4) + shift
    let x2 = <usize>load<u32>(segment, 8) + shift
    let x3 = <usize>load<u32>(segment, 12) + shift
    w += <usize>load<u32>(segment, 20)
    const length = load<u32>(segment, 16)
    for (const end = w + ((<usize>(length & ~1)) << 5); w < end; w += 64) {
      const p = v128.load(w)
      a0 = madd(v128.load_splat<f32>(x0), p, a0)
      a1 = madd(v128.load_splat<f32>(x1), p, a1)
      a2 = madd(v128.load_splat<f32>(x2), p, a2)
      a3 = madd(v128.load_splat<f32>(x3), p, a3)
      const q = v128.load(w, 32)
      b0 = madd(v128.load_splat<f32>(x0, 4), q, b0)
      b1 = madd(v128.load_splat<f32>(x1, 4), q, b1)
      b2 = madd(v128.load_splat<f32>(x2, 4), q, b2)
      b3 = madd(v128.load_splat<f32>(x3, 4), q, b3)
      x0 += 8
      x1 += 8
      x2 += 8
      x3 += 8
    }
    if (length & 1) {
      const p = v128.load(w)
      a0 = madd(v128.load_splat<f32>(x0), p, a0)
      a1 = madd(v128.load_splat<f32>(x1), p, a1)
      a2 = madd(v128.load_splat<f32>(x2), p, a2)
      a3 = madd(v128.load_splat<f32>(x3), p, a3)
      w += 32
    }
  }
  finishHalf(table, f32x4.add(a0, b0), f32x4.add(a1, b1), f32x4.add(a2, b2), f32x4.add(a3, b3), slope, at, columns, e)
}

/** Epilogue and store of four rows of up to four columns. */
function finishHalf(
  table: usize,
  a0: v128,
  a1: v128,
  a2: v128,
  a3: v128,
  slope: usize,
  at: usize,
  columns: u32,
  e: Epilogue
): void {
  const y0 = <usize>load<u32>(table) + at
  const y1 = <usize>load<u32>(table, 4) + at
  const y2 = <usize>load<u32>(table, 8) + at
  const y3 = <usize>load<u32>(table, 12) + at
  if (isInline(e) && e.residual == 0) {
    const alpha = f32x4.splat(e.alpha)
    const beta = f32x4.splat(e.beta)
    if (e.act == CLIP) {
      a0 = clip(a0, alpha, beta)
      a1 = clip(a1, alpha, beta)
      a2 = clip(a2, alpha, beta)
      a3 = clip(a3, alpha, beta)
    } else if (e.act == HARD_SWISH) {
      a0 = hardSwish(a0, alpha, beta)
      a1 = hardSwish(a1, alpha, beta)
      a2 = hardSwish(a2, alpha, beta)
      a3 = hardSwish(a3, alpha, beta)
    }
    storeColumns(y0, a0, a0, columns)
    storeColumns(y1, a1, a1, columns)
    storeColumns(y2, a2, a2, columns)
    storeColumns(y3, a3, a3, columns)
    return
  }
  // A repeated row is finished once, for its residual may lie in its place.
  finishOne(y0, <usize>load<u32>(table, 16) + at, a0, a0, slope, columns, e)
  if (y1 != y0) finishOne(y1, <usize>load<u32>(table, 20) + at, a1, a1, slope, columns, e)
  if (y2 != y1) finishOne(y2, <usize>load<u32>(table, 24) + at, a2, a2, slope, columns, e)
  if (y3 != y2) finishOne(y3, <usize>load<u32>(table, 28) + at, a3, a3, slope, columns, e)
}

/**
 * A panel's first columns (1 to FEW) to lanes of the inner dimension: two side by side, one alone, three as two and one; for
 * each LANES of `inner`, which is a multiple of that, a vector of each column.
 */
export function packFew(w: usize, inner: u32, columns: u32, to: usize): void {
  if (columns > 1) to = packLanes(w, inner, 2, to)
  if (columns != 2) packLanes(w + ((<usize>(columns - 1)) << 2), inner, 1, to)
}

function packLanes(w: usize, inner: u32, columns: u32, to: usize): usize {
  for (let k: u32 = 0; k < inner; k += LANES)
    for (let c: u32 = 0; c < columns; c++)
      for (let i: u32 = 0; i < LANES; i++, to += 4) store<f32>(to, load<f32>(w + ((<usize>((k + i) * PANEL + c)) << 2)))
  return to
}

/** Where a tile's sums lie behind the thread's statics, for each column a vector of the four rows. */
const SUMS: usize = 128

/** One tile times what packFew has packed of `columns` columns. All of the epilogue is done, four rows at a time. */
export function fewTile(
  table: usize,
  w: usize,
  inner: u32,
  bias: usize,
  slope: usize,
  columns: u32,
  e: Epilogue
): void {
  const sums = statics() + SUMS
  if (columns > 1) twoSums(table, w, sums)
  if (columns == 1) oneSum(table, w, sums)
  else if (columns == 3) oneSum(table, w + ((<usize>inner) << 3), sums + 32)
  // All residuals are read before any is overwritten in place.
  for (let c: usize = 0; c < (<usize>columns) << 2; c += 4)
    v128.store(sums + (c << 2), finishFour(table, c, v128.load(sums + (c << 2)), bias, slope, e))
  const y0 = <usize>load<u32>(table)
  const y1 = <usize>load<u32>(table, 4)
  const y2 = <usize>load<u32>(table, 8)
  const y3 = <usize>load<u32>(table, 12)
  const a = v128.load(sums)
  // Two rows three apart, the second repeated, end where four neighbours do.
  if (columns == 1 && y1 == y0 + 4 && y2 == y0 + 8 && y3 == y0 + 12) {
    v128.store(y0, a)
    return
  }
  v128.store32_lane(y0, a, 0)
  v128.store32_lane(y1, a, 1)
  v128.store32_lane(y2, a, 2)
  v128.store32_lane(y3, a, 3)
  if (columns == 1) return
  const b = v128.load(sums, 16)
  v128.store32_lane(y0, b, 0, 4)
  v128.store32_lane(y1, b, 1, 4)
  v128.store32_lane(y2, b, 2, 4)
  v128.store32_lane(y3, b, 3, 4)
  if (columns == 2) return
  const c = v128.load(sums, 32)
  v128.store32_lane(y0, c, 0, 8)
  v128.store32_lane(y1, c, 1, 8)
  v128.store32_lane(y2, c, 2, 8)
  v128.store32_lane(y3, c, 3, 8)
}

/** One filter of one pixel, of `count` (4 or more) neighbouring outputs whose inputs lie `step` bytes apart. */
export function onePixels(
  x: usize,
  step: usize,
  y: usize,
  count: u32,
  w: usize,
  inner: u32,
  bias: usize,
  e: Epilogue
): void {
  const b = v128.load32_splat(bias)
  const low = lowerBound(e.act, e.alpha)
  const high = upperBound(e.act, e.beta)
  const end = w + ((<usize>inner) << 2)
  for (let i: u32 = 0; i < count; i += 4) {
    // The last four may repeat what is done.
    const first = min(i, count - 4)
    let x0 = x + <usize>first * step
    let x1 = x0 + step
    let x2 = x1 + step
    let x3 = x2 + step
    let a0 = f32x4.splat(0)
    let a1 = a0
    let a2 = a0
    let a3 = a0
    for (let at = w; at < end; at += 16) {
      const p = v128.load(at)
      a0 = madd(v128.load(x0), p, a0)
      a1 = madd(v128.load(x1), p, a1)
      a2 = madd(v128.load(x2), p, a2)
      a3 = madd(v128.load(x3), p, a3)
      x0 += 16
      x1 += 16
      x2 += 16
      x3 += 16
    }
    v128.store(y + ((<usize>first) << 2), clip(f32x4.add(sumsOf(a0, a1, a2, a3), b), low, high))
  }
  if (e.act > CLIP) activateRow(e.act, e.alpha, e.beta, y, y, count)
}

/** The epilogue of one column, `at` bytes behind the rows' addresses. */
function finishFour(table: usize, at: usize, v: v128, bias: usize, slope: usize, e: Epilogue): v128 {
  v = f32x4.add(v, v128.load_splat<f32>(bias + at))
  let r = f32x4.splat(0)
  if (e.residual) {
    r = v128.load32_zero(<usize>load<u32>(table, 16) + at)
    r = v128.load32_lane(<usize>load<u32>(table, 20) + at, r, 1)
    r = v128.load32_lane(<usize>load<u32>(table, 24) + at, r, 2)
    r = v128.load32_lane(<usize>load<u32>(table, 28) + at, r, 3)
    if (e.residual == RESIDUAL_BEFORE) v = f32x4.add(v, r)
  }
  const alpha = e.act == PRELU ? v128.load_splat<f32>(slope + at) : f32x4.splat(e.alpha)
  if (!isLate(e)) v = activate(e.act, v, alpha, f32x4.splat(e.beta))
  return e.residual == RESIDUAL_AFTER ? f32x4.add(v, r) : v
}

/** One column: the sums of four rows in a vector. */
function oneSum(table: usize, w: usize, to: usize): void {
  let a0 = f32x4.splat(0)
  let a1 = a0
  let a2 = a0
  let a3 = a0
  const shift = <usize>load<u32>(table, 40)
  let segment = <usize>load<u32>(table, 36)
  const last = segment + <usize>load<u32>(table, 32) * SEGMENT
  for (; segment < last; segment += SEGMENT) {
    let x0 = <usize>load<u32>(segment) + shift
    let x1 = <usize>load<u32>(segment, 4) + shift
    let x2 = <usize>load<u32>(segment, 8) + shift
    let x3 = <usize>load<u32>(segment, 12) + shift
    w += <usize>load<u32>(segment, 20) >> 3
    for (const end = w + ((<usize>load<u32>(segment, 16)) << 2); w < end; w += 16) {
      const p = v128.load(w)
      a0 = madd(v128.load(x0), p, a0)
      a1 = madd(v128.load(x1), p, a1)
      a2 = madd(v128.load(x2), p, a2)
      a3 = madd(v128.load(x3), p, a3)
      x0 += 16
      x1 += 16
      x2 += 16
      x3 += 16
    }
  }
  v128.store(to, sumsOf(a0, a1, a2, a3))
}

/** Two columns, each a vector. */
function twoSums(table: usize, w: usize, to: usize): void {
  let a0 = f32x4.splat(0)
  let a1 = a0
  let a2 = a0
  let a3 = a0
  let b0 = a0
  let b1 = a0
  let b2 = a0
  let b3 = a0
  const shift = <usize>load<u32>(table, 40)
  let segment = <usize>load<u32>(table, 36)
  const last = segment + <usize>load<u32>(table, 32) * SEGMENT
  for (; segment < last; segment += SEGMENT) {
    let x0 = <usize>load<u32>(segment) + shift
    let x1 = <usize>load<u32>(segment, 4) + shift
    let x2 = <usize>load<u32>(segment, 8) + shift
    let x3 = <usize>load<u32>(segment, 12) + shift
    w += <usize>load<u32>(segment, 20) >> 2
    for (const end = w + ((<usize>load<u32>(segment, 16)) << 3); w < end; w += 32) {
      const p = v128.load(w)
      const q = v128.load(w, 16)
      let x = v128.load(x0)
      a0 = madd(x, p, a0)
      b0 = madd(x, q, b0)
      x = v128.load(x1)
      a1 = madd(x, p, a1)
      b1 = madd(x, q, b1)
      x = v128.load(x2)
      a2 = madd(x, p, a2)
      b2 = madd(x, q, b2)
      x = v128.load(x3)
      a3 = madd(x, p, a3)
      b3 = madd(x, q, b3)
      x0 += 16
      x1 += 16
      x2 += 16
      x3 += 16
    }
  }
  v128.store(to, sumsOf(a0, a1, a2, a3))
  v128.store(to, sumsOf(b0, b1, b2, b3), 16)
}

/** The sums of four vectors' lanes. */
function sumsOf(a: v128, b: v128, c: v128, d: v128): v128 {
  const ab = f32x4.add(v128.shuffle<f32>(a, b, 0, 4, 1, 5), v128.shuffle<f32>(a, b, 2, 6, 3, 7))
  const cd = f32x4.add(v128.shuffle<f32>(c, d, 0, 4, 1, 5), v128.shuffle<f32>(c, d, 2, 6, 3, 7))
  return f32x4.add(v128.shuffle<f32>(ab, cd, 0, 1, 4, 5), v128.shuffle<f32>(ab, cd, 2, 3, 6, 7))
}
