/**
 * Reductions over up to four loops of any strides. Where the kept columns are neighbours in memory, 16, 8 or 4 of them
 * are reduced side by side; else where the reduced elements are neighbours, vectors run along them. Sums collect a
 * few elements in f32 and carry those into f64, so that their precision does not depend on the count.
 */

import { exp, log } from '../elementwise/math'
import { gather } from '../lanes'
import { endOfRun, offsetOf, tripsOf } from '../loops'
import { firstOf, lastOf, worth } from '../thread'

@unmanaged
export class ReduceParams {
  kind: u32
  k0: u32
  k1: u32
  k2: u32
  k3: u32
  x0: u32
  x1: u32
  x2: u32
  x3: u32
  y0: u32
  y1: u32
  y2: u32
  y3: u32
  r0: u32
  r1: u32
  r2: u32
  r3: u32
  s0: u32
  s1: u32
  s2: u32
  s3: u32
}

const SUM: u32 = 0
const MEAN: u32 = 1
const MAX: u32 = 2
const MIN: u32 = 3
const PRODUCT: u32 = 4
const L1: u32 = 5
const L2: u32 = 6
const SUM_OF_SQUARES: u32 = 7
const LOG_OF_SUM: u32 = 8
const LOG_OF_SUM_OF_EXP: u32 = 9

/** Elements that a sum collects in f32 before it carries into f64. */
const CHUNK: u32 = 16

/** Threads divide the kept columns in blocks of sixteen, so that each is reduced the same way wherever a slice ends. */
export function reduce(p: ReduceParams, x: usize, y: usize): void {
  const sideBySide = p.x3 == 1 && p.y3 == 1 && p.kind != LOG_OF_SUM_OF_EXP
  const sizes = changetype<usize>(p) + offsetof<ReduceParams>('k0')
  const unit: u32 = sideBySide ? 16 : 1
  const blocks = (p.k3 + unit - 1) / unit
  const items = tripsOf(3, sizes) * blocks
  const least = worth(unit * p.r0 * p.r1 * p.r2 * p.r3)
  const last = lastOf(items, least)
  for (let i = firstOf(items, least); i < last; ) {
    const end = endOfRun(i, blocks, last)
    const from = x + offsetOf(i / blocks, 3, sizes, sizes + 16)
    const to = y + offsetOf(i / blocks, 3, sizes, sizes + 32)
    let i3 = (i % blocks) * unit
    const stop = min(i3 + (end - i) * unit, p.k3)
    if (sideBySide) {
      const fold = isFold(p.kind)
      const wide: u32 = fold ? 8 : 16
      // The last ones may repeat columns that are done.
      if (p.k3 >= wide && p.kind <= PRODUCT)
        for (; i3 < stop; i3 += wide) {
          const first = min(i3, p.k3 - wide) << 2
          if (fold) fold8(p, from + first, to + first)
          else sum16(p, from + first, to + first)
        }
      if (!fold) for (; i3 + 4 <= stop; i3 += 4) sum4(p, from + (i3 << 2), to + (i3 << 2))
    }
    for (; i3 < stop; i3++) store<f32>(to + ((i3 * p.y3) << 2), reduce1(p, from + ((i3 * p.x3) << 2)))
    i = end
  }
}

function finish(p: ReduceParams, sum: f64): f32 {
  if (p.kind == MEAN) return <f32>(sum / (<f64>p.r0 * <f64>p.r1 * <f64>p.r2 * <f64>p.r3))
  if (p.kind == L2) return <f32>Math.sqrt(sum)
  if (p.kind == LOG_OF_SUM) return logOf(<f32>sum)
  return <f32>sum
}

function expOf(x: f32): f32 {
  return f32x4.extract_lane(exp(f32x4.splat(x)), 0)
}

function logOf(x: f32): f32 {
  return f32x4.extract_lane(log(f32x4.splat(x)), 0)
}

