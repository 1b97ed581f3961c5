import { CLIP, clip, HARD_SWISH, hardSwish } from '../elementwise/activation'
import { Epilogue } from '../elementwise/epilogue'
import { madd } from '../madd'
import { activateRows, finishOne, isInline, PANEL, SEGMENT, storeColumns, TABLE_HEAD } from './tile'

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
  let segment = table + TABLE_HEAD
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
  finishFour(table, f32x4.add(a0, b0), f32x4.add(a1, b1), f32x4.add(a2, b2), f32x4.add(a3, b3), slope, at, columns, e)
}

/** Epilogue and store of four rows of up to four columns. */
function finishFour(
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
 * Panels of `columns` columns to lanes of the inner dimension: for each LANES of it a vector of each column. `inner` is a
 * multiple of LANES.
 */
export function packFew(w: usize, inner: u32, columns: u32, to: usize): void {
  for (let k: u32 = 0; k < inner; k += LANES)
    for (let c: u32 = 0; c < columns; c++)
      for (let i: u32 = 0; i < LANES; i++, to += 4) store<f32>(to, load<f32>(w + ((<usize>((k + i) * PANEL + c)) << 2)))
}

/** `rows` rows, four to a tile, times the `columns` columns (1 to FEW) that packFew has packed. */
export function fewColumns(
  tables: usize,
  stride: usize,
  rows: u32,
  w: usize,
  bias: usize,
  slope: usize,
  columns: u32,
  e: Epilogue
): void {
  for (let t: u32 = 0; t < (rows + 3) >> 2; t++) {
    const table = tables + <usize>t * stride
    if (columns == 1) oneColumn(table, w, bias, slope, e)
    else if (columns == 2) twoColumns(table, w, bias, slope, e)
    else threeColumns(table, w, bias, slope, e)
  }
  activateRows(tables, stride, rows, 0, columns, e)
}

function oneColumn(table: usize, w: usize, bias: usize, slope: usize, e: Epilogue): void {
  const zero = f32x4.splat(0)
  let a0 = zero
  let a1 = zero
  let a2 = zero
  let a3 = zero
  let segment = table + TABLE_HEAD
  const last = segment + <usize>load<u32>(table, 32) * SEGMENT
  for (; segment < last; segment += SEGMENT) {
    let x0 = <usize>load<u32>(segment)
    let x1 = <usize>load<u32>(segment, 4)
    let x2 = <usize>load<u32>(segment, 8)
    let x3 = <usize>load<u32>(segment, 12)
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
  const b = v128.load(bias)
  finishFour(
    table,
    f32x4.add(b, sums(a0, zero, zero)),
    f32x4.add(b, sums(a1, zero, zero)),
    f32x4.add(b, sums(a2, zero, zero)),
    f32x4.add(b, sums(a3, zero, zero)),
    slope,
    0,
    1,
    e
  )
}

function twoColumns(table: usize, w: usize, bias: usize, slope: usize, e: Epilogue): void {
  const zero = f32x4.splat(0)
  let a0 = zero
  let a1 = zero
  let a2 = zero
  let a3 = zero
  let b0 = zero
  let b1 = zero
  let b2 = zero
  let b3 = zero
  let segment = table + TABLE_HEAD
  const last = segment + <usize>load<u32>(table, 32) * SEGMENT
  for (; segment < last; segment += SEGMENT) {
    let x0 = <usize>load<u32>(segment)
    let x1 = <usize>load<u32>(segment, 4)
    let x2 = <usize>load<u32>(segment, 8)
    let x3 = <usize>load<u32>(segment, 12)
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
  const b = v128.load(bias)
  finishFour(
    table,
    f32x4.add(b, sums(a0, b0, zero)),
    f32x4.add(b, sums(a1, b1, zero)),
    f32x4.add(b, sums(a2, b2, zero)),
    f32x4.add(b, sums(a3, b3, zero)),
    slope,
    0,
    2,
    e
  )
}

function threeColumns(table: usize, w: usize, bias: usize, slope: usize, e: Epilogue): void {
  const zero = f32x4.splat(0)
  let a0 = zero
  let a1 = zero
  let a2 = zero
  let a3 = zero
  let b0 = zero
  let b1 = zero
  let b2 = zero
  let b3 = zero
  let c0 = zero
  let c1 = zero
  let c2 = zero
  let c3 = zero
  let segment = table + TABLE_HEAD
  const last = segment + <usize>load<u32>(table, 32) * SEGMENT
  for (; segment < last; segment += SEGMENT) {
    let x0 = <usize>load<u32>(segment)
    let x1 = <usize>load<u32>(segment, 4)
    let x2 = <usize>load<u32>(segment, 8)
    let x3 = <usize>load<u32>(segment, 12)
    w += (<usize>load<u32>(segment, 20) >> 3) * 3
    for (const end = w + <usize>load<u32>(segment, 16) * 12; w < end; w += 48) {
      const p = v128.load(w)
      const q = v128.load(w, 16)
      const s = v128.load(w, 32)
      let x = v128.load(x0)
      a0 = madd(x, p, a0)
      b0 = madd(x, q, b0)
      c0 = madd(x, s, c0)
      x = v128.load(x1)
      a1 = madd(x, p, a1)
      b1 = madd(x, q, b1)
      c1 = madd(x, s, c1)
      x = v128.load(x2)
      a2 = madd(x, p, a2)
      b2 = madd(x, q, b2)
      c2 = madd(x, s, c2)
      x = v128.load(x3)
      a3 = madd(x, p, a3)
      b3 = madd(x, q, b3)
      c3 = madd(x, s, c3)
      x0 += 16
      x1 += 16
      x2 += 16
      x3 += 16
    }
  }
  const b = v128.load(bias)
  finishFour(
    table,
    f32x4.add(b, sums(a0, b0, c0)),
    f32x4.add(b, sums(a1, b1, c1)),
    f32x4.add(b, sums(a2, b2, c2)),
    f32x4.add(b, sums(a3, b3, c3)),
    slope,
    0,
    3,
    e
  )
}

/** The sums of three vectors' lanes, in the first three lanes. */
function sums(a: v128, b: v128, c: v128): v128 {
  const ab = f32x4.add(v128.shuffle<f32>(a, b, 0, 4, 1, 5), v128.shuffle<f32>(a, b, 2, 6, 3, 7))
  const cc = f32x4.add(c, v128.shuffle<f32>(c, c, 2, 3, 0, 1))
  return f32x4.add(v128.shuffle<f32>(ab, cc, 0, 1, 4, 4), v128.shuffle<f32>(ab, cc, 2, 3, 5, 5))
}
