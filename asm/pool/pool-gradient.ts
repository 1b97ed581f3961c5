/**
 * Gradients of pooling, channels innermost: every window adds to the elements that it saw. Windows overlap, so threads divide
 * images and channels, not rows.
 */
import { gather, scatter } from '../lanes'
import { firstOf, lastOf, worth } from '../thread'
import { firstTap, PoolParams, tapsBefore } from './pool-params'

export function poolGradient(p: PoolParams, x: usize, dy: usize, dx: usize): void {
  const blocks = (p.channels + 3) / 4
  const items = p.batch * blocks
  const pixels = p.x0 * p.x1 * p.x2
  const least = worth(pixels * 8)
  const last = lastOf(items, least)
  for (let item = firstOf(items, least); item < last; item++) {
    const n = item / blocks
    const c = (item % blocks) * 4
    const count = min<u32>(p.channels - c, 4)
    const to = dx + ((n * pixels * p.channels + c) << 2)
    for (let i: u32 = 0; i < pixels; i++) scatter(to + ((i * p.channels) << 2), 4, f32x4.splat(0), count)
    windows(p, x + ((n * p.xBatch + c) << 2), dy + ((n * p.yBatch + c) << 2), to, count)
  }
}

function windows(p: PoolParams, x: usize, dy: usize, dx: usize, count: u32): void {
  for (let o0: u32 = 0; o0 < p.y0; o0++)
    for (let o1: u32 = 0; o1 < p.y1; o1++)
      for (let o2: u32 = 0; o2 < p.y2; o2++) {
        const g = gather(dy + ((o0 * p.o0 + o1 * p.o1 + o2 * p.o2) << 2), 4, count)
        window(p, x, dx, g, <i32>(o0 * p.s0 - p.b0), <i32>(o1 * p.s1 - p.b1), <i32>(o2 * p.s2 - p.b2), count)
      }
}

/** The gradient of the window that begins there goes to its first maximum, or to all that it saw alike. */
function window(p: PoolParams, x: usize, dx: usize, g: v128, at0: i32, at1: i32, at2: i32, count: u32): void {
  const first0 = firstTap(at0, p.d0)
  const first1 = firstTap(at1, p.d1)
  const first2 = firstTap(at2, p.d2)
  const end0 = tapsBefore(at0, p.x0, p.k0, p.d0)
  const end1 = tapsBefore(at1, p.x1, p.k1, p.d1)
  const end2 = tapsBefore(at2, p.x2, p.k2, p.d2)
  let counted = (end0 - first0) * (end1 - first1) * (end2 - first2)
  if (p.kind == 2)
    counted =
      tapsBefore(at0, p.x0 + p.e0, p.k0, p.d0) *
      tapsBefore(at1, p.x1 + p.e1, p.k1, p.d1) *
      tapsBefore(at2, p.x2 + p.e2, p.k2, p.d2)
  if (p.kind == 3) counted = 1
  const part = f32x4.div(g, f32x4.splat(<f32>max(counted, 1)))
  let largest = f32x4.splat(-Infinity)
  let place = i32x4.splat(-1)
  for (let k0 = first0; k0 < end0; k0++)
    for (let k1 = first1; k1 < end1; k1++)
      for (let k2 = first2; k2 < end2; k2++) {
        const a0 = at0 + k0 * p.d0
        const a1 = at1 + k1 * p.d1
        const a2 = at2 + k2 * p.d2
        const to: usize = (((a0 * p.x1 + a1) * p.x2 + a2) * p.channels) << 2
        if (p.kind) scatter(dx + to, 4, f32x4.add(gather(dx + to, 4, count), part), count)
        else {
          const v = gather(x + ((a0 * p.i0 + a1 * p.i1 + a2 * p.i2) << 2), 4, count)
          const larger = f32x4.gt(v, largest)
          largest = v128.bitselect(v, largest, larger)
          place = v128.bitselect(i32x4.splat(<i32>to), place, larger)
        }
      }
  if (p.kind) return
  add(dx, i32x4.extract_lane(place, 0), f32x4.extract_lane(g, 0))
  if (count > 1) add(dx + 4, i32x4.extract_lane(place, 1), f32x4.extract_lane(g, 1))
  if (count > 2) add(dx + 8, i32x4.extract_lane(place, 2), f32x4.extract_lane(g, 2))
  if (count > 3) add(dx + 12, i32x4.extract_lane(place, 3), f32x4.extract_lane(g, 3))
}

function add(dx: usize, place: i32, gradient: f32): void {
  if (place < 0) return
  store<f32>(dx + place, load<f32>(dx + place) + gradient)
}