function isFold(kind: u32): bool {
  return kind >= MAX && kind <= PRODUCT
}

/** Of a and b, where NaN in b counts for nothing. */
function fold4(kind: u32, a: v128, b: v128): v128 {
  if (kind == MAX) return f32x4.pmax(a, b)
  if (kind == MIN) return f32x4.pmin(a, b)
  return f32x4.mul(a, b)
}

function isNaN4(v: v128): v128 {
  return f32x4.ne(v, v)
}

function fold1(kind: u32, a: f32, b: f32): f32 {
  if (kind == MAX) return max<f32>(a, b)
  if (kind == MIN) return min<f32>(a, b)
  return a * b
}

function neutral(kind: u32): f32 {
  return kind == MAX ? -Infinity : kind == MIN ? Infinity : 1
}

/** What a sum adds for an element: itself, its size or its square. */
function term4(kind: u32, v: v128): v128 {
  if (kind == L1) return f32x4.abs(v)
  if (kind == L2 || kind == SUM_OF_SQUARES) return f32x4.mul(v, v)
  return v
}

function term1(kind: u32, v: f32): f64 {
  if (kind == L1) return abs<f64>(v)
  if (kind == L2 || kind == SUM_OF_SQUARES) return <f64>v * <f64>v
  return v
}

function lowHalf(v: v128): v128 {
  return f64x2.promote_low_f32x4(v)
}

function highHalf(v: v128): v128 {
  return f64x2.promote_low_f32x4(i64x2.shuffle(v, v, 1, 1))
}

function sum16(p: ReduceParams, from: usize, to: usize): void {
  const step = p.s3 << 2
  const zero = f64x2.splat(0)
  let t0 = zero
  let t1 = zero
  let t2 = zero
  let t3 = zero
  let t4 = zero
  let t5 = zero
  let t6 = zero
  let t7 = zero
  for (let i0: u32 = 0; i0 < p.r0; i0++) {
    for (let i1: u32 = 0; i1 < p.r1; i1++) {
      for (let i2: u32 = 0; i2 < p.r2; i2++) {
        let at = from + ((i0 * p.s0 + i1 * p.s1 + i2 * p.s2) << 2)
        for (let left = p.r3; left > 0; ) {
          const count = min(left, CHUNK)
          left -= count
          let a0 = f32x4.splat(0)
          let a1 = a0
          let a2 = a0
          let a3 = a0
          for (let i = count; i > 0; i--, at += step) {
            a0 = f32x4.add(a0, v128.load(at))
            a1 = f32x4.add(a1, v128.load(at, 16))
            a2 = f32x4.add(a2, v128.load(at, 32))
            a3 = f32x4.add(a3, v128.load(at, 48))
          }
          t0 = f64x2.add(t0, lowHalf(a0))
          t1 = f64x2.add(t1, highHalf(a0))
          t2 = f64x2.add(t2, lowHalf(a1))
          t3 = f64x2.add(t3, highHalf(a1))
          t4 = f64x2.add(t4, lowHalf(a2))
          t5 = f64x2.add(t5, highHalf(a2))
          t6 = f64x2.add(t6, lowHalf(a3))
          t7 = f64x2.add(t7, highHalf(a3))
        }
      }
    }
  }
  finish4(p, to, t0, t1)
  finish4(p, to + 16, t2, t3)
  finish4(p, to + 32, t4, t5)
  finish4(p, to + 48, t6, t7)
}

function finish4(p: ReduceParams, to: usize, low: v128, high: v128): void {
  if (p.kind <= MEAN) {
    const count: f64 = p.kind == MEAN ? <f64>p.r0 * <f64>p.r1 * <f64>p.r2 * <f64>p.r3 : 1
    const factor = f64x2.splat(1 / count)
    const front = f32x4.demote_f64x2_zero(f64x2.mul(low, factor))
    const back = f32x4.demote_f64x2_zero(f64x2.mul(high, factor))
    v128.store(to, i64x2.shuffle(front, back, 0, 2))
    return
  }
  store<f32>(to, finish(p, f64x2.extract_lane(low, 0)))
  store<f32>(to, finish(p, f64x2.extract_lane(low, 1)), 4)
  store<f32>(to, finish(p, f64x2.extract_lane(high, 0)), 8)
  store<f32>(to, finish(p, f64x2.extract_lane(high, 1)), 12)
}

