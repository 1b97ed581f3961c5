import { narrowed } from '../elementwise/requantise'
import { statics } from '../thread'
import { boundsAt, givesSums, joined, PANEL, panelAt, roundedSum, storeEdge, storeRows, storeSums } from './product8'

/**
 * Products of bytes where engines have none: in 16 bits, whose product sums two neighbours, 4 rows × 8 columns in registers. A panel of
 * weights is widened once for many rows, to pairs of neighbouring rows of its columns.
 */

/** Rows of a strip. */
export const STRIP: u32 = 4

/** In this thread's statics: a strip of few columns. */
const EDGE: usize = 384

/** Bytes of a panel that is widened, for each group of 4 rows. */
export const WIDE: usize = 64

/** A panel of `groups` groups as pairs of 16 bits. */
export function widenPanel(w: usize, groups: u32, to: usize): void {
  for (const end = w + ((<usize>groups) << 5); w < end; w += 32, to += WIDE) {
    const a = v128.load(w)
    const b = v128.load(w, 16)
    const first = i8x16.shuffle(a, b, 0, 1, 4, 5, 8, 9, 12, 13, 16, 17, 20, 21, 24, 25, 28, 29)
    const second = i8x16.shuffle(a, b, 2, 3, 6, 7, 10, 11, 14, 15, 18, 19, 22, 23, 26, 27, 30, 31)
    v128.store(to, i16x8.extend_low_i8x16_s(first))
    v128.store(to, i16x8.extend_high_i8x16_s(first), 16)
    v128.store(to, i16x8.extend_low_i8x16_s(second), 32)
    v128.store(to, i16x8.extend_high_i8x16_s(second), 48)
  }
}

/**
 * The bytes of `count` rows, which begin where `table` says (six entries at least), times a widened panel; otherwise as tile8 has it,
 * of `inner` elements a run. The last strip may repeat rows.
 */
export function strips(
  table: usize,
  count: u32,
  offsets: usize,
  segments: u32,
  inner: u32,
  w: usize,
  y: usize,
  step: usize,
  columns: u32
): void {
  const rows = min(count, STRIP)
  const isWhole = columns == PANEL
  const edge = statics() + EDGE
  for (let done: u32 = 0; done < count; done += STRIP) {
    const row = min(done, count - rows)
    const at = table + (row << 2)
    const to = y + <usize>row * step
    words(
      load<u32>(at),
      load<u32>(at, 4),
      load<u32>(at, 8),
      load<u32>(at, 12),
      offsets,
      segments,
      inner,
      w,
      isWhole ? to : edge,
      isWhole ? step : givesSums ? 4 * PANEL : PANEL,
      isWhole ? rows : STRIP
    )
    if (!isWhole) storeEdge(edge, to, step, rows, columns)
  }
}

/**
 * Four rows of runs of `inner` elements, which are even in memory, times a widened panel: their bytes, or for no rows their sums,
 * without what their panel adds.
 */
