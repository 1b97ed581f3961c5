import { statics } from '../thread'
import { PoolParams, tapsBefore } from './pool'

/**
 * Rows of windows that are high and wide and overlap: what of a column of the input lies inside is joined once, kept in a ring,
 * and of a window only its columns are joined. Eight channels at a time.
 */

/** Columns of a ring, and bytes of one. */
const RING: u32 = 64
const COLUMN: usize = 32

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
  const kind = p.kind
  const stride = p.s2
  const taps = p.k2
  const width = p.x2
  const last = p.channels - 8
  for (let c: u32 = 0; c < p.channels; c += 8) {
    const at = min(c, last) << 2
    let to = y + at
    let next: i32 = 0
    let left = -(<i32>p.b2)
    for (let o2 = p.y2; o2 > 0; o2--, to += p.o2 << 2, left += stride) {
      const first = max(left, 0)
      const end = max(tapsBefore(left, width, taps, 1) + left, first)
      for (next = max(next, first); next < end; next++) {
        const column = x + at + <usize>next * step2
        const entry = ring + (<u32>next % RING) * COLUMN
        if (kind) sumColumn(column, n1, step1, entry)
        else maxColumn(column, n1, step1, entry)
      }
      if (kind) {
        const across = kind == 1 ? end - first : tapsBefore(left, width + p.e2, taps, 1)
        sumOfColumns(ring, first, end, to, kind == 3 ? 1 : <f32>1 / <f32>max(share * across, 1))
      } else maxOfColumns(ring, first, end, to)
    }
  }
}

function sumColumn(x: usize, rows: i32, step: u32, entry: usize): void {
  let s = f32x4.splat(0)
  let t = s
  for (; rows > 0; rows--, x += step) {
    s = f32x4.add(s, v128.load(x))
    t = f32x4.add(t, v128.load(x, 16))
  }
  v128.store(entry, s)
  v128.store(entry, t, 16)
}

function sumOfColumns(ring: usize, first: i32, end: i32, to: usize, factor: f32): void {
  let s = f32x4.splat(0)
  let t = s
  for (; first < end; first++) {
    const entry = ring + (<u32>first % RING) * COLUMN
    s = f32x4.add(s, v128.load(entry))
    t = f32x4.add(t, v128.load(entry, 16))
  }
  v128.store(to, f32x4.mul(s, f32x4.splat(factor)))
  v128.store(to, f32x4.mul(t, f32x4.splat(factor)), 16)
}

/** pmax passes NaN over, for which a mask is kept beside: set, it is NaN itself. */
function maxColumn(x: usize, rows: i32, step: u32, entry: usize): void {
  let m = f32x4.splat(-Infinity)
  let n = m
  let bad = f32x4.splat(0)
  let worse = bad
  for (; rows > 0; rows--, x += step) {
    const v = v128.load(x)
    const w = v128.load(x, 16)
    m = f32x4.pmax(m, v)
    n = f32x4.pmax(n, w)
    bad = v128.or(bad, f32x4.ne(v, v))
    worse = v128.or(worse, f32x4.ne(w, w))
  }
  v128.store(entry, v128.or(m, bad))
  v128.store(entry, v128.or(n, worse), 16)
}

function maxOfColumns(ring: usize, first: i32, end: i32, to: usize): void {
  let m = f32x4.splat(-Infinity)
  let n = m
  let bad = f32x4.splat(0)
  let worse = bad
  for (; first < end; first++) {
    const entry = ring + (<u32>first % RING) * COLUMN
    const v = v128.load(entry)
    const w = v128.load(entry, 16)
    m = f32x4.pmax(m, v)
    n = f32x4.pmax(n, w)
    bad = v128.or(bad, f32x4.ne(v, v))
    worse = v128.or(worse, f32x4.ne(w, w))
  }
  v128.store(to, v128.or(m, bad))
  v128.store(to, v128.or(n, worse), 16)
}
