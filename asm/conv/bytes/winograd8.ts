import { beginPanel, correction, PANEL, WORDS } from '../../dense/product8'
import { finishRows, STRIP, widenPanel, words } from '../../dense/words8'
import { firstOf, lastOf, statics, worth } from '../../thread'
import { Conv8Params, copyBand, zeroPoint } from './band8'

/**
 * 3×3 convolutions of bytes by F(2×2, 3×3) (Lavin and Gray 2016, arXiv 1509.09308), for engines without products of bytes: 16 products
 * in place of 36, in whole numbers. Filters are transformed by twice the usual matrix, so that results are four times the sums, exactly:
 * all is exact modulo 2^32, and four times a sum of up to 1024 channels is a number of 32 bits. Transformed inputs lie within 1020,
 * filters within 1152, which 16 bits hold. Filters are transformed panel by panel in every call, which costs no memory.
 */

/** Bytes between places beyond what they take: at powers of two they would share a set of the cache. */
const APART: usize = 64

/** Fewer strips than these are not divided among threads, but panels of filters. */
const FEW_STRIPS: u32 = 8

/** Results take `1 << size` bytes. */
export function winograd8(
  p: Conv8Params,
  x: usize,
  w: usize,
  sums: usize,
  scale: usize,
  bias: usize,
  y: usize,
  scratch: usize,
  size: u32
): void {
  const channels = p.channels
  const across = (p.outW + 1) >> 1
  const down = (p.outH + 1) >> 1
  const perImage = (down + p.strip - 1) / p.strip
  const count = p.batch * perImage
  const panels = (p.filters + PANEL - 1) / PANEL
  const byPanels = count < FEW_STRIPS
  const each = <u64>(p.strip * across) * channels * 4
  const least = worth(byPanels ? each * PANEL * count : each * panels * PANEL)
  const lastStrip = byPanels ? count : lastOf(count, least)
  const firstPanel: u32 = byPanels ? firstOf(panels, least) : 0
  const lastPanel = byPanels ? lastOf(panels, least) : panels
  if (firstPanel >= lastPanel) return
  const times = correction(WORDS, zeroPoint)
  const most = p.strip * across
  const filters = scratch + 16
  const tap = ((<usize>channels) << 4) + APART
  const wide = filters + 16 * tap
  const products = wide + 9 * tap
  const inputs = products + <usize>most * 512
  const band = inputs + 16 * (<usize>(most * channels) * 2 + APART)
  store<u32>(scratch, 0)
  const each8 = (<usize>channels) << 3
  for (let strip: u32 = byPanels ? 0 : firstOf(count, least); strip < lastStrip; strip++) {
    const top = (strip % perImage) * p.strip
    const rows = min(p.strip, down - top)
    const image = strip / perImage
    const tiles = rows * across
    copyBand(WORDS, p, x + image * p.xN, 0, top << 1, rows << 1, band)
    transformInput(p, band, rows, across, inputs)
    const to = y + ((<usize>(image * p.yN + (top << 1) * p.yH)) << size)
    for (let c = firstPanel; c < lastPanel; c++) {
      const at = <usize>c * PANEL
      beginPanel(times, sums + (at << 2), scale + (at << 2), bias + (at << 2))
      for (let t: usize = 0; t < 9; t++) widenPanel(w + (<usize>c * 9 + t) * each8, channels >> 2, wide + t * tap)
      transformFilters(wide, channels, filters)
      multiply(scratch, inputs, tiles, channels, filters, products)
      transformOutput(p, size, products, top, rows, across, to + (at << size), min(p.filters - <u32>at, PANEL))
    }
  }
}

/** The elements of each place in a transformed tile: one row of channels for each tile. */
function transformInput(p: Conv8Params, band: usize, rows: u32, across: u32, to: usize): void {
  const pixel = (<usize>p.channels) << 1
  const line = <usize>(p.outW + 2) * pixel
  const place = <usize>(rows * across) * pixel + APART
  for (let i: u32 = 0; i < rows; i++, band += 2 * line) {
    let tile = band
    for (let j: u32 = 0; j < across; j++, tile += 2 * pixel)
      for (let from = tile; from < tile + pixel; from += 16, to += 16) {
        transformDifference(from, from + 2 * line, pixel, to, place)
        transformSum(from + line, from + 2 * line, pixel, to + 4 * place, place)
        transformDifference(from + 2 * line, from + line, pixel, to + 8 * place, place)
        transformDifference(from + line, from + 3 * line, pixel, to + 12 * place, place)
      }
  }
}

/** Of the difference of two rows of four pixels. */
function transformDifference(a: usize, b: usize, pixel: usize, to: usize, place: usize): void {
  const d0 = i16x8.sub(v128.load(a), v128.load(b))
  const d1 = i16x8.sub(v128.load(a + pixel), v128.load(b + pixel))
  const d2 = i16x8.sub(v128.load(a + 2 * pixel), v128.load(b + 2 * pixel))
  const d3 = i16x8.sub(v128.load(a + 3 * pixel), v128.load(b + 3 * pixel))
  storeRow(d0, d1, d2, d3, to, place)
}

/** Of the sum. */
function transformSum(a: usize, b: usize, pixel: usize, to: usize, place: usize): void {
  const d0 = i16x8.add(v128.load(a), v128.load(b))
  const d1 = i16x8.add(v128.load(a + pixel), v128.load(b + pixel))
  const d2 = i16x8.add(v128.load(a + 2 * pixel), v128.load(b + 2 * pixel))
  const d3 = i16x8.add(v128.load(a + 3 * pixel), v128.load(b + 3 * pixel))
  storeRow(d0, d1, d2, d3, to, place)
}

