/**
 * Depthwise sums of four neighbouring columns that lie inside, all channels, for the usual kernels: each input column is
 * loaded once a kernel row for all the sums that read it. A function for each width and stride, because sums and weights
 * stay in registers only where nothing is indexed. `rows` are kernel rows; `xRow`, `xStep`, `pitch` and `yStep` are bytes
 * from one kernel row, input column, kernel position and output column to the next.
 */
import { madd } from '../madd'

export function columns3s1(
  x: usize,
  xRow: usize,
  xStep: usize,
  w: usize,
  pitch: usize,
  rows: u32,
  bias: usize,
  y: usize,
  yStep: usize,
  bytes: usize,
  low: v128,
  high: v128
): void {
  for (const end = bias + bytes; bias < end; bias += 16, x += 16, w += 16, y += 16) {
    let a0 = v128.load(bias)
    let a1 = a0
    let a2 = a0
    let a3 = a0
    let from = x
    let wr = w
    for (let kh = rows; kh > 0; kh--, from += xRow) {
      const w0 = v128.load(wr)
      wr += pitch
      const w1 = v128.load(wr)
      wr += pitch
      const w2 = v128.load(wr)
      wr += pitch
      let at = from
      let v = v128.load(at)
      a0 = madd(v, w0, a0)
      at += xStep
      v = v128.load(at)
      a0 = madd(v, w1, a0)
      a1 = madd(v, w0, a1)
      at += xStep
      v = v128.load(at)
      a0 = madd(v, w2, a0)
      a1 = madd(v, w1, a1)
      a2 = madd(v, w0, a2)
      at += xStep
      v = v128.load(at)
      a1 = madd(v, w2, a1)
      a2 = madd(v, w1, a2)
      a3 = madd(v, w0, a3)
      at += xStep
      v = v128.load(at)
      a2 = madd(v, w2, a2)
      a3 = madd(v, w1, a3)
      at += xStep
      v = v128.load(at)
      a3 = madd(v, w2, a3)
    }
    store4(y, yStep, a0, a1, a2, a3, low, high)
  }
}

export function columns3s2(
  x: usize,
  xRow: usize,
  xStep: usize,
  w: usize,
  pitch: usize,
  rows: u32,
  bias: usize,
  y: usize,
  yStep: usize,
  bytes: usize,
  low: v128,
  high: v128
): void {
  for (const end = bias + bytes; bias < end; bias += 16, x += 16, w += 16, y += 16) {
    let a0 = v128.load(bias)
    let a1 = a0
    let a2 = a0
    let a3 = a0
    let from = x
    let wr = w
    for (let kh = rows; kh > 0; kh--, from += xRow) {
      const w0 = v128.load(wr)
      wr += pitch
      const w1 = v128.load(wr)
      wr += pitch
      const w2 = v128.load(wr)
      wr += pitch
      let at = from
      let v = v128.load(at)
      a0 = madd(v, w0, a0)
      at += xStep
      v = v128.load(at)
      a0 = madd(v, w1, a0)
      at += xStep
      v = v128.load(at)
      a0 = madd(v, w2, a0)
      a1 = madd(v, w0, a1)
      at += xStep
      v = v128.load(at)
      a1 = madd(v, w1, a1)
      at += xStep
      v = v128.load(at)
      a1 = madd(v, w2, a1)
      a2 = madd(v, w0, a2)
      at += xStep
      v = v128.load(at)
      a2 = madd(v, w1, a2)
      at += xStep
      v = v128.load(at)
      a2 = madd(v, w2, a2)
      a3 = madd(v, w0, a3)
      at += xStep
      v = v128.load(at)
      a3 = madd(v, w1, a3)
      at += xStep
      v = v128.load(at)
      a3 = madd(v, w2, a3)
    }
    store4(y, yStep, a0, a1, a2, a3, low, high)
  }
}

