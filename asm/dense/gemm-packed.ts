import { activateRow } from '../elementwise/activation'
import { Epilogue } from '../elementwise/epilogue'
import { GemmParams, gemm, rows, sliceOf } from './gemm'
import { ROWS, sixRows, spreadSix } from './product'
import { isInline, isLate, PANEL } from './tile'
import { DEEP, sixPair, WIDE } from './wide'

/**
 * gemm for many columns: a block of rows is packed into groups first, which the panels pay back. Rows and columns that
 * fill no group or panel go the way of gemm; sums are the same bits either way. Without fused multiply-adds a group is
 * no larger than a tile of gemm's and gains nothing (measured), so all goes that way.
 */
export function gemmPacked(
  p: GemmParams,
  x: usize,
  w: usize,
  bias: usize,
  slope: usize,
  r: usize,
  y: usize,
  scratch: usize
): void {
  const e = changetype<Epilogue>(changetype<usize>(p) + offsetof<GemmParams>('residual'))
  if (ROWS < 6 || p.rows < 2 * ROWS || !(isInline(e) || isLate(e))) {
    gemm(p, x, w, bias, slope, r, y, scratch)
    return
  }
  const s = sliceOf(p)
  if (s.firstPanel == s.lastPanel || s.firstRow >= s.lastRow) return
  const skipped = (<usize>(s.firstPanel * PANEL)) << 2
  const columns = min(s.lastPanel * PANEL, p.columns) - s.firstPanel * PANEL
  const whole = columns & ~(PANEL - 1)
  const count = s.lastRow - s.firstRow
  const grouped = count - (count % ROWS)
  const xStep = (<usize>p.xRow) << 2
  const yStep = (<usize>p.yRow) << 2
  const rStep = (<usize>p.rRow) << 2
  x += <usize>s.firstRow * xStep
  y += <usize>s.firstRow * yStep + skipped
  r += <usize>s.firstRow * rStep + skipped
  w += skipped * p.inner
  bias += skipped
  slope += skipped
  const perBlock = max((p.tiles * 4) / ROWS, 1)
  const block = perBlock * ROWS
  for (let first: u32 = 0; first < grouped; first += block) {
    const groups = min(perBlock, (grouped - first) / ROWS)
    pack(x + <usize>first * xStep, xStep, groups, p.inner, scratch)
    multiply(p, e, scratch, groups, w, bias, y + <usize>first * yStep, yStep, r + <usize>first * rStep, rStep, whole)
  }
  const edge = (<usize>whole) << 2
  if (whole < columns)
    rows(
      x,
      p.xRow,
      y + edge,
      p.yRow,
      r + edge,
      p.rRow,
      grouped,
      w + edge * p.inner,
      bias + edge,
      slope + edge,
      p.inner,
      columns - whole,
      p.tiles,
      scratch,
      e,
      false
    )
  if (grouped < count)
    rows(
      x + <usize>grouped * xStep,
      p.xRow,
      y + <usize>grouped * yStep,
      p.yRow,
      r + <usize>grouped * rStep,
      p.rRow,
      count - grouped,
      w,
      bias,
      slope,
      p.inner,
      columns,
      p.tiles,
      scratch,
      e,
      false
    )
}

/** Rows to groups: element k of the ROWS rows of a group lie next to each other. */
function pack(x: usize, xStep: usize, groups: u32, inner: u32, to: usize): void {
  for (; groups > 0; groups--, x += ROWS * xStep) to = spreadSix(x, xStep, inner, to)
}

/** A block of groups times whole panels. */
function multiply(
  p: GemmParams,
  e: Epilogue,
  x: usize,
  groups: u32,
  w: usize,
  bias: usize,
  y: usize,
  yStep: usize,
  r: usize,
  rStep: usize,
  columns: u32
): void {
  const group = (<usize>(p.inner * ROWS)) << 2
  const panel = (<usize>(p.inner * PANEL)) << 2
  let column: usize = 0
  for (const last = (<usize>columns) << 2; column < last; column += PANEL << 2, w += panel) {
    const pair = WIDE && p.inner >= DEEP && column + (PANEL << 2) < last
    let from = x
    let to = y + column
    let skip = r + column
    for (let g = groups; g > 0; g--, from += group, to += <usize>ROWS * yStep, skip += <usize>ROWS * rStep)
      if (pair) sixPair(from, w, panel, p.inner, bias + column, 0, to, yStep, skip, rStep, e)
      else sixRows(from, w, p.inner, bias + column, to, yStep, skip, rStep, e)
    if (!pair) continue
    column += PANEL << 2
    w += panel
  }
  if (!isLate(e)) return
  for (let row = groups * ROWS; row > 0; row--, y += yStep) activateRow(e.act, e.alpha, e.beta, y, y, columns)
}
