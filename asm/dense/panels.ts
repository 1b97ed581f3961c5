import { activateRow } from '../elementwise/activation'
import { Epilogue } from '../elementwise/epilogue'
import { HALF, halfTile } from './narrow'
import { isLate, PANEL, rowTile, tile } from './tile'
import { tilePair, WIDE } from './wide'

/** Weights of a matrix that stays in the cache of the second level, beside few rows and beside many. */
const CACHED: u32 = 196608
const SMALL: u32 = 65536

/**
 * All panels of one group over `rows` rows, four to a tile, whose tables follow each other. `at` is where the group's first column lies behind the rows' addresses;
 * `lone` says that the last tile is one row, and so in every thread's slice, for rowTile rounds otherwise than tile;
 * `halves` that halfTile may be used, whose sums go by the parity within a segment: segments are of even length, or the
 * same in every thread's slice.
 */
export function panels(
  tables: usize,
  stride: usize,
  rows: u32,
  shift: usize,
  w: usize,
  bias: usize,
  slope: usize,
  at: usize,
  inner: u32,
  columns: u32,
  e: Epilogue,
  lone: bool,
  halves: bool
): void {
  const tiles = (rows + 3) >> 2
  const matrix = inner * columns
  const panel = <usize>inner * PANEL * 4
  // Whole panels go in pairs where tiles take two, and then the rest.
  const pairs: u32 = WIDE ? columns / (2 * PANEL) : 0
  const count = (columns + PANEL - 1) / PANEL - pairs
  // Weights that stay near anyway go by in one stream for each tile; of others a panel stays while the tiles go by.
  const streamed = matrix <= SMALL || (rows <= 64 && matrix <= CACHED)
  const outer = streamed ? tiles : count
  const inside = streamed ? count : tiles
  for (let i: u32 = 0; i < outer; i++)
    for (let j: u32 = 0; j < inside; j++) {
      const t = streamed ? i : j
      const unit = streamed ? j : i
      const c = unit + min(unit, pairs)
      const table = tables + <usize>t * stride
      const weights = w + <usize>c * panel
      const o = <usize>(c * PANEL) * 4
      const width = min(columns - c * PANEL, PANEL)
      const alone = lone && t + 1 == tiles
      if (WIDE && unit < pairs) {
        if (!alone) {
          tilePair(table, shift, weights, panel, bias + o, slope + o, at + o, e)
          continue
        }
        const next = o + PANEL * 4
        rowTile(table, shift, weights + panel, bias + next, slope + next, at + next, PANEL, e)
      }
      if (alone) rowTile(table, shift, weights, bias + o, slope + o, at + o, width, e)
      else if (halves && width <= HALF) halfTile(table, shift, weights, bias + o, slope + o, at + o, width, e)
      else tile(table, shift, weights, bias + o, slope + o, at + o, width, e)
    }
  activateRows(tables, stride, rows, at, columns, e)
}

/** An activation that is late, over finished rows; those that follow each other in memory are one. */
export function activateRows(tables: usize, stride: usize, rows: u32, at: usize, columns: u32, e: Epilogue): void {
  if (!isLate(e)) return
  let from = <usize>load<u32>(tables) + at
  let count = columns
  for (let i: u32 = 1; i < rows; i++) {
    const y = <usize>load<u32>(tables + <usize>(i >> 2) * stride + <usize>(i & 3) * 4) + at
    if (y == from + ((<usize>count) << 2)) {
      count += columns
      continue
    }
    activateRow(e.act, e.alpha, e.beta, from, from, count)
    from = y
    count = columns
  }
  activateRow(e.act, e.alpha, e.beta, from, from, count)
}
