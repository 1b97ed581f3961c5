/**
 * Max, average and sum pooling, channels innermost. Each window is clipped to the input once, then runs over its taps
 * with 16 channels in registers. Means add up row by row, so that large windows keep their precision. A maximum that
 * passes NaN on costs seven instructions: windows are taken by pmax, and summed beside it, and those whose sum is NaN
 * (for NaN, or infinities of both signs) are taken once more, as ONNX has it. Of large windows that overlap, columns are taken
 * once for all that they are in (pool-columns.ts).
 */
import { firstOf, lastOf, worth } from '../thread'
import { columnsOfRow, hasColumns } from './pool-columns'
import { firstTap, PoolParams, tapsBefore } from './pool-params'

export function pool(p: PoolParams, x: usize, y: usize): void {
  const rows = p.batch * p.y0 * p.y1
  const least = worth(p.y2 * p.channels * p.k0 * p.k1 * p.k2)
  const last = lastOf(rows, least)
  for (let row = firstOf(rows, least); row < last; row++) {
    const o1 = row % p.y1
    const o0 = (row / p.y1) % p.y0
    const n = row / p.y1 / p.y0
    poolRow(p, x + ((n * p.xBatch) << 2), y + ((n * p.yBatch + o0 * p.o0 + o1 * p.o1) << 2), o0, o1)
  }
}

/** The output row of depth o0 and height o1 of an image. */
function poolRow(p: PoolParams, x: usize, to: usize, o0: u32, o1: u32): void {
  const at0 = <i32>(o0 * p.s0 - p.b0)
  const first0 = firstTap(at0, p.d0)
  const n0 = tapsBefore(at0, p.x0, p.k0, p.d0) - first0
  const all0 = tapsBefore(at0, p.x0 + p.e0, p.k0, p.d0)
  const at1 = <i32>(o1 * p.s1 - p.b1)
  const first1 = firstTap(at1, p.d1)
  const n1 = tapsBefore(at1, p.x1, p.k1, p.d1) - first1
  const all1 = tapsBefore(at1, p.x1 + p.e1, p.k1, p.d1)
  const row = x + (((at0 + first0 * p.d0) * p.i0 + (at1 + first1 * p.d1) * p.i1) << 2)
  if (hasColumns(p, n0)) {
    const first = <u32>(at0 + first0 * p.d0) * p.i0 + <u32>(at1 + first1 * p.d1) * p.i1
    columnsOfRow(p, x + ((<usize>first) << 2), to, n1, p.kind == 1 ? n1 : all0 * all1)
    return
  }
  const slides = n0 == 1 && n1 == 3 && p.k2 == 3 && p.s2 == 1 && p.d2 == 1 && p.channels >= 8
  for (let o2: u32 = 0; o2 < p.y2; o2++, to += p.o2 << 2) {
    const at2 = <i32>(o2 * p.s2 - p.b2)
    const first2 = firstTap(at2, p.d2)
    const n2 = tapsBefore(at2, p.x2, p.k2, p.d2) - first2
    const from = row + (((at2 + first2 * p.d2) * p.i2) << 2)
    if (p.kind == 0) {
      maxWindow(p, from, to, n0, n1, n2)
    } else {
      const all2 = tapsBefore(at2, p.x2 + p.e2, p.k2, p.d2)
      const count = p.kind == 3 ? 1 : p.kind == 1 ? n0 * n1 * n2 : all0 * all1 * all2
      const share = <f32>1 / <f32>max(count, 1)
      if (slides && n2 == 3) {
        // All windows up to the one that ends with the input.
        const run = min(p.x2 - <u32>at2 - 2, p.y2 - o2)
        meanColumns(p, from, to, run, share)
        o2 += run - 1
        to += ((run - 1) * p.o2) << 2
      } else meanWindow(p, from, to, n0, n1, n2, share)
    }
  }
}

/** The next block of `size` channels begins at `c`; the last one may repeat channels that are done. */
function block(c: u32, size: u32, channels: u32): u32 {
  return min(c, channels - size)
}

