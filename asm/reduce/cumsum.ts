/** Running sums along one axis, four columns side by side where they are neighbours in memory. */
import { endOfRun, offsetOf, tripsOf } from '../loops'
import { firstOf, lastOf, worth } from '../thread'

@unmanaged
export class CumsumParams {
  exclusive: u32
  reverse: u32
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

export function cumsum(p: CumsumParams, x: usize, y: usize): void {
  const sizes = changetype<usize>(p) + offsetof<CumsumParams>('k0')
  const sideBySide = p.x3 == 1 && p.y3 == 1
  const unit: u32 = sideBySide ? 4 : 1
  const blocks = (p.k3 + unit - 1) / unit
  const items = tripsOf(3, sizes) * blocks
  const least = worth(2 * unit * p.count)
  const last = lastOf(items, least)
  for (let i = firstOf(items, least); i < last; ) {
    const end = endOfRun(i, blocks, last)
    const from = x + offsetOf(i / blocks, 3, sizes, sizes + 16)
    const to = y + offsetOf(i / blocks, 3, sizes, sizes + 32)
    let i3 = (i % blocks) * unit
    const stop = min(i3 + (end - i) * unit, p.k3)
    if (sideBySide) for (; i3 + 4 <= stop; i3 += 4) sum4(p, from + (i3 << 2), to + (i3 << 2))
    for (; i3 < stop; i3++) sum1(p, from + ((i3 * p.x3) << 2), to + ((i3 * p.y3) << 2))
    i = end
  }
}

/** Bytes from an element to the one that is added behind it. */
function stride(p: CumsumParams, step: u32): usize {
  return p.reverse ? -((<usize>step) << 2) : (<usize>step) << 2
}

/** Bytes from an axis' beginning to the element that is added first. */
function start(p: CumsumParams, step: u32): usize {
  return p.reverse ? (<usize>(p.count - 1) * step) << 2 : 0
}

function sum4(p: CumsumParams, x: usize, y: usize): void {
  const xStride = stride(p, p.xStep)
  const yStride = stride(p, p.yStep)
  x += start(p, p.xStep)
  y += start(p, p.yStep)
  let sum = f32x4.splat(0)
  for (let left = p.count; left > 0; left--, x += xStride, y += yStride) {
    const next = f32x4.add(sum, v128.load(x))
    v128.store(y, p.exclusive ? sum : next)
    sum = next
  }
}

function sum1(p: CumsumParams, x: usize, y: usize): void {
  const xStride = stride(p, p.xStep)
  const yStride = stride(p, p.yStep)
  x += start(p, p.xStep)
  y += start(p, p.yStep)
  let sum: f32 = 0
  for (let left = p.count; left > 0; left--, x += xStride, y += yStride) {
    const next = sum + load<f32>(x)
    store<f32>(y, p.exclusive ? sum : next)
    sum = next
  }
}