export function words(
  x0: usize,
  x1: usize,
  x2: usize,
  x3: usize,
  offsets: usize,
  segments: u32,
  inner: u32,
  w: usize,
  y: usize,
  step: usize,
  rows: u32
): void {
  const panel = panelAt()
  let a0 = rows ? v128.load(panel) : i32x4.splat(0)
  let b0 = rows ? v128.load(panel, 16) : a0
  let a1 = a0
  let b1 = b0
  let a2 = a0
  let b2 = b0
  let a3 = a0
  let b3 = b0
  // Runs are filled up to groups of 4; pairs without a weight are left out.
  const run = (<usize>((inner + 1) >> 1)) << 5
  const apart = (<usize>((inner + 3) >> 2)) << 6
  let k: usize = 0
  for (const last = w + <usize>segments * apart; w < last; w += apart - run, offsets += 4) {
    const next = <usize>load<u32>(offsets)
    x0 += next - k
    x1 += next - k
    x2 += next - k
    x3 += next - k
    k = next + (run >> 3)
    for (const end = w + run; w < end; w += 32) {
      const p = v128.load(w)
      const q = v128.load(w, 16)
      let v = v128.load32_splat(x0)
      a0 = i32x4.add(a0, i32x4.dot_i16x8_s(p, v))
      b0 = i32x4.add(b0, i32x4.dot_i16x8_s(q, v))
      v = v128.load32_splat(x1)
      a1 = i32x4.add(a1, i32x4.dot_i16x8_s(p, v))
      b1 = i32x4.add(b1, i32x4.dot_i16x8_s(q, v))
      v = v128.load32_splat(x2)
      a2 = i32x4.add(a2, i32x4.dot_i16x8_s(p, v))
      b2 = i32x4.add(b2, i32x4.dot_i16x8_s(q, v))
      v = v128.load32_splat(x3)
      a3 = i32x4.add(a3, i32x4.dot_i16x8_s(p, v))
      b3 = i32x4.add(b3, i32x4.dot_i16x8_s(q, v))
      x0 += 4
      x1 += 4
      x2 += 4
      x3 += 4
    }
  }
  if (rows == 0) {
    v128.store(y, a0)
    v128.store(y, b0, 16)
    v128.store(y, a1, 32)
    v128.store(y, b1, 48)
    v128.store(y, a2, 64)
    v128.store(y, b2, 80)
    v128.store(y, a3, 96)
    v128.store(y, b3, 112)
    return
  }
  if (givesSums) {
    storeSums(y, a0, b0)
    if (rows > 1) storeSums(y + step, a1, b1)
    if (rows > 2) storeSums(y + 2 * step, a2, b2)
    if (rows > 3) storeSums(y + 3 * step, a3, b3)
    return
  }
  const s = v128.load(panel, 32)
  const c = v128.load(panel, 64)
  a0 = roundedSum(a0, s, c)
  a1 = roundedSum(a1, s, c)
  a2 = roundedSum(a2, s, c)
  a3 = roundedSum(a3, s, c)
  const t = v128.load(panel, 48)
  const d = v128.load(panel, 80)
  b0 = roundedSum(b0, t, d)
  b1 = roundedSum(b1, t, d)
  b2 = roundedSum(b2, t, d)
  b3 = roundedSum(b3, t, d)
  const bounds = boundsAt()
  const zero = v128.load(bounds)
  const low = v128.load(bounds, 16)
  const high = v128.load(bounds, 32)
  a0 = narrowed(joined(a0, b0, zero), joined(a1, b1, zero), low, high)
  a2 = narrowed(joined(a2, b2, zero), joined(a3, b3, zero), low, high)
  storeRows(y, step, a0, rows)
  if (rows > 2) storeRows(y + 2 * step, step, a2, rows - 2)
}

/** The bytes, or floats, of one or two rows of sums, to which their panel still adds what sums begin with. */
export function finishRows(from: usize, y: usize, step: usize, rows: u32, columns: u32): void {
  const panel = panelAt()
  const start = v128.load(panel)
  const begin = v128.load(panel, 16)
  const edge = statics() + EDGE
  const isWhole = columns == PANEL
  if (givesSums) {
    const to = isWhole ? y : edge
    const apart: usize = isWhole ? step : 4 * PANEL
    storeSums(to, i32x4.add(v128.load(from), start), i32x4.add(v128.load(from, 16), begin))
    if (rows > 1) storeSums(to + apart, i32x4.add(v128.load(from, 32), start), i32x4.add(v128.load(from, 48), begin))
    if (!isWhole) storeEdge(edge, y, step, rows, columns)
    return
  }
  const bounds = boundsAt()
  const s = v128.load(panel, 32)
  const c = v128.load(panel, 64)
  const t = v128.load(panel, 48)
  const d = v128.load(panel, 80)
  const zero = v128.load(bounds)
  const a = joined(
    roundedSum(i32x4.add(v128.load(from), start), s, c),
    roundedSum(i32x4.add(v128.load(from, 16), begin), t, d),
    zero
  )
  const b = joined(
    roundedSum(i32x4.add(v128.load(from, 32), start), s, c),
    roundedSum(i32x4.add(v128.load(from, 48), begin), t, d),
    zero
  )
  const pair = narrowed(a, b, v128.load(bounds, 16), v128.load(bounds, 32))
  if (isWhole) storeRows(y, step, pair, rows)
  else {
    v128.store(edge, pair)
    storeEdge(edge, y, step, rows, columns)
  }
}