function storeRow(d0: v128, d1: v128, d2: v128, d3: v128, to: usize, place: usize): void {
  v128.store(to, i16x8.sub(d0, d2))
  v128.store(to + place, i16x8.add(d1, d2))
  v128.store(to + 2 * place, i16x8.sub(d2, d1))
  v128.store(to + 3 * place, i16x8.sub(d1, d3))
}

/** Filters of a widened panel, four times as large as usual, by place. */
function transformFilters(w: usize, channels: u32, to: usize): void {
  const size = (<usize>channels) << 4
  const tap = size + APART
  for (const end = w + size; w < end; w += 16, to += 16) {
    filterRow(v128.load(w), v128.load(w + tap), v128.load(w + 2 * tap), to, tap, 0)
    filterRow(v128.load(w + 3 * tap), v128.load(w + 4 * tap), v128.load(w + 5 * tap), to, tap, 4)
    filterRow(v128.load(w + 6 * tap), v128.load(w + 7 * tap), v128.load(w + 8 * tap), to, tap, 8)
    for (let j: usize = 0; j < 4; j++) {
      const at = to + j * tap
      const g0 = v128.load(at)
      const g1 = v128.load(at + 4 * tap)
      const g2 = v128.load(at + 8 * tap)
      const ends = i16x8.add(g0, g2)
      v128.store(at, i16x8.add(g0, g0))
      v128.store(at + 4 * tap, i16x8.add(ends, g1))
      v128.store(at + 8 * tap, i16x8.sub(ends, g1))
      v128.store(at + 12 * tap, i16x8.add(g2, g2))
    }
  }
}

/** A row of a filter, to the places from `first` on. */
function filterRow(g0: v128, g1: v128, g2: v128, to: usize, tap: usize, first: usize): void {
  const ends = i16x8.add(g0, g2)
  to += first * tap
  v128.store(to, i16x8.add(g0, g0))
  v128.store(to + tap, i16x8.add(ends, g1))
  v128.store(to + 2 * tap, i16x8.sub(ends, g1))
  v128.store(to + 3 * tap, i16x8.add(g2, g2))
}

/** At each of the 16 places the sums over channels of all tiles, at least 4. */
function multiply(zero: usize, x: usize, tiles: u32, channels: u32, w: usize, to: usize): void {
  const pixel = (<usize>channels) << 1
  const place = <usize>tiles * pixel + APART
  for (
    const end = x + 16 * place;
    x < end;
    x += place, w += ((<usize>channels) << 4) + APART, to += (<usize>tiles) << 5
  )
    for (let done: u32 = 0; done < tiles; done += STRIP) {
      const tile = <usize>min(done, tiles - STRIP)
      const at = x + tile * pixel
      words(at, at + pixel, at + 2 * pixel, at + 3 * pixel, zero, 1, channels, w, to + (tile << 5), 0, 0)
    }
}

/** The results of a strip's tiles. */
function transformOutput(
  p: Conv8Params,
  size: u32,
  from: usize,
  top: u32,
  rows: u32,
  across: u32,
  y: usize,
  columns: u32
): void {
  const place = (<usize>(rows * across)) << 5
  const at = statics()
  const line = (<usize>p.yH) << size
  const pixel = (<usize>p.yW) << size
  for (let i: u32 = 0; i < rows; i++, y += 2 * line) {
    const isLast = ((top + i) << 1) + 1 >= p.outH
    for (let j: u32 = 0; j < across; j++, from += 32) {
      sumPlaces(from, place, at)
      sumPlaces(from + 16, place, at + 16)
      const pixels: u32 = (j << 1) + 1 < p.outW ? 2 : 1
      const to = y + <usize>(j << 1) * pixel
      finishRows(at, to, pixel, pixels, columns)
      if (!isLast) finishRows(at + 64, to + line, pixel, pixels, columns)
    }
  }
}

/** Four filters of the four outputs of a tile: (0, 0), (0, 1), (1, 0), (1, 1). */
function sumPlaces(from: usize, place: usize, to: usize): void {
  const line = place << 2
  let m0 = i32x4.add(i32x4.add(v128.load(from), v128.load(from + line)), v128.load(from + 2 * line))
  let n0 = i32x4.sub(i32x4.sub(v128.load(from + line), v128.load(from + 2 * line)), v128.load(from + 3 * line))
  from += place
  let m1 = i32x4.add(i32x4.add(v128.load(from), v128.load(from + line)), v128.load(from + 2 * line))
  let n1 = i32x4.sub(i32x4.sub(v128.load(from + line), v128.load(from + 2 * line)), v128.load(from + 3 * line))
  from += place
  const m2 = i32x4.add(i32x4.add(v128.load(from), v128.load(from + line)), v128.load(from + 2 * line))
  const n2 = i32x4.sub(i32x4.sub(v128.load(from + line), v128.load(from + 2 * line)), v128.load(from + 3 * line))
  from += place
  const m3 = i32x4.add(i32x4.add(v128.load(from), v128.load(from + line)), v128.load(from + 2 * line))
  const n3 = i32x4.sub(i32x4.sub(v128.load(from + line), v128.load(from + 2 * line)), v128.load(from + 3 * line))
  v128.store(to, i32x4.shr_s(i32x4.add(i32x4.add(m0, m1), m2), 2))
  v128.store(to, i32x4.shr_s(i32x4.sub(i32x4.sub(m1, m2), m3), 2), 32)
  v128.store(to, i32x4.shr_s(i32x4.add(i32x4.add(n0, n1), n2), 2), 64)
  v128.store(to, i32x4.shr_s(i32x4.sub(i32x4.sub(n1, n2), n3), 2), 96)
}
