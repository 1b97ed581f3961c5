import { statics } from '../thread'
import { isNaNIn, maxExactly, PoolParams, tapsBefore } from './pool'

/**
 * Rows of windows that are high and wide and overlap: what of a column of the input lies inside is joined once, kept in a ring,
 * and of a window only its columns are joined. Eight channels at a time.
 */

/** Columns of a ring, each the sums and the maxima of eight channels. */
const RING: u32 = 32
const ENTRY: usize = 64

/** `n0` is how deep the windows are here. */
export function hasColumns(p: PoolParams, n0: i32): bool {
  if (n0 != 1 || p.d2 != 1 || p.channels < 8 || p.k2 > RING) return false
  // Columns that are new, the window's, and as much again for the ring.
  return p.k1 * p.k2 > 2 * (p.k1 * min(p.s2, p.k2) + p.k2)
}

/** `x` is where the first row of the windows begins, `n1` are its rows and `share` what a column counts for in the mean. */
export function columnsOfRow(p: PoolParams, x: usize, y: usize, n1: i32, share: i32): void {
  const ring = statics()
  const step1 = (p.d1 * p.i1) << 2
  const step2 = p.i2 << 2
  const last = p.channels - 8
  for (let c: u32 = 0; c < p.channels; c += 8) {
    const at = min(c, last) << 2
    let to = y + at
    let next: i32 = 0
    for (let o2: u32 = 0; o2 < p.y2; o2++, to += p.o2 << 2) {
      const left = <i32>(o2 * p.s2 - p.b2)
      const first = max(left, 0)
      const end = max(tapsBefore(left, p.x2, p.k2, 1) + left, first)
      for (next = max(next, first); next < end; next++)
        joinColumn(x + at + <usize>next * step2, n1, step1, ring + (<u32>next % RING) * ENTRY)
      let s = f32x4.splat(0)
      let t = s
      let m = f32x4.splat(-Infinity)
      let n = m
      for (let i = first; i < end; i++) {
        const entry = ring + (<u32>i % RING) * ENTRY
        s = f32x4.add(s, v128.load(entry))
        t = f32x4.add(t, v128.load(entry, 16))
        if (p.kind) continue
        m = f32x4.pmax(m, v128.load(entry, 32))
        n = f32x4.pmax(n, v128.load(entry, 48))
      }
      if (p.kind) {
        const across = p.kind == 1 ? end - first : tapsBefore(left, p.x2 + p.e2, p.k2, 1)
        const factor = f32x4.splat(p.kind == 3 ? 1 : <f32>1 / <f32>max(share * across, 1))
        v128.store(to, f32x4.mul(s, factor))
        v128.store(to, f32x4.mul(t, factor), 16)
        continue
      }
      v128.store(to, m)
      v128.store(to, n, 16)
      if (isNaNIn(f32x4.add(s, t)))
        maxExactly(8, x + at + <usize>first * step2, to, 1, n1, end - first, 0, step1, step2)
    }
  }
}

function joinColumn(x: usize, rows: i32, step: u32, entry: usize): void {
  let s = f32x4.splat(0)
  let t = s
  let m = f32x4.splat(-Infinity)
  let n = m
  for (; rows > 0; rows--, x += step) {
    const v = v128.load(x)
    const w = v128.load(x, 16)
    s = f32x4.add(s, v)
    t = f32x4.add(t, w)
    m = f32x4.pmax(m, v)
    n = f32x4.pmax(n, w)
  }
  v128.store(entry, s)
  v128.store(entry, t, 16)
  v128.store(entry, m, 32)
  v128.store(entry, n, 48)
}
