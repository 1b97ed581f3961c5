/**
 * Depthwise sums as in depthwise-columns.ts, of eight channels at a time, for the wide binary (asm/dense/wide.ts); `bytes` is a
 * multiple of 32.
 */
import { madd } from '../madd'

export function pairs3s1(
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
  for (const end = bias + bytes; bias < end; bias += 32, x += 32, w += 32, y += 32) {
    let a0 = v128.load(bias)
    let b0 = v128.load(bias, 16)
    let a1 = a0
    let b1 = b0
    let a2 = a0
    let b2 = b0
    let a3 = a0
    let b3 = b0
    let from = x
    let wr = w
    for (let kh = rows; kh > 0; kh--, from += xRow) {
      const p0 = v128.load(wr)
      const q0 = v128.load(wr, 16)
      wr += pitch
      const p1 = v128.load(wr)
      const q1 = v128.load(wr, 16)
      wr += pitch
      const p2 = v128.load(wr)
      const q2 = v128.load(wr, 16)
      wr += pitch
      let at = from
      let v = v128.load(at)
      let u = v128.load(at, 16)
      a0 = madd(v, p0, a0)
      b0 = madd(u, q0, b0)
      at += xStep
      v = v128.load(at)
      u = v128.load(at, 16)
      a0 = madd(v, p1, a0)
      b0 = madd(u, q1, b0)
      a1 = madd(v, p0, a1)
      b1 = madd(u, q0, b1)
      at += xStep
      v = v128.load(at)
      u = v128.load(at, 16)
      a0 = madd(v, p2, a0)
      b0 = madd(u, q2, b0)
      a1 = madd(v, p1, a1)
      b1 = madd(u, q1, b1)
      a2 = madd(v, p0, a2)
      b2 = madd(u, q0, b2)
      at += xStep
      v = v128.load(at)
      u = v128.load(at, 16)
      a1 = madd(v, p2, a1)
      b1 = madd(u, q2, b1)
      a2 = madd(v, p1, a2)
      b2 = madd(u, q1, b2)
      a3 = madd(v, p0, a3)
      b3 = madd(u, q0, b3)
      at += xStep
      v = v128.load(at)
      u = v128.load(at, 16)
      a2 = madd(v, p2, a2)
      b2 = madd(u, q2, b2)
      a3 = madd(v, p1, a3)
      b3 = madd(u, q1, b3)
      at += xStep
      v = v128.load(at)
      u = v128.load(at, 16)
      a3 = madd(v, p2, a3)
      b3 = madd(u, q2, b3)
    }
    storeFour(y, yStep, a0, b0, a1, b1, a2, b2, a3, b3, low, high)
  }
}

export function pairs3s2(
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
  for (const end = bias + bytes; bias < end; bias += 32, x += 32, w += 32, y += 32) {
    let a0 = v128.load(bias)
    let b0 = v128.load(bias, 16)
    let a1 = a0
    let b1 = b0
    let a2 = a0
    let b2 = b0
    let a3 = a0
    let b3 = b0
    let from = x
    let wr = w
    for (let kh = rows; kh > 0; kh--, from += xRow) {
      const p0 = v128.load(wr)
      const q0 = v128.load(wr, 16)
      wr += pitch
      const p1 = v128.load(wr)
      const q1 = v128.load(wr, 16)
      wr += pitch
      const p2 = v128.load(wr)
      const q2 = v128.load(wr, 16)
      wr += pitch
      let at = from
      let v = v128.load(at)
      let u = v128.load(at, 16)
      a0 = madd(v, p0, a0)
      b0 = madd(u, q0, b0)
      at += xStep
      v = v128.load(at)
      u = v128.load(at, 16)
      a0 = madd(v, p1, a0)
      b0 = madd(u, q1, b0)
      at += xStep
      v = v128.load(at)
      u = v128.load(at, 16)
      a0 = madd(v, p2, a0)
      b0 = madd(u, q2, b0)
      a1 = madd(v, p0, a1)
      b1 = madd(u, q0, b1)
      at += xStep
      v = v128.load(at)
      u = v128.load(at, 16)
      a1 = madd(v, p1, a1)
      b1 = madd(u, q1, b1)
      at += xStep
      v = v128.load(at)
      u = v128.load(at, 16)
      a1 = madd(v, p2, a1)
      b1 = madd(u, q2, b1)
      a2 = madd(v, p0, a2)
      b2 = madd(u, q0, b2)
      at += xStep
      v = v128.load(at)
      u = v128.load(at, 16)
      a2 = madd(v, p1, a2)
      b2 = madd(u, q1, b2)
      at += xStep
      v = v128.load(at)
      u = v128.load(at, 16)
      a2 = madd(v, p2, a2)
      b2 = madd(u, q2, b2)
      a3 = madd(v, p0, a3)
      b3 = madd(u, q0, b3)
      at += xStep
      v = v128.load(at)
      u = v128.load(at, 16)
      a3 = madd(v, p1, a3)
      b3 = madd(u, q1, b3)
      at += xStep
      v = v128.load(at)
      u = v128.load(at, 16)
      a3 = madd(v, p2, a3)
      b3 = madd(u, q2, b3)
    }
    storeFour(y, yStep, a0, b0, a1, b1, a2, b2, a3, b3, low, high)
  }
}