function maxWindow(p: PoolParams, from: usize, to: usize, n0: i32, n1: i32, n2: i32): void {
  const step0 = (p.d0 * p.i0) << 2
  const step1 = (p.d1 * p.i1) << 2
  const step2 = (p.d2 * p.i2) << 2
  const channels = p.channels
  if (channels >= 8 && n0 == 1 && n1 == 3 && n2 == 3) {
    maxNine(channels, from, to, step1, step2)
  } else if (channels >= 16) {
    for (let c: u32 = 0; c < channels; c += 16) {
      const at = block(c, 16, channels) << 2
      let m0 = f32x4.splat(-Infinity)
      let m1 = m0
      let m2 = m0
      let m3 = m0
      let s0 = f32x4.splat(0)
      let s1 = s0
      let s2 = s0
      let s3 = s0
      let plane = from + at
      for (let i = n0; i > 0; i--, plane += step0) {
        let row = plane
        for (let j = n1; j > 0; j--, row += step1) {
          let tap = row
          for (let k = n2; k > 0; k--, tap += step2) {
            const v0 = v128.load(tap)
            const v1 = v128.load(tap, 16)
            const v2 = v128.load(tap, 32)
            const v3 = v128.load(tap, 48)
            m0 = f32x4.pmax(m0, v0)
            m1 = f32x4.pmax(m1, v1)
            m2 = f32x4.pmax(m2, v2)
            m3 = f32x4.pmax(m3, v3)
            s0 = f32x4.add(s0, v0)
            s1 = f32x4.add(s1, v1)
            s2 = f32x4.add(s2, v2)
            s3 = f32x4.add(s3, v3)
          }
        }
      }
      v128.store(to + at, m0)
      v128.store(to + at, m1, 16)
      v128.store(to + at, m2, 32)
      v128.store(to + at, m3, 48)
      if (isNaNIn(f32x4.add(f32x4.add(s0, s1), f32x4.add(s2, s3))))
        maxExactly(16, from + at, to + at, n0, n1, n2, step0, step1, step2)
    }
  } else if (channels >= 4) {
    for (let c: u32 = 0; c < channels; c += 4) {
      const at = block(c, 4, channels) << 2
      store<v128>(to + at, maxTaps<v128>(f32x4.splat(-Infinity), from + at, n0, n1, n2, step0, step1, step2))
    }
  } else
    for (let c: u32 = 0; c < channels; c++, from += 4, to += 4)
      store<f32>(to, maxTaps<f32>(-Infinity, from, n0, n1, n2, step0, step1, step2))
}

/** The window that most networks have, without loops over its taps. */
function maxNine(channels: u32, from: usize, to: usize, step1: u32, step2: u32): void {
  for (let c: u32 = 0; c < channels; c += 8) {
    const at = block(c, 8, channels) << 2
    let row = from + at
    let m0 = f32x4.splat(-Infinity)
    let m1 = m0
    let s0 = f32x4.splat(0)
    let s1 = s0
    for (let i = 3; i > 0; i--, row += step1) {
      const next = row + step2
      const last = next + step2
      const a0 = v128.load(row)
      const a1 = v128.load(row, 16)
      const b0 = v128.load(next)
      const b1 = v128.load(next, 16)
      const c0 = v128.load(last)
      const c1 = v128.load(last, 16)
      m0 = f32x4.pmax(f32x4.pmax(f32x4.pmax(m0, a0), b0), c0)
      m1 = f32x4.pmax(f32x4.pmax(f32x4.pmax(m1, a1), b1), c1)
      s0 = f32x4.add(s0, f32x4.add(f32x4.add(a0, b0), c0))
      s1 = f32x4.add(s1, f32x4.add(f32x4.add(a1, b1), c1))
    }
    v128.store(to + at, m0)
    v128.store(to + at, m1, 16)
    if (isNaNIn(f32x4.add(s0, s1))) maxExactly(8, from + at, to + at, 1, 3, 3, 0, step1, step2)
  }
}

function isNaNIn(v: v128): bool {
  return v128.any_true(f32x4.ne(v, v))
}

/** The maxima of `channels`, a multiple of four, with NaN where a tap is NaN. */
function maxExactly(
  channels: u32,
  from: usize,
  to: usize,
  n0: i32,
  n1: i32,
  n2: i32,
  step0: u32,
  step1: u32,
  step2: u32
): void {
  const bytes = channels << 2
  for (let at: u32 = 0; at < bytes; at += 16)
    store<v128>(to + at, maxTaps<v128>(f32x4.splat(-Infinity), from + at, n0, n1, n2, step0, step1, step2))
}

function maxTaps<T>(least: T, from: usize, n0: i32, n1: i32, n2: i32, step0: u32, step1: u32, step2: u32): T {
  let largest = least
  for (let i = n0; i > 0; i--, from += step0) {
    let row = from
    for (let j = n1; j > 0; j--, row += step1) {
      let tap = row
      for (let k = n2; k > 0; k--, tap += step2) largest = larger<T>(largest, load<T>(tap))
    }
  }
  return largest
}

