import { madd } from './madd'

/**
 * Bare matrix products, for operands that are packed anyway: no table of addresses, no epilogue. Rows come in groups of
 * ROWS, interleaved, so that one pointer walks them; weights in panels of 8 columns, as tile.ts has them.
 */

/** Rows of a group: as many as the registers hold, which with a fused multiply-add is one pair more. */
export const ROWS: u32 = ASC_FEATURE_RELAXED_SIMD ? 6 : 4

/**
 * y[row][0..8) = x[row] . w for one group, of which the first `rows` count, and one panel; rows of y lie `step` bytes
 * apart, and up to ROWS of them are written.
 */
export function product(x: usize, w: usize, inner: u32, y: usize, step: usize, rows: u32): void {
  if (ROWS == 6 && rows > 4) sixRows(x, w, inner, y, step)
  else fourRows(x, w, inner, y, step)
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
  for (const end = w + ((<usize>inner) << 5); w < end; w += 32) {
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

function sixRows(x: usize, w: usize, inner: u32, y: usize, step: usize): void {
  let a0 = f32x4.splat(0)
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
  for (const end = w + ((<usize>inner) << 5); w < end; w += 32) {
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
