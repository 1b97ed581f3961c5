/**
 * Positions of maxima and minima along one axis: four columns side by side where they are neighbours in memory,
 * four interleaved searches where the axis itself is contiguous.
 */
import { endOfRun, offsetOf, tripsOf } from '../loops'
import { firstOf, lastOf, worth } from '../thread'

@unmanaged
export class ArgmaxParams {
  least: u32
  last: u32
  count: u32
  step: u32
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

export function argmax(p: ArgmaxParams, x: usize, y: usize): void {
  const sideBySide = p.x3 == 1 && p.y3 == 1
  const sizes = changetype<usize>(p) + offsetof<ArgmaxParams>('k0')
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
    if (sideBySide) {
      for (; i3 + 4 <= stop; i3 += 4) {
        v128.store(to + (i3 << 2), f32x4.convert_i32x4_s(search4(p, from + (i3 << 2), p.count, p.step << 2)))
      }
    }
    for (; i3 < stop; i3++) {
      const at = from + ((i3 * p.x3) << 2)
      const found = p.step == 1 && p.count >= 8 ? searchRun(p, at) : searchSteps(p, at)
      store<f32>(to + ((i3 * p.y3) << 2), <f32>found)
    }
    i = end
  }
}

/** In each of four columns, how many steps behind the first row its extreme lies. */
function search4(p: ArgmaxParams, at: usize, count: u32, step: u32): v128 {
  const flip = i32x4.splat(p.least ? 0x80000000 : 0)
  const one = i32x4.splat(1)
  let best = v128.xor(v128.load(at), flip)
  let found = i32x4.splat(0)
  let index = one
  for (let i = count - 1; i > 0; i--) {
    at += step
    const value = v128.xor(v128.load(at), flip)
    const better = p.last ? f32x4.ge(value, best) : f32x4.gt(value, best)
    best = v128.bitselect(value, best, better)
    found = v128.bitselect(index, found, better)
    index = i32x4.add(index, one)
  }
  return found
}

/** A search that begins at NaN ends there, so interleaved ones would hide what one search finds. */
function searchRun(p: ArgmaxParams, from: usize): u32 {
  const first = v128.load(from)
  if (v128.any_true(f32x4.ne(first, first))) return searchSteps(p, from)
  const rows = search4(p, from, p.count >> 2, 16)
  let best = (<u32>i32x4.extract_lane(rows, 0)) << 2
  best = better(p, from, best, ((<u32>i32x4.extract_lane(rows, 1)) << 2) + 1)
  best = better(p, from, best, ((<u32>i32x4.extract_lane(rows, 2)) << 2) + 2)
  best = better(p, from, best, ((<u32>i32x4.extract_lane(rows, 3)) << 2) + 3)
  for (let i = p.count & ~3; i < p.count; i++) best = better(p, from, best, i)
  return best
}

function searchSteps(p: ArgmaxParams, from: usize): u32 {
  let best: u32 = 0
  for (let i: u32 = 1; i < p.count; i++) best = better(p, from, best, i)
  return best
}

/** Of two positions the one with the larger (lesser) element; of equal elements the first or last, as asked. */
function better(p: ArgmaxParams, from: usize, a: u32, b: u32): u32 {
  const x = load<f32>(from + ((a * p.step) << 2))
  const y = load<f32>(from + ((b * p.step) << 2))
  if (x == y) return p.last ? max(a, b) : min(a, b)
  return p.least ? (y < x ? b : a) : y > x ? b : a
}
