/**
 * Softmax and its logarithm. A row that is contiguous runs on vectors along itself; any other runs beside three
 * neighbouring rows, one a lane. The sum of the exponentials is kept in f64. Each element is read before it is
 * written, so y may be x.
 */

import { exp, log } from '../elementwise/math'
import { gather, scatter } from '../lanes'
import { endOfRun, offsetOf, tripsOf } from '../loops'
import { firstOf, lastOf, worth } from '../thread'

@unmanaged
export class SoftmaxParams {
  logarithm: u32
  count: u32
  xStep: u32
  yStep: u32
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
}

export function softmax(p: SoftmaxParams, x: usize, y: usize): void {
  const contiguous = p.xStep == 1 && p.yStep == 1
  const sizes = changetype<usize>(p) + offsetof<SoftmaxParams>('k0')
  const unit: u32 = contiguous ? 1 : 4
  const blocks = (p.k3 + unit - 1) / unit
  const items = tripsOf(3, sizes) * blocks
  const least = worth(8 * unit * p.count)
  const last = lastOf(items, least)
  for (let i = firstOf(items, least); i < last; ) {
    const end = endOfRun(i, blocks, last)
    const from = x + offsetOf(i / blocks, 3, sizes, sizes + 16)
    const to = y + offsetOf(i / blocks, 3, sizes, sizes + 32)
    let i3 = (i % blocks) * unit
    const stop = min(i3 + (end - i) * unit, p.k3)
    for (; i3 < stop; i3 += unit) {
      const row = from + ((i3 * p.x3) << 2)
      if (contiguous) alongRow(p, row, to + ((i3 * p.y3) << 2))
      else fourRows(p, row, to + ((i3 * p.y3) << 2), stop - i3)
    }
    i = end
  }
}

function alongRow(p: SoftmaxParams, x: usize, y: usize): void {
  const count = p.count
  const whole = count & ~3
  const largest = f32x4.splat(largestOf(x, count))
  let low = f64x2.splat(0)
  let high = low
  for (let i: u32 = 0; i < whole; i += 4) {
    const e = exp(f32x4.sub(v128.load(x + (i << 2)), largest))
    if (!p.logarithm) v128.store(y + (i << 2), e)
    low = f64x2.add(low, f64x2.promote_low_f32x4(e))
    high = f64x2.add(high, f64x2.promote_low_f32x4(i64x2.shuffle(e, e, 1, 1)))
  }
  if (whole < count) {
    const left = count - whole
    const e = exp(f32x4.sub(gather(x + (whole << 2), 4, left), largest))
    if (!p.logarithm) scatter(y + (whole << 2), 4, e, left)
    const kept = v128.and(e, i32x4.gt_s(i32x4.splat(left), i32x4(0, 1, 2, 3)))
    low = f64x2.add(low, f64x2.promote_low_f32x4(kept))
    high = f64x2.add(high, f64x2.promote_low_f32x4(i64x2.shuffle(kept, kept, 1, 1)))
  }
  low = f64x2.add(low, high)
  const sum = f32x4.splat(<f32>(f64x2.extract_lane(low, 0) + f64x2.extract_lane(low, 1)))
  const scale = f32x4.div(f32x4.splat(1), sum)
  const shift = log(sum)
  const source = p.logarithm ? x : y
  for (let i: u32 = 0; i < whole; i += 4) {
    v128.store(y + (i << 2), finish(p, v128.load(source + (i << 2)), largest, shift, scale))
  }
  if (whole < count) {
    const v = gather(source + (whole << 2), 4, count - whole)
    scatter(y + (whole << 2), 4, finish(p, v, largest, shift, scale), count - whole)
  }
}

function largestOf(x: usize, count: u32): f32 {
  let largest: f32 = -Infinity
  let i: u32 = 0
  if (count >= 4) {
    let most = v128.load(x)
    for (i = 4; i + 4 <= count; i += 4) most = f32x4.pmax(most, v128.load(x + (i << 2)))
    most = f32x4.pmax(most, i64x2.shuffle(most, most, 1, 0))
    largest = max(f32x4.extract_lane(most, 0), f32x4.extract_lane(most, 1))
  }
  for (; i < count; i++) largest = max(largest, load<f32>(x + (i << 2)))
  return largest
}

function fourRows(p: SoftmaxParams, x: usize, y: usize, rows: u32): void {
  const count = p.count
  const xNext = p.xStep << 2
  const yNext = p.yStep << 2
  const xBeside = p.x3 << 2
  const yBeside = p.y3 << 2
  let largest = f32x4.splat(-Infinity)
  for (let i: u32 = 0; i < count; i++) largest = f32x4.pmax(largest, gather(x + i * xNext, xBeside, rows))
  let low = f64x2.splat(0)
  let high = low
  for (let i: u32 = 0; i < count; i++) {
    const e = exp(f32x4.sub(gather(x + i * xNext, xBeside, rows), largest))
    if (!p.logarithm) scatter(y + i * yNext, yBeside, e, rows)
    low = f64x2.add(low, f64x2.promote_low_f32x4(e))
    high = f64x2.add(high, f64x2.promote_low_f32x4(i64x2.shuffle(e, e, 1, 1)))
  }
  const sum = i64x2.shuffle(f32x4.demote_f64x2_zero(low), f32x4.demote_f64x2_zero(high), 0, 2)
  const scale = f32x4.div(f32x4.splat(1), sum)
  const shift = log(sum)
  const source = p.logarithm ? x : y
  const next = p.logarithm ? xNext : yNext
  const beside = p.logarithm ? xBeside : yBeside
  for (let i: u32 = 0; i < count; i++) {
    const v = gather(source + i * next, beside, rows)
    scatter(y + i * yNext, yBeside, finish(p, v, largest, shift, scale), rows)
  }
}

/** From the exponential to its share, or from the element to the logarithm of its share. */
function finish(p: SoftmaxParams, v: v128, largest: v128, shift: v128, scale: v128): v128 {
  return p.logarithm ? f32x4.sub(f32x4.sub(v, largest), shift) : f32x4.mul(v, scale)
}
