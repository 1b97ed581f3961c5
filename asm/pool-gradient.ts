/**
 * Gradients of pooling, channels innermost: every window adds to the elements that it saw. Windows overlap, so threads divide
 * images and channels, not rows.
 */
import { gather, scatter } from './lanes'
import { PoolParams } from './pool'
import { firstOf, lastOf, worth } from './thread'

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
        const at0 = <i32>(o0 * p.s0 - p.b0)
        const at1 = <i32>(o1 * p.s1 - p.b1)
        const at2 = <i32>(o2 * p.s2 - p.b2)
        if (p.kind == 0) toMaximum(p, x, dx, g, at0, at1, at2, count)
        else spread(p, dx, g, at0, at1, at2, count)
      }
}

function inside(at: i32, size: u32): bool {
  return at >= 0 && at < <i32>size
}

/** Bytes from the beginning of the dense gradient to a pixel. */
function pixel(p: PoolParams, a0: i32, a1: i32, a2: i32): usize {
  return (((a0 * p.x1 + a1) * p.x2 + a2) * p.channels) << 2
}

function toMaximum(p: PoolParams, x: usize, dx: usize, g: v128, at0: i32, at1: i32, at2: i32, count: u32): void {
  let largest = f32x4.splat(-Infinity)
  let place = i32x4.splat(-1)
  for (let k0: u32 = 0; k0 < p.k0; k0++) {
    const a0 = at0 + <i32>(k0 * p.d0)
    if (!inside(a0, p.x0)) continue
    for (let k1: u32 = 0; k1 < p.k1; k1++) {
      const a1 = at1 + <i32>(k1 * p.d1)
      if (!inside(a1, p.x1)) continue
      for (let k2: u32 = 0; k2 < p.k2; k2++) {
        const a2 = at2 + <i32>(k2 * p.d2)
        if (!inside(a2, p.x2)) continue
        const v = gather(x + ((a0 * p.i0 + a1 * p.i1 + a2 * p.i2) << 2), 4, count)
        const larger = f32x4.gt(v, largest)
        largest = v128.bitselect(v, largest, larger)
        place = v128.bitselect(i32x4.splat(<i32>pixel(p, a0, a1, a2)), place, larger)
      }
    }
  }
  add(dx, i32x4.extract_lane(place, 0), f32x4.extract_lane(g, 0))
  if (count > 1) add(dx + 4, i32x4.extract_lane(place, 1), f32x4.extract_lane(g, 1))
  if (count > 2) add(dx + 8, i32x4.extract_lane(place, 2), f32x4.extract_lane(g, 2))
  if (count > 3) add(dx + 12, i32x4.extract_lane(place, 3), f32x4.extract_lane(g, 3))
}

function add(dx: usize, place: i32, gradient: f32): void {
  if (place < 0) return
  store<f32>(dx + place, load<f32>(dx + place) + gradient)
}

function spread(p: PoolParams, dx: usize, g: v128, at0: i32, at1: i32, at2: i32, count: u32): void {
  const whole = p.kind == 2
  const share = f32x4.splat(
    <f32>1 /
      <f32>(
        max<u32>(
          taps(at0, p.k0, p.d0, p.x0, p.e0, whole) *
            taps(at1, p.k1, p.d1, p.x1, p.e1, whole) *
            taps(at2, p.k2, p.d2, p.x2, p.e2, whole),
          1
        )
      )
  )
  const part = f32x4.mul(g, share)
  for (let k0: u32 = 0; k0 < p.k0; k0++) {
    const a0 = at0 + <i32>(k0 * p.d0)
    if (!inside(a0, p.x0)) continue
    for (let k1: u32 = 0; k1 < p.k1; k1++) {
      const a1 = at1 + <i32>(k1 * p.d1)
      if (!inside(a1, p.x1)) continue
      for (let k2: u32 = 0; k2 < p.k2; k2++) {
        const a2 = at2 + <i32>(k2 * p.d2)
        if (!inside(a2, p.x2)) continue
        const to = dx + pixel(p, a0, a1, a2)
        scatter(to, 4, f32x4.add(gather(to, 4, count), part), count)
      }
    }
  }
}

/** Kernel positions along one axis that count: inside the input, or with its padding at both ends. */
function taps(at: i32, kernel: u32, dilation: u32, size: u32, end: u32, padded: bool): u32 {
  let count: u32 = 0
  for (let k: u32 = 0; k < kernel; k++) {
    const place = at + <i32>(k * dilation)
    if (place < <i32>(size + (padded ? end : 0)) && (padded || place >= 0)) count++
  }
  return count
}
