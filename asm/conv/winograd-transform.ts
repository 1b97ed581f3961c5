import { ROWS } from '../dense/product'
import { storeColumns } from '../dense/tile'
import { activate, CLIP, lowerBound, PRELU, upperBound } from '../elementwise/activation'
import { Epilogue, RESIDUAL_AFTER, RESIDUAL_BEFORE } from '../elementwise/epilogue'
import { loadLanes } from '../lanes'
import { statics } from '../thread'
import { WinogradParams } from './winograd-params'

/**
 * The transforms of asm/conv/winograd.ts, four channels of a tile at a time, on the way through the thread's statics: tiles
 * are polynomials at the points 0, 1, -1 and infinity, or 0, NEAR, -NEAR, FAR, -FAR and infinity.
 */

/**
 * The roots of 1/2 and 2: their powers stay nearer to 1 than those of 1 and 2, which halves the error (Barabasz et al.
 * 2020, arXiv 1803.10986, on the choice of points), and the products of their squares are short.
 */
export const NEAR: f32 = 0.70710678118654752
export const FAR: f32 = 1.4142135623730951

/** Bytes of a row of the 6x6 vectors that a tile takes between the two passes of a transform. */
const ROW: usize = 6 * 16
const PASS: usize = 6 * ROW

/** Vectors of the last channels read what lies behind them; `v` takes only what is there. */
export function transformInput(
  p: WinogradParams,
  m: u32,
  side: u32,
  x: usize,
  tile: u32,
  across: u32,
  v: usize,
  vStep: usize
): void {
  const h0 = <i32>((tile / across) * m) - <i32>p.padH
  const w0 = <i32>((tile % across) * m) - <i32>p.padW
  const inside = h0 >= 0 && w0 >= 0 && h0 + <i32>side <= <i32>p.inH && w0 + <i32>side <= <i32>p.inW
  const xRow = <usize>p.xH * 4
  const xColumn = <usize>p.xW * 4
  const memory = statics()
  let from = x + <usize>(h0 * <i32>p.xH + w0 * <i32>p.xW) * 4
  for (let c: u32 = 0; c < p.channels; c += 4, from += 16, v += ROWS * 16) {
    let row = from
    let to = memory
    for (let i: u32 = 0; i < side; i++, row += xRow, to += ROW) {
      let at = row
      if (inside) {
        for (let j: u32 = 0; j < side; j++, at += xColumn) v128.store(to + (j << 4), v128.load(at))
      } else {
        const hit = <u32>(h0 + <i32>i) < p.inH
        for (let j: u32 = 0; j < side; j++, at += xColumn)
          v128.store(to + (j << 4), hit && <u32>(w0 + <i32>j) < p.inW ? v128.load(at) : f32x4.splat(0))
      }
    }
    const count = min(p.channels - c, 4)
    if (side == 4) inputFour(memory, v, vStep, count)
    else inputSix(memory, v, vStep, count)
  }
}

/** Four channels of a tile to their place among the rows of a group. */
function storeRow(v: usize, value: v128, count: u32): void {
  v128.store32_lane(v, value, 0)
  if (count > 1) v128.store32_lane(v, value, 1, ROWS * 4)
  if (count > 2) v128.store32_lane(v, value, 2, ROWS * 8)
  if (count > 3) v128.store32_lane(v, value, 3, ROWS * 12)
}

function inputFour(memory: usize, v: usize, vStep: usize, count: u32): void {
  const pass = memory + PASS
  for (let j: usize = 0; j < 4 * 16; j += 16) {
    const d0 = v128.load(memory + j)
    const d1 = v128.load(memory + j, ROW)
    const d2 = v128.load(memory + j, 2 * ROW)
    const d3 = v128.load(memory + j, 3 * ROW)
    v128.store(pass + j, f32x4.sub(d0, d2))
    v128.store(pass + j, f32x4.add(d1, d2), ROW)
    v128.store(pass + j, f32x4.sub(d2, d1), 2 * ROW)
    v128.store(pass + j, f32x4.sub(d1, d3), 3 * ROW)
  }
  for (let i: usize = 0; i < 4; i++) {
    const d = pass + i * ROW
    const d0 = v128.load(d)
    const d1 = v128.load(d, 16)
    const d2 = v128.load(d, 32)
    const d3 = v128.load(d, 48)
    storeRow(v, f32x4.sub(d0, d2), count)
    storeRow(v + vStep, f32x4.add(d1, d2), count)
    storeRow(v + vStep * 2, f32x4.sub(d2, d1), count)
    storeRow(v + vStep * 3, f32x4.sub(d1, d3), count)
    v += vStep * 4
  }
}

