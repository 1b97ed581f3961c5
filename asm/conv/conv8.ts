import {
  beginPanel,
  beginSums,
  beginTiles,
  correction,
  DEPTH,
  operand,
  PANEL,
  ROWS,
  TABLE,
  tile8,
  unitOf,
  WORDS
} from '../dense/product8'
import { strips, WIDE, widenPanel } from '../dense/words8'
import { Requantise } from '../elementwise/requantise'
import { firstOf, lastOf, worth } from '../thread'
import { beginBand, Conv8Params, copyBand, heightOf, widthOf, zeroPoint } from './band8'
import { winograd8 } from './winograd8'

/** Fewer rows of output than these are not divided among threads, but panels of filters. */
const FEW_ROWS: u32 = 12

export function conv8(
  p: Conv8Params,
  x: usize,
  w: usize,
  sums: usize,
  scale: usize,
  bias: usize,
  y: usize,
  scratch: usize
): void {
  const kind = operand()
  beginBand(p.xZero)
  beginTiles(changetype<Requantise>(changetype<usize>(p) + offsetof<Conv8Params>('yZero')))
  if (kind == WORDS && p.strip) winograd8(p, x, w, sums, scale, bias, y, scratch, 0)
  else multiply(kind, p, x, w, sums, scale, bias, y, scratch, 0)
}

/** The sums as floats, each rounded once; `zero` has the zero point, to which the block's is added. */
export function conv32(p: Conv8Params, x: usize, w: usize, sums: usize, zero: usize, y: usize, scratch: usize): void {
  const start = load<f32>(zero) + <f32>p.xZero
  beginBand(start > 0 ? <u32>min<f32>(start, 255) : 0)
  beginSums()
  const kind = operand()
  if (kind == WORDS && p.strip) winograd8(p, x, w, sums, 0, 0, y, scratch, 2)
  else multiply(kind, p, x, w, sums, 0, 0, y, scratch, 2)
}

/**
 * What a band of output rows reads is copied once, zero points around it, so that a window is runs of neighbouring elements that
 * begin at the same offsets everywhere. Results take `1 << size` bytes.
 */
function multiply(
  kind: u32,
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
  const run = p.runs ? p.kernelW : 1
  const groups = (run * p.channels + DEPTH - 1) / DEPTH
  const segments = p.kernelD * p.kernelH * (p.kernelW / run)
  const depth = segments * groups
  const panels = (p.filters + PANEL - 1) / PANEL
  const lines = p.batch * p.outD * p.outH
  const byPanels = lines < FEW_ROWS && panels > lines
  const least = worth(<u64>depth * (byPanels ? PANEL * lines * p.outW : panels * PANEL * p.outW) * p.groups)
  const lastLine = byPanels ? lines : lastOf(lines, least)
  const firstPanel: u32 = byPanels ? firstOf(panels, least) : 0
  const lastPanel = byPanels ? lastOf(panels, least) : panels
  if (firstPanel >= lastPanel || p.outW == 0) return
  const times = correction(kind, zeroPoint)
  const pixel = p.channels * unitOf(kind)
  const step = (<usize>p.yW) << size
  const table = scratch + <usize>(segments << 2)
  const wide = table + <usize>(((p.rows * p.outW + ROWS - 1) / ROWS) * TABLE)
  const band = wide + (kind == WORDS ? <usize>depth * WIDE : 0)
  writeOffsets(p, run, pixel, scratch)
  // A tile's rows lie evenly apart: where those of the output do not follow each other it ends with one of them.
  const most = p.yH == p.outW * p.yW ? p.rows : 1
  for (let line: u32 = byPanels ? 0 : firstOf(lines, least); line < lastLine; ) {
    const h = line % p.outH
    const image = line / p.outH
    const rows = min(min(most, p.outH - h), lastLine - line)
    const pixels = rows * p.outW
    const tiles = (pixels + ROWS - 1) / ROWS
    writeTable(p, pixels, pixel, band, table)
    const to = y + ((<usize>((image / p.outD) * p.yN + (image % p.outD) * p.yD + h * p.yH)) << size)
    for (let g: u32 = 0; g < p.groups; g++) {
      copyBand(kind, p, x + (image / p.outD) * p.xN + g * p.channels, image % p.outD, h, rows, band)
      for (let c = firstPanel; c < lastPanel; c++) {
        const at = <usize>(g * panels + c) * PANEL
        beginPanel(times, sums + (at << 2), scale + (at << 2), bias + (at << 2))
        const panel = w + at * <usize>(depth * DEPTH)
        const first = to + ((<usize>(g * p.filters + c * PANEL)) << size)
        const columns = min(p.filters - c * PANEL, PANEL)
        if (kind == WORDS) {
          widenPanel(panel, depth, wide)
          strips(table, pixels, scratch, segments, run * p.channels, wide, first, step, columns)
          continue
        }
        for (let t: u32 = 0; t < tiles; t++)
          tile8(
            table + t * TABLE,
            scratch,
            segments,
            groups,
            panel,
            first + <usize>(t * ROWS) * step,
            step,
            min(pixels - t * ROWS, ROWS),
            columns
          )
      }
    }
    line += rows
  }
}

/** Where the runs of a window begin, from its first element on. */
function writeOffsets(p: Conv8Params, run: u32, pixel: u32, to: usize): void {
  const width = widthOf(p)
  const height = heightOf(p, p.rows)
  for (let kd: u32 = 0; kd < p.kernelD; kd++)
    for (let kh: u32 = 0; kh < p.kernelH; kh++)
      for (let kw: u32 = 0; kw < p.kernelW; kw += run, to += 4)
        store<u32>(to, ((kd * height + kh * p.dilationH) * width + kw * p.dilationW) * pixel)
}

/** Where the windows of pixels begin; the last again for what is missing to whole tiles. */
function writeTable(p: Conv8Params, pixels: u32, pixel: u32, band: usize, to: usize): void {
  const line = <usize>(p.strideH * widthOf(p) * pixel)
  const step = <usize>(p.strideW * pixel)
  let start = band
  let column: u32 = 0
  for (const end = to + <usize>(((pixels + ROWS - 1) / ROWS) * TABLE); to < end; to += 4) {
    store<u32>(to, <u32>(start + <usize>column * step))
    if (--pixels == 0) pixels = 1
    else if (++column == p.outW) {
      column = 0
      start += line
    }
  }
}