/** Any kernel width, stride and dilation: `tap` and `step` are bytes from a kernel column to the next, and from a sum to the next. */
export function pairs(
  x: usize,
  xRow: usize,
  tap: usize,
  step: usize,
  w: usize,
  pitch: usize,
  rows: u32,
  width: u32,
  bias: usize,
  y: usize,
  yStep: usize,
  bytes: usize,
  low: v128,
  high: v128
): void {
  for (const end = bias + bytes; bias < end; bias += 32, x += 32, w += 32, y += 32) {
    let a0 = v128.load(bias)
    let b0 = v128.load(bias, 16)
    let a1 = a0
    let b1 = b0
    let a2 = a0
    let b2 = b0
    let a3 = a0
    let b3 = b0
    let from = x
    let wr = w
    for (let kh = rows; kh > 0; kh--, from += xRow) {
      let first = from
      for (let kw = width; kw > 0; kw--, first += tap, wr += pitch) {
        const p = v128.load(wr)
        const q = v128.load(wr, 16)
        let at = first
        a0 = madd(v128.load(at), p, a0)
        b0 = madd(v128.load(at, 16), q, b0)
        at += step
        a1 = madd(v128.load(at), p, a1)
        b1 = madd(v128.load(at, 16), q, b1)
        at += step
        a2 = madd(v128.load(at), p, a2)
        b2 = madd(v128.load(at, 16), q, b2)
        at += step
        a3 = madd(v128.load(at), p, a3)
        b3 = madd(v128.load(at, 16), q, b3)
      }
    }
    storeFour(y, yStep, a0, b0, a1, b1, a2, b2, a3, b3, low, high)
  }
}

function storeFour(
  y: usize,
  yStep: usize,
  a0: v128,
  b0: v128,
  a1: v128,
  b1: v128,
  a2: v128,
  b2: v128,
  a3: v128,
  b3: v128,
  low: v128,
  high: v128
): void {
  v128.store(y, f32x4.pmin(f32x4.pmax(a0, low), high))
  v128.store(y, f32x4.pmin(f32x4.pmax(b0, low), high), 16)
  y += yStep
  v128.store(y, f32x4.pmin(f32x4.pmax(a1, low), high))
  v128.store(y, f32x4.pmin(f32x4.pmax(b1, low), high), 16)
  y += yStep
  v128.store(y, f32x4.pmin(f32x4.pmax(a2, low), high))
  v128.store(y, f32x4.pmin(f32x4.pmax(b2, low), high), 16)
  y += yStep
  v128.store(y, f32x4.pmin(f32x4.pmax(a3, low), high))
  v128.store(y, f32x4.pmin(f32x4.pmax(b3, low), high), 16)
}