/** B^T d B for six points, by columns and then by rows. */
function inputSix(memory: usize, v: usize, vStep: usize, count: u32): void {
  const pass = memory + PASS
  const half = f32x4.splat(0.5)
  const two = f32x4.splat(2)
  const sum = f32x4.splat(2.5)
  const near = f32x4.splat(NEAR)
  const far = f32x4.splat(FAR)
  for (let j: usize = 0; j < ROW; j += 16) {
    const d0 = v128.load(memory + j)
    const d1 = v128.load(memory + j, ROW)
    const d2 = v128.load(memory + j, 2 * ROW)
    const d3 = v128.load(memory + j, 3 * ROW)
    const d4 = v128.load(memory + j, 4 * ROW)
    const d5 = v128.load(memory + j, 5 * ROW)
    const even = f32x4.sub(d4, f32x4.mul(two, d2))
    const odd = f32x4.mul(near, f32x4.sub(d3, f32x4.mul(two, d1)))
    const outer = f32x4.sub(d4, f32x4.mul(half, d2))
    const inner = f32x4.mul(far, f32x4.sub(d3, f32x4.mul(half, d1)))
    v128.store(pass + j, f32x4.add(f32x4.sub(d0, f32x4.mul(sum, d2)), d4))
    v128.store(pass + j, f32x4.add(even, odd), ROW)
    v128.store(pass + j, f32x4.sub(even, odd), 2 * ROW)
    v128.store(pass + j, f32x4.add(outer, inner), 3 * ROW)
    v128.store(pass + j, f32x4.sub(outer, inner), 4 * ROW)
    v128.store(pass + j, f32x4.add(f32x4.sub(d1, f32x4.mul(sum, d3)), d5), 5 * ROW)
  }
  for (let i: usize = 0; i < 6; i++) {
    const d = pass + i * ROW
    const d0 = v128.load(d)
    const d1 = v128.load(d, 16)
    const d2 = v128.load(d, 32)
    const d3 = v128.load(d, 48)
    const d4 = v128.load(d, 64)
    const d5 = v128.load(d, 80)
    const even = f32x4.sub(d4, f32x4.mul(two, d2))
    const odd = f32x4.mul(near, f32x4.sub(d3, f32x4.mul(two, d1)))
    const outer = f32x4.sub(d4, f32x4.mul(half, d2))
    const inner = f32x4.mul(far, f32x4.sub(d3, f32x4.mul(half, d1)))
    storeRow(v, f32x4.add(f32x4.sub(d0, f32x4.mul(sum, d2)), d4), count)
    storeRow(v + vStep, f32x4.add(even, odd), count)
    storeRow(v + vStep * 2, f32x4.sub(even, odd), count)
    storeRow(v + vStep * 3, f32x4.add(outer, inner), count)
    storeRow(v + vStep * 4, f32x4.sub(outer, inner), count)
    storeRow(v + vStep * 5, f32x4.add(f32x4.sub(d1, f32x4.mul(sum, d3)), d5), count)
    v += vStep * 6
  }
}

export function transformOutput(
  p: WinogradParams,
  m: u32,
  side: u32,
  n: u32,
  tile: u32,
  across: u32,
  products: usize,
  mStep: usize,
  bias: usize,
  slope: usize,
  r: usize,
  y: usize
): void {
  const h0 = (tile / across) * m
  const w0 = (tile % across) * m
  const rows = min(m, p.outH - h0)
  const columns = min(m, p.outW - w0)
  const yAt = y + <usize>(n * p.yN + h0 * p.yH + w0 * p.yW) * 4
  const rAt = r + <usize>(n * p.rN + h0 * p.rH + w0 * p.rW) * 4
  const e = changetype<Epilogue>(changetype<usize>(p) + offsetof<WinogradParams>('residual'))
  const simple = e.act <= CLIP && e.residual <= RESIDUAL_BEFORE
  const low = lowerBound(e.act, e.alpha)
  const high = upperBound(e.act, e.beta)
  const memory = statics()
  for (let f: u32 = 0; f < p.filters; f += 4) {
    const count = min(p.filters - f, 4)
    const at = <usize>f * 4
    if (side == 4) outputTwo(memory, products + at, mStep)
    else outputOfSix(m, memory, products + at, mStep)
    const b = v128.load(bias + at)
    for (let i: u32 = 0; i < rows; i++) {
      let from = memory + <usize>i * ROW
      let to = yAt + <usize>(i * p.yH) * 4 + at
      let skip = rAt + <usize>(i * p.rH) * 4 + at
      for (let j: u32 = 0; j < columns; j++, from += 16, to += <usize>p.yW * 4, skip += <usize>p.rW * 4) {
        let sum = f32x4.add(v128.load(from), b)
        if (simple) {
          if (e.residual) sum = f32x4.add(sum, loadLanes(skip, count))
          sum = f32x4.pmin(f32x4.pmax(sum, low), high)
        } else sum = finish(e, sum, slope + at, skip, count)
        if (count == 4) v128.store(to, sum)
        else storeColumns(to, sum, sum, count)
      }
    }
  }
}

