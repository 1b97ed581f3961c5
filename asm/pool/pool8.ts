import { levels, storeBytes, zeroFor } from '../elementwise/requantise'
import { firstOf, lastOf, worth } from '../thread'
import { firstTap, tapsBefore } from './pool-params'

/** Pooling of bytes, channels innermost: maxima as they are, means with a scale; see compiler/ops/pool/pool8.ts. */
@unmanaged
export class Pool8Params {
  kind: u32
  batch: u32
  channels: u32
  x0: u32
  x1: u32
  x2: u32
  y0: u32
  y1: u32
  y2: u32
  k0: u32
  k1: u32
  k2: u32
  s0: u32
  s1: u32
  s2: u32
  d0: u32
  d1: u32
  d2: u32
  b0: u32
  b1: u32
  b2: u32
  e0: u32
  e1: u32
  e2: u32
  xBatch: u32
  i0: u32
  i1: u32
  i2: u32
  yBatch: u32
  o0: u32
  o1: u32
  o2: u32
  xZero: u32
  scale: f32
  yZero: u32
  low: u32
  high: u32
}

/** A window clipped to the input, and what its sum is multiplied by. */
let from: usize = 0
let n0: i32 = 0
let n1: i32 = 0
let n2: i32 = 0
let share: f32 = 0

export function pool8(p: Pool8Params, x: usize, y: usize): void {
  const rows = p.batch * p.y0 * p.y1
  const least = worth((p.y2 * p.channels * p.k0 * p.k1 * p.k2) >> 2)
  const last = lastOf(rows, least)
  for (let row = firstOf(rows, least); row < last; row++) {
    const o1 = row % p.y1
    const o0 = (row / p.y1) % p.y0
    const n = row / p.y1 / p.y0
    let to = y + n * p.yBatch + o0 * p.o0 + o1 * p.o1
    for (let o2: u32 = 0; o2 < p.y2; o2++, to += p.o2) {
      clip(p, x + n * p.xBatch, o0, o1, o2)
      if (p.kind == 0) maxima(p, to)
      else means(p, to)
    }
  }
}

function clip(p: Pool8Params, x: usize, o0: u32, o1: u32, o2: u32): void {
  const at0 = <i32>(o0 * p.s0 - p.b0)
  const at1 = <i32>(o1 * p.s1 - p.b1)
  const at2 = <i32>(o2 * p.s2 - p.b2)
  const first0 = firstTap(at0, p.d0)
  const first1 = firstTap(at1, p.d1)
  const first2 = firstTap(at2, p.d2)
  n0 = max(tapsBefore(at0, p.x0, p.k0, p.d0) - first0, 0)
  n1 = max(tapsBefore(at1, p.x1, p.k1, p.d1) - first1, 0)
  n2 = max(tapsBefore(at2, p.x2, p.k2, p.d2) - first2, 0)
  from = x + (at0 + first0 * p.d0) * p.i0 + (at1 + first1 * p.d1) * p.i1 + (at2 + first2 * p.d2) * p.i2
  const counted =
    p.kind == 1
      ? n0 * n1 * n2
      : tapsBefore(at0, p.x0 + p.e0, p.k0, p.d0) *
        tapsBefore(at1, p.x1 + p.e1, p.k1, p.d1) *
        tapsBefore(at2, p.x2 + p.e2, p.k2, p.d2)
  share = p.scale / <f32>max(counted, 1)
}

function maxima(p: Pool8Params, y: usize): void {
  let c: u32 = 0
  for (; c + 16 <= p.channels; c += 16) {
    let most = i8x16.splat(0)
    for (let i: i32 = 0; i < n0; i++)
      for (let j: i32 = 0; j < n1; j++) {
        let at = from + i * p.d0 * p.i0 + j * p.d1 * p.i1 + c
        for (let k: i32 = 0; k < n2; k++, at += p.d2 * p.i2) most = i8x16.max_u(most, v128.load(at))
      }
    v128.store(y + c, most)
  }
  for (; c < p.channels; c += 8) {
    let most = i8x16.splat(0)
    for (let i: i32 = 0; i < n0; i++)
      for (let j: i32 = 0; j < n1; j++) {
        let at = from + i * p.d0 * p.i0 + j * p.d1 * p.i1 + c
        for (let k: i32 = 0; k < n2; k++, at += p.d2 * p.i2) most = i8x16.max_u(most, v128.load64_zero(at))
      }
    storeBytes(y + c, most, min(p.channels - c, 8))
  }
}

function means(p: Pool8Params, y: usize): void {
  const scale = f32x4.splat(share)
  const own = zeroFor(p.yZero)
  const low = i8x16.splat(<i8>p.low)
  const high = i8x16.splat(<i8>p.high)
  const start = i32x4.splat(-(<i32>(p.xZero * n0 * n1 * n2)))
  for (let c: u32 = 0; c < p.channels; c += 8) {
    let a = start
    let b = start
    for (let i: i32 = 0; i < n0; i++)
      for (let j: i32 = 0; j < n1; j++) {
        let at = from + i * p.d0 * p.i0 + j * p.d1 * p.i1 + c
        for (let k: i32 = 0; k < n2; k++, at += p.d2 * p.i2) {
          const v = v128.load8x8_u(at)
          a = i32x4.add(a, i32x4.extend_low_i16x8_u(v))
          b = i32x4.add(b, i32x4.extend_high_i16x8_u(v))
        }
      }
    const f = levels(f32x4.mul(f32x4.convert_i32x4_s(a), scale), own)
    const g = levels(f32x4.mul(f32x4.convert_i32x4_s(b), scale), own)
    const words = i16x8.narrow_i32x4_s(f, g)
    storeBytes(y + c, i8x16.max_u(i8x16.min_u(i8x16.narrow_i16x8_u(words, words), high), low), min(p.channels - c, 8))
  }
}