export function columns5s1(
  x: usize,
  xRow: usize,
  xStep: usize,
  w: usize,
  pitch: usize,
  rows: u32,
  bias: usize,
  y: usize,
  yStep: usize,
  bytes: usize,
  low: v128,
  high: v128
): void {
  for (const end = bias + bytes; bias < end; bias += 16, x += 16, w += 16, y += 16) {
    let a0 = v128.load(bias)
    let a1 = a0
    let a2 = a0
    let a3 = a0
    let from = x
    let wr = w
    for (let kh = rows; kh > 0; kh--, from += xRow) {
      const w0 = v128.load(wr)
      wr += pitch
      const w1 = v128.load(wr)
      wr += pitch
      const w2 = v128.load(wr)
      wr += pitch
      const w3 = v128.load(wr)
      wr += pitch
      const w4 = v128.load(wr)
      wr += pitch
      let at = from
      let v = v128.load(at)
      a0 = madd(v, w0, a0)
      at += xStep
      v = v128.load(at)
      a0 = madd(v, w1, a0)
      a1 = madd(v, w0, a1)
      at += xStep
      v = v128.load(at)
      a0 = madd(v, w2, a0)
      a1 = madd(v, w1, a1)
      a2 = madd(v, w0, a2)
      at += xStep
      v = v128.load(at)
      a0 = madd(v, w3, a0)
      a1 = madd(v, w2, a1)
      a2 = madd(v, w1, a2)
      a3 = madd(v, w0, a3)
      at += xStep
      v = v128.load(at)
      a0 = madd(v, w4, a0)
      a1 = madd(v, w3, a1)
      a2 = madd(v, w2, a2)
      a3 = madd(v, w1, a3)
      at += xStep
      v = v128.load(at)
      a1 = madd(v, w4, a1)
      a2 = madd(v, w3, a2)
      a3 = madd(v, w2, a3)
      at += xStep
      v = v128.load(at)
      a2 = madd(v, w4, a2)
      a3 = madd(v, w3, a3)
      at += xStep
      v = v128.load(at)
      a3 = madd(v, w4, a3)
    }
    store4(y, yStep, a0, a1, a2, a3, low, high)
  }
}

export function columns5s2(
  x: usize,
  xRow: usize,
  xStep: usize,
  w: usize,
  pitch: usize,
  rows: u32,
  bias: usize,
  y: usize,
  yStep: usize,
  bytes: usize,
  low: v128,
  high: v128
): void {
  for (const end = bias + bytes; bias < end; bias += 16, x += 16, w += 16, y += 16) {
    let a0 = v128.load(bias)
    let a1 = a0
    let a2 = a0
    let a3 = a0
    let from = x
    let wr = w
    for (let kh = rows; kh > 0; kh--, from += xRow) {
      const w0 = v128.load(wr)
      wr += pitch
      const w1 = v128.load(wr)
      wr += pitch
      const w2 = v128.load(wr)
      wr += pitch
      const w3 = v128.load(wr)
      wr += pitch
      const w4 = v128.load(wr)
      wr += pitch
      let at = from
      let v = v128.load(at)
      a0 = madd(v, w0, a0)
      at += xStep
      v = v128.load(at)
      a0 = madd(v, w1, a0)
      at += xStep
      v = v128.load(at)
      a0 = madd(v, w2, a0)
      a1 = madd(v, w0, a1)
      at += xStep
      v = v128.load(at)
      a0 = madd(v, w3, a0)
      a1 = madd(v, w1, a1)
      at += xStep
      v = v128.load(at)
      a0 = madd(v, w4, a0)
      a1 = madd(v, w2, a1)
      a2 = madd(v, w0, a2)
      at += xStep
      v = v128.load(at)
      a1 = madd(v, w3, a1)
      a2 = madd(v, w1, a2)
      at += xStep
      v = v128.load(at)
      a1 = madd(v, w4, a1)
      a2 = madd(v, w2, a2)
      a3 = madd(v, w0, a3)
      at += xStep
      v = v128.load(at)
      a2 = madd(v, w3, a2)
      a3 = madd(v, w1, a3)
      at += xStep
      v = v128.load(at)
      a2 = madd(v, w4, a2)
      a3 = madd(v, w2, a3)
      at += xStep
      v = v128.load(at)
      a3 = madd(v, w3, a3)
      at += xStep
      v = v128.load(at)
      a3 = madd(v, w4, a3)
    }
    store4(y, yStep, a0, a1, a2, a3, low, high)
  }
}

export function store4(y: usize, yStep: usize, a0: v128, a1: v128, a2: v128, a3: v128, low: v128, high: v128): void {
  v128.store(y, f32x4.pmin(f32x4.pmax(a0, low), high))
  v128.store(y + yStep, f32x4.pmin(f32x4.pmax(a1, low), high))
  v128.store(y + yStep * 2, f32x4.pmin(f32x4.pmax(a2, low), high))
  v128.store(y + yStep * 3, f32x4.pmin(f32x4.pmax(a3, low), high))
}
