import { Requantise } from '../elementwise/requantise'
import { firstOf, lastOf, worth } from '../thread'
import {
  beginPanel,
  beginTiles,
  copyRun,
  correction,
  DEPTH,
  operand,
  PANEL,
  ROWS,
  TABLE,
  tile8,
  UNSIGNED,
  unitOf,
  WORDS
} from './product8'
import { strips, WIDE, widenPanel } from './words8'

/** Rows of bytes times panels of whole numbers; see compiler/ops/dense/gemm8.ts for the parameter block. */
@unmanaged
export class Gemm8Params {
  rows: u32
  inner: u32
  columns: u32
  xRow: u32
  yRow: u32
  xZero: u32
  yZero: u32
  low: u32
  high: u32
  tiles: u32
}

/** Tiles at least for which a panel is widened. */
const WIDENED: u32 = 4
/** Fewer rows than these are not divided among threads, but columns. */
const FEW_ROWS: u32 = 48

export function gemm8(
  p: Gemm8Params,
  x: usize,
  w: usize,
  sums: usize,
  scale: usize,
  bias: usize,
  y: usize,
  scratch: usize
): void {
  const kind = operand()
  const groups = (p.inner + DEPTH - 1) / DEPTH
  const tiles = (p.rows + ROWS - 1) / ROWS
  const panels = (p.columns + PANEL - 1) / PANEL
  // A product of bytes is a quarter of one of floats.
  const byColumns = p.rows < FEW_ROWS
  const least = worth((byColumns ? p.rows * PANEL : ROWS * p.columns) * (p.inner >> 2))
  const firstTile: u32 = byColumns ? 0 : firstOf(tiles, least)
  const lastTile = byColumns ? tiles : lastOf(tiles, least)
  const firstPanel: u32 = byColumns ? firstOf(panels, least) : 0
  const lastPanel = byColumns ? lastOf(panels, least) : panels
  if (firstPanel >= lastPanel) return
  beginTiles(changetype<Requantise>(changetype<usize>(p) + offsetof<Gemm8Params>('yZero')))
  const times = correction(kind, p.xZero)
  // Rows are one run, which begins where they do.
  const offsets = scratch
  store<u32>(offsets, 0)
  const table = offsets + 4
  const isWords = kind == WORDS
  const together = isWords ? max(p.tiles, WIDENED) : p.tiles
  const wide = table + <usize>(together * TABLE)
  const copies = wide + (isWords ? <usize>groups * WIDE : 0)
  for (let first = firstTile; first < lastTile; first += together) {
    const last = min(first + together, lastTile)
    const from = x + <usize>(first * ROWS) * p.xRow
    const count = min(p.rows - first * ROWS, (last - first) * ROWS)
    tabulate(kind, p, from, count, (last - first) * ROWS, table, copies)
    for (let c = firstPanel; c < lastPanel; c++) {
      const at = <usize>c * PANEL
      beginPanel(times, sums + (at << 2), scale + (at << 2), bias + (at << 2))
      const panel = w + at * <usize>(groups * DEPTH)
      const to = y + <usize>(first * ROWS) * p.yRow + at
      const columns = min(p.columns - <u32>at, PANEL)
      if (isWords) {
        widenPanel(panel, groups, wide)
        strips(table, count, offsets, 1, p.inner, wide, to, p.yRow, columns)
        continue
      }
      for (let t = first; t < last; t++)
        tile8(
          table + (t - first) * TABLE,
          offsets,
          1,
          groups,
          panel,
          to + <usize>((t - first) * ROWS) * p.yRow,
          p.yRow,
          min(p.rows - t * ROWS, ROWS),
          columns
        )
    }
  }
}

/** Where rows begin: `count` of them, and the last again for what is missing to whole tiles. Products that take bytes read them there. */
function tabulate(kind: u32, p: Gemm8Params, x: usize, count: u32, rows: u32, table: usize, copies: usize): void {
  const isThere = kind == UNSIGNED
  const pitch = <usize>((p.inner + DEPTH - 1) / DEPTH) * DEPTH * unitOf(kind)
  for (let i: u32 = 0; i < rows; i++) {
    const row = <usize>min(i, count - 1)
    store<u32>(table + (i << 2), <u32>(isThere ? x + row * p.xRow : copies + row * pitch))
    if (!isThere && i < count) copyRun(kind, x + row * p.xRow, p.inner, copies + row * pitch)
  }
}

@unmanaged
export class Sums8Params {
  panels: u32
  groups: u32
}

/** The sum of each column's weights, once when a model is loaded. */
export function sums8(p: Sums8Params, w: usize, y: usize): void {
  for (let panel: u32 = 0; panel < p.panels; panel++, y += PANEL * 4)
    for (let column: u32 = 0; column < PANEL; column++) {
      let sum: i32 = 0
      let at = w + <usize>(panel * p.groups * PANEL + column) * DEPTH
      for (let group: u32 = 0; group < p.groups; group++, at += PANEL * DEPTH)
        sum += load<i8>(at) + load<i8>(at, 1) + load<i8>(at, 2) + load<i8>(at, 3)
      store<f32>(y + (column << 2), <f32>sum)
    }
}