/** Eight columns of maxima, minima or products. What passes NaN on costs seven instructions: it is looked for beside it. */
function fold8(p: ReduceParams, from: usize, to: usize): void {
  const kind = p.kind
  const step = p.s3 << 2
  let a = f32x4.splat(neutral(kind))
  let b = a
  let spoilt = f32x4.splat(0)
  let spoiltToo = spoilt
  for (let i0: u32 = 0; i0 < p.r0; i0++) {
    for (let i1: u32 = 0; i1 < p.r1; i1++) {
      for (let i2: u32 = 0; i2 < p.r2; i2++) {
        let at = from + ((i0 * p.s0 + i1 * p.s1 + i2 * p.s2) << 2)
        for (let i = p.r3; i > 0; i--, at += step) {
          const v = v128.load(at)
          const w = v128.load(at, 16)
          a = fold4(kind, a, v)
          b = fold4(kind, b, w)
          spoilt = v128.or(spoilt, isNaN4(v))
          spoiltToo = v128.or(spoiltToo, isNaN4(w))
        }
      }
    }
  }
  // All bits set are a NaN.
  v128.store(to, v128.or(a, spoilt))
  v128.store(to, v128.or(b, spoiltToo), 16)
}

function sum4(p: ReduceParams, from: usize, to: usize): void {
  const kind = p.kind
  const step = p.s3 << 2
  let low = f64x2.splat(0)
  let high = low
  for (let i0: u32 = 0; i0 < p.r0; i0++) {
    for (let i1: u32 = 0; i1 < p.r1; i1++) {
      for (let i2: u32 = 0; i2 < p.r2; i2++) {
        let at = from + ((i0 * p.s0 + i1 * p.s1 + i2 * p.s2) << 2)
        for (let left = p.r3; left > 0; ) {
          const count = min(left, CHUNK)
          left -= count
          let sum = f32x4.splat(0)
          for (let i = count; i > 0; i--, at += step) sum = f32x4.add(sum, term4(kind, v128.load(at)))
          low = f64x2.add(low, lowHalf(sum))
          high = f64x2.add(high, highHalf(sum))
        }
      }
    }
  }
  finish4(p, to, low, high)
}

function reduce1(p: ReduceParams, from: usize): f32 {
  const kind = p.kind
  if (kind == LOG_OF_SUM_OF_EXP) return logOfSumOfExp(p, from)
  if (isFold(kind)) return foldAll(p, from, kind)
  let sum: f64 = 0
  for (let i0: u32 = 0; i0 < p.r0; i0++) {
    for (let i1: u32 = 0; i1 < p.r1; i1++) {
      for (let i2: u32 = 0; i2 < p.r2; i2++) {
        const at = from + ((i0 * p.s0 + i1 * p.s1 + i2 * p.s2) << 2)
        sum += p.s3 == 1 ? sumRun(at, p.r3, kind) : sumSteps(at, p.r3, p.s3 << 2, kind)
      }
    }
  }
  return finish(p, sum)
}

