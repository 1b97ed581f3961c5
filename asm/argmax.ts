/**
 * Positions of maxima and minima along one axis: four columns side by side where they are neighbours in memory,
 * four interleaved searches where the axis itself is contiguous.
 */
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
  for (let i0: u32 = 0; i0 < p.k0; i0++) {
    for (let i1: u32 = 0; i1 < p.k1; i1++) {
      for (let i2: u32 = 0; i2 < p.k2; i2++) {
        const from = x + ((i0 * p.x0 + i1 * p.x1 + i2 * p.x2) << 2)
        const to = y + ((i0 * p.y0 + i1 * p.y1 + i2 * p.y2) << 2)
        let i3: u32 = 0
        if (sideBySide) {
          for (; i3 + 4 <= p.k3; i3 += 4) {
            v128.store(to + (i3 << 2), f32x4.convert_i32x4_s(search4(p, from + (i3 << 2), p.count, p.step << 2)))
          }
        }
        for (; i3 < p.k3; i3++) {
          const at = from + ((i3 * p.x3) << 2)
          const found = p.step == 1 && p.count >= 8 ? searchRun(p, at) : searchSteps(p, at)
          store<f32>(to + ((i3 * p.y3) << 2), <f32>found)
        }
      }
    }
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

function searchRun(p: ArgmaxParams, from: usize): u32 {
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