function finish(e: Epilogue, v: v128, slope: usize, r: usize, count: u32): v128 {
  const skip = e.residual ? loadLanes(r, count) : f32x4.splat(0)
  if (e.residual == RESIDUAL_BEFORE) v = f32x4.add(v, skip)
  v = activate(e.act, v, e.act == PRELU ? v128.load(slope) : f32x4.splat(e.alpha), f32x4.splat(e.beta))
  return e.residual == RESIDUAL_AFTER ? f32x4.add(v, skip) : v
}

function outputTwo(memory: usize, products: usize, mStep: usize): void {
  const pass = memory + PASS
  for (let i: usize = 0; i < 4; i++) {
    const from = products + i * 4 * mStep
    const m1 = v128.load(from + mStep)
    const m2 = v128.load(from + mStep * 2)
    v128.store(pass + i * ROW, f32x4.add(f32x4.add(v128.load(from), m1), m2))
    v128.store(pass + i * ROW, f32x4.sub(f32x4.sub(m1, m2), v128.load(from + mStep * 3)), 16)
  }
  for (let j: usize = 0; j < 32; j += 16) {
    const m1 = v128.load(pass + j, ROW)
    const m2 = v128.load(pass + j, 2 * ROW)
    v128.store(memory + j, f32x4.add(f32x4.add(v128.load(pass + j), m1), m2))
    v128.store(memory + j, f32x4.sub(f32x4.sub(m1, m2), v128.load(pass + j, 3 * ROW)), ROW)
  }
}

/**
 * A^T m A for four outputs a side, or two, from six points, by rows and then by columns: the outputs as polynomials there,
 * of which the last has the point at infinity. Written out for both passes: as a function of one line it costs a
 * twentieth of the whole convolution.
 */
function outputOfSix(m: u32, memory: usize, products: usize, mStep: usize): void {
  const pass = memory + PASS
  const half = f32x4.splat(0.5)
  const two = f32x4.splat(2)
  const nearPoint = f32x4.splat(NEAR)
  const farPoint = f32x4.splat(FAR)
  for (let i: usize = 0; i < 6; i++) {
    let from = products + i * 6 * mStep
    const m0 = v128.load(from)
    from += mStep
    const m1 = v128.load(from)
    from += mStep
    const m2 = v128.load(from)
    from += mStep
    const m3 = v128.load(from)
    from += mStep
    const m4 = v128.load(from)
    const m5 = v128.load(from + mStep)
    const near = f32x4.add(m1, m2)
    const far = f32x4.add(m3, m4)
    const nearOdd = f32x4.mul(nearPoint, f32x4.sub(m1, m2))
    const farOdd = f32x4.mul(farPoint, f32x4.sub(m3, m4))
    const t = pass + i * ROW
    const second = f32x4.add(nearOdd, farOdd)
    v128.store(t, f32x4.add(m0, f32x4.add(near, far)))
    if (m == 2) v128.store(t, f32x4.add(second, m5), 16)
    else {
      v128.store(t, second, 16)
      v128.store(t, f32x4.add(f32x4.mul(half, near), f32x4.mul(two, far)), 32)
      v128.store(t, f32x4.add(f32x4.add(f32x4.mul(half, nearOdd), f32x4.mul(two, farOdd)), m5), 48)
    }
  }
  for (let j: usize = 0; j < (<usize>m) << 4; j += 16) {
    const m1 = v128.load(pass + j, ROW)
    const m2 = v128.load(pass + j, 2 * ROW)
    const m3 = v128.load(pass + j, 3 * ROW)
    const m4 = v128.load(pass + j, 4 * ROW)
    const m5 = v128.load(pass + j, 5 * ROW)
    const near = f32x4.add(m1, m2)
    const far = f32x4.add(m3, m4)
    const nearOdd = f32x4.mul(nearPoint, f32x4.sub(m1, m2))
    const farOdd = f32x4.mul(farPoint, f32x4.sub(m3, m4))
    const t = memory + j
    const second = f32x4.add(nearOdd, farOdd)
    v128.store(t, f32x4.add(v128.load(pass + j), f32x4.add(near, far)))
    if (m == 2) v128.store(t, f32x4.add(second, m5), ROW)
    else {
      v128.store(t, second, ROW)
      v128.store(t, f32x4.add(f32x4.mul(half, near), f32x4.mul(two, far)), 2 * ROW)
      v128.store(t, f32x4.add(f32x4.add(f32x4.mul(half, nearOdd), f32x4.mul(two, farOdd)), m5), 3 * ROW)
    }
  }
}
