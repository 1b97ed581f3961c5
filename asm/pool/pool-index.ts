/** Where the first maximum of each window is, channels innermost, four at a time. */
import { gather, scatter } from '../lanes'
import { firstOf, lastOf, worth } from '../thread'
import { firstTap, tapsBefore } from './pool-params'

@unmanaged
export class PoolIndexParams {
  columns: u32
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
}

export function poolIndex(p: PoolIndexParams, x: usize, y: usize): void {
  const rows = p.batch * p.y0 * p.y1
  const least = worth(p.y2 * p.channels * p.k0 * p.k1 * p.k2)
  const last = lastOf(rows, least)
  for (let row = firstOf(rows, least); row < last; row++) {
    const o1 = row % p.y1
    const o0 = (row / p.y1) % p.y0
    const n = row / p.y1 / p.y0
    const at0 = <i32>(o0 * p.s0 - p.b0)
    const at1 = <i32>(o1 * p.s1 - p.b1)
    const image = x + ((n * p.xBatch) << 2)
    let to = y + ((n * p.yBatch + o0 * p.o0 + o1 * p.o1) << 2)
    for (let o2: u32 = 0; o2 < p.y2; o2++, to += p.o2 << 2) {
      const at2 = <i32>(o2 * p.s2 - p.b2)
      for (let c: u32 = 0; c < p.channels; c += 4) {
        const count = min<u32>(p.channels - c, 4)
        const place = placeOf(p, image + (c << 2), at0, at1, at2, count)
        scatter(to + (c << 2), 4, f32x4.convert_i32x4_s(i32x4.add(place, planes(p, n * p.channels + c))), count)
      }
    }
  }
}

/** Where the planes of four channels from `plane` on begin. */
function planes(p: PoolIndexParams, plane: u32): v128 {
  const four = i32x4.add(i32x4.splat(plane), i32x4(0, 1, 2, 3))
  return i32x4.mul(four, i32x4.splat(p.x0 * p.x1 * p.x2))
}

/** The places within their planes of the first maxima of `count` channels of a window. */
function placeOf(p: PoolIndexParams, x: usize, at0: i32, at1: i32, at2: i32, count: u32): v128 {
  const end0 = tapsBefore(at0, p.x0, p.k0, p.d0)
  const end1 = tapsBefore(at1, p.x1, p.k1, p.d1)
  const end2 = tapsBefore(at2, p.x2, p.k2, p.d2)
  let largest = f32x4.splat(-Infinity)
  let place = i32x4.splat(0)
  for (let k0 = firstTap(at0, p.d0); k0 < end0; k0++)
    for (let k1 = firstTap(at1, p.d1); k1 < end1; k1++)
      for (let k2 = firstTap(at2, p.d2); k2 < end2; k2++) {
        const a0 = at0 + k0 * p.d0
        const a1 = at1 + k1 * p.d1
        const a2 = at2 + k2 * p.d2
        const v = gather(x + ((a0 * p.i0 + a1 * p.i1 + a2 * p.i2) << 2), 4, count)
        const larger = f32x4.gt(v, largest)
        const here = p.columns ? (a2 * p.x1 + a1) * p.x0 + a0 : (a0 * p.x1 + a1) * p.x2 + a2
        largest = v128.bitselect(v, largest, larger)
        place = v128.bitselect(i32x4.splat(here), place, larger)
      }
  return place
}
