import { statics } from '../thread'
import { PoolParams, tapsBefore } from './pool-params'

/**
 * Rows of windows that are high and wide and overlap: what of a column of the input lies inside is joined once for
 * many windows, eight channels at a time, and of a window only its columns are joined.
 */

/** Columns that a thread's statics hold, and bytes of one. */
const COLUMNS: u32 = 96
const COLUMN: u32 = 32

/** `n0` is how deep the windows are here. */
export function hasColumns(p: PoolParams, n0: i32): bool {
  if (n0 != 1 || p.d2 != 1 || p.channels < 8 || p.k2 > COLUMNS) return false
  // Columns that are new, the window's, and as much again for the way between.
  return p.k1 * p.k2 > 2 * (p.k1 * min(p.s2, p.k2) + p.k2)
}

/** `x` is where the first row of the windows begins, `n1` are its rows and `share` what a column counts for in the mean. */
export function columnsOfRow(p: PoolParams, x: usize, y: usize, n1: i32, share: i32): void {
  const kind = p.kind
  const step1 = (p.d1 * p.i1) << 2
  const step2 = p.i2 << 2
  const most = (COLUMNS - p.k2) / p.s2 + 1
  for (let c: u32 = 0; c < p.channels; c += 8) {
    const at = min(c, p.channels - 8) << 2
    let to = y + at
    for (let o2: u32 = 0; o2 < p.y2; ) {
      const stop = min(o2 + most, p.y2)
      const begin = max(<i32>(o2 * p.s2 - p.b2), 0)
      // A last window may begin behind the input.
      const close = min(endOf(p, <i32>((stop - 1) * p.s2 - p.b2)), <i32>p.x2)
      let column = statics()
      for (let v = begin; v < close; v++, column += COLUMN) join(kind, x + at + <u32>v * step2, n1, step1, column, 1)
      for (; o2 < stop; o2++, to += p.o2 << 2) {
        const left = <i32>(o2 * p.s2 - p.b2)
        const first = max(left, 0)
        const width = endOf(p, left) - first
        const across = kind == 1 ? width : tapsBefore(left, p.x2 + p.e2, p.k2, 1)
        const factor: f32 = kind == 3 ? 1 : <f32>1 / <f32>max(share * across, 1)
        join(kind, statics() + (first - begin) * COLUMN, width, COLUMN, to, factor)
      }
    }
  }
}

/** Where the window that begins at `left` ends inside the input. */
function endOf(p: PoolParams, left: i32): i32 {
  return left + tapsBefore(left, p.x2, p.k2, 1)
}

/** Maxima, or by another kind sums times a factor, of so many eights. */
function join(kind: u32, x: usize, count: i32, step: u32, y: usize, factor: f32): void {
  if (kind) {
    let s = f32x4.splat(0)
    let t = s
    for (; count > 0; count--, x += step) {
      s = f32x4.add(s, v128.load(x))
      t = f32x4.add(t, v128.load(x, 16))
    }
    v128.store(y, f32x4.mul(s, f32x4.splat(factor)))
    v128.store(y, f32x4.mul(t, f32x4.splat(factor)), 16)
    return
  }
  // pmax passes NaN over, for which a mask is kept beside: set, it is NaN itself.
  let m = f32x4.splat(-Infinity)
  let n = m
  let spoilt = f32x4.splat(0)
  let spoiltToo = spoilt
  for (; count > 0; count--, x += step) {
    const v = v128.load(x)
    const w = v128.load(x, 16)
    m = f32x4.pmax(m, v)
    n = f32x4.pmax(n, w)
    spoilt = v128.or(spoilt, f32x4.ne(v, v))
    spoiltToo = v128.or(spoiltToo, f32x4.ne(w, w))
  }
  v128.store(y, v128.or(m, spoilt))
  v128.store(y, v128.or(n, spoiltToo), 16)
}