function sumRun(at: usize, count: u32, kind: u32): f64 {
  let total = f64x2.splat(0)
  let left = count
  while (left >= 16) {
    let a = f32x4.splat(0)
    let b = a
    let c = a
    let d = a
    const fours = min(left >> 4, CHUNK)
    left -= fours << 4
    for (let i = fours; i > 0; i--, at += 64) {
      a = f32x4.add(a, term4(kind, v128.load(at)))
      b = f32x4.add(b, term4(kind, v128.load(at, 16)))
      c = f32x4.add(c, term4(kind, v128.load(at, 32)))
      d = f32x4.add(d, term4(kind, v128.load(at, 48)))
    }
    const sum = f64x2.add(f64x2.add(halves(a), halves(b)), f64x2.add(halves(c), halves(d)))
    total = f64x2.add(total, sum)
  }
  for (; left >= 4; left -= 4, at += 16) total = f64x2.add(total, halves(term4(kind, v128.load(at))))
  return f64x2.extract_lane(total, 0) + f64x2.extract_lane(total, 1) + sumSteps(at, left, 4, kind)
}

/** The sums of the lanes of each half's place. */
function halves(v: v128): v128 {
  return f64x2.add(lowHalf(v), highHalf(v))
}

function sumSteps(at: usize, count: u32, step: u32, kind: u32): f64 {
  let sum: f64 = 0
  for (let i = count; i > 0; i--, at += step) sum += term1(kind, load<f32>(at))
  return sum
}

function foldAll(p: ReduceParams, from: usize, kind: u32): f32 {
  let best = neutral(kind)
  for (let i0: u32 = 0; i0 < p.r0; i0++) {
    for (let i1: u32 = 0; i1 < p.r1; i1++) {
      for (let i2: u32 = 0; i2 < p.r2; i2++) {
        let at = from + ((i0 * p.s0 + i1 * p.s1 + i2 * p.s2) << 2)
        let left = p.r3
        if (p.s3 == 1 && left >= 4) {
          best = fold1(kind, best, foldRun(at, left >> 2, kind))
          at += (left & ~3) << 2
          left &= 3
        }
        for (; left > 0; left--, at += p.s3 << 2) best = fold1(kind, best, load<f32>(at))
      }
    }
  }
  return best
}

/** Of so many fours that follow each other; NaN where one is. */
function foldRun(at: usize, fours: u32, kind: u32): f32 {
  let a = f32x4.splat(neutral(kind))
  let b = a
  let spoilt = f32x4.splat(0)
  for (; fours >= 2; fours -= 2, at += 32) {
    const v = v128.load(at)
    const w = v128.load(at, 16)
    a = fold4(kind, a, v)
    b = fold4(kind, b, w)
    spoilt = v128.or(spoilt, v128.or(isNaN4(v), isNaN4(w)))
  }
  if (fours) {
    const v = v128.load(at)
    a = fold4(kind, a, v)
    spoilt = v128.or(spoilt, isNaN4(v))
  }
  if (v128.any_true(spoilt)) return NaN
  a = fold4(kind, a, b)
  a = fold4(kind, a, i64x2.shuffle(a, a, 1, 0))
  return f32x4.extract_lane(fold4(kind, a, i32x4.shuffle(a, a, 1, 0, 3, 2)), 0)
}

function logOfSumOfExp(p: ReduceParams, from: usize): f32 {
  const largest = foldAll(p, from, MAX)
  if (!isFinite<f32>(largest)) return largest
  let sum: f64 = 0
  for (let i0: u32 = 0; i0 < p.r0; i0++) {
    for (let i1: u32 = 0; i1 < p.r1; i1++) {
      for (let i2: u32 = 0; i2 < p.r2; i2++) {
        let at = from + ((i0 * p.s0 + i1 * p.s1 + i2 * p.s2) << 2)
        const step = p.s3 << 2
        let left = p.r3
        for (; left >= 4; left -= 4, at += step << 2) {
          const four = halves(exp(f32x4.sub(gather(at, step, 4), f32x4.splat(largest))))
          sum += f64x2.extract_lane(four, 0) + f64x2.extract_lane(four, 1)
        }
        for (; left > 0; left--, at += step) sum += expOf(load<f32>(at) - largest)
      }
    }
  }
  return largest + logOf(<f32>sum)
}