function meanWindow(p: PoolParams, from: usize, to: usize, n0: i32, n1: i32, n2: i32, share: f32): void {
  const step0 = (p.d0 * p.i0) << 2
  const step1 = (p.d1 * p.i1) << 2
  const step2 = (p.d2 * p.i2) << 2
  const channels = p.channels
  const shares = f32x4.splat(share)
  if (channels >= 16) {
    for (let c: u32 = 0; c < channels; c += 16) {
      const at = block(c, 16, channels) << 2
      let s0 = f32x4.splat(0)
      let s1 = s0
      let s2 = s0
      let s3 = s0
      let plane = from + at
      for (let i = n0; i > 0; i--, plane += step0) {
        let row = plane
        for (let j = n1; j > 0; j--, row += step1) {
          let tap = row
          let r0 = f32x4.splat(0)
          let r1 = r0
          let r2 = r0
          let r3 = r0
          for (let k = n2; k > 0; k--, tap += step2) {
            r0 = f32x4.add(r0, v128.load(tap))
            r1 = f32x4.add(r1, v128.load(tap, 16))
            r2 = f32x4.add(r2, v128.load(tap, 32))
            r3 = f32x4.add(r3, v128.load(tap, 48))
          }
          s0 = f32x4.add(s0, r0)
          s1 = f32x4.add(s1, r1)
          s2 = f32x4.add(s2, r2)
          s3 = f32x4.add(s3, r3)
        }
      }
      v128.store(to + at, f32x4.mul(s0, shares))
      v128.store(to + at, f32x4.mul(s1, shares), 16)
      v128.store(to + at, f32x4.mul(s2, shares), 32)
      v128.store(to + at, f32x4.mul(s3, shares), 48)
    }
  } else if (channels >= 4) {
    for (let c: u32 = 0; c < channels; c += 4) {
      const at = block(c, 4, channels) << 2
      const sum = sumTaps<v128>(f32x4.splat(0), from + at, n0, n1, n2, step0, step1, step2)
      store<v128>(to + at, f32x4.mul(sum, shares))
    }
  } else
    for (let c: u32 = 0; c < channels; c++, from += 4, to += 4)
      store<f32>(to, sumTaps<f32>(0, from, n0, n1, n2, step0, step1, step2) * share)
}

/** Means of `count` neighbouring windows of three columns, whose columns are summed once. */
function meanColumns(p: PoolParams, from: usize, to: usize, count: u32, share: f32): void {
  const step1 = (p.d1 * p.i1) << 2
  const step2 = p.i2 << 2
  const shares = f32x4.splat(share)
  for (let c: u32 = 0; c < p.channels; c += 8) {
    const at = block(c, 8, p.channels) << 2
    let top = from + at
    let out = to + at
    let a0 = columnOf(top, step1)
    let a1 = columnOf(top + 16, step1)
    top += step2
    let b0 = columnOf(top, step1)
    let b1 = columnOf(top + 16, step1)
    for (let i = count; i > 0; i--, out += p.o2 << 2) {
      top += step2
      const c0 = columnOf(top, step1)
      const c1 = columnOf(top + 16, step1)
      v128.store(out, f32x4.mul(f32x4.add(f32x4.add(a0, b0), c0), shares))
      v128.store(out, f32x4.mul(f32x4.add(f32x4.add(a1, b1), c1), shares), 16)
      a0 = b0
      a1 = b1
      b0 = c0
      b1 = c1
    }
  }
}

function columnOf(at: usize, step: usize): v128 {
  return f32x4.add(f32x4.add(v128.load(at), v128.load(at + step)), v128.load(at + 2 * step))
}

function sumTaps<T>(zero: T, from: usize, n0: i32, n1: i32, n2: i32, step0: u32, step1: u32, step2: u32): T {
  let sum = zero
  for (let i = n0; i > 0; i--, from += step0) {
    let row = from
    for (let j = n1; j > 0; j--, row += step1) {
      let tap = row
      let part = zero
      for (let k = n2; k > 0; k--, tap += step2) part = plus<T>(part, load<T>(tap))
      sum = plus<T>(sum, part)
    }
  }
  return sum
}

function larger<T>(a: T, b: T): T {
  if (isVector<T>()) return f32x4.max(a, b)
  return max<T>(a, b)
}

function plus<T>(a: T, b: T): T {
  if (isVector<T>()) return f32x4.add(a, b)
  return a + b
}
