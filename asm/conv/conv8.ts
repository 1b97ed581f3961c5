import {
  beginPanel,
  beginTiles,
  copyRun,
  correction,
  DEPTH,
  fillRun,
  operand,
  PANEL,
  ROWS,
  TABLE,
  tile8,
  unitOf
} from '../dense/product8'
import { Requantise } from '../elementwise/requantise'
import { firstOf, lastOf, worth } from '../thread'

/** Fewer rows of output than these are not divided among threads, but panels of filters. */
const FEW_ROWS: u32 = 12

/** Convolution of bytes, dense, grouped or one filter a channel; see compiler/ops/conv/conv8.ts for the parameter block. */
@unmanaged
export class Conv8Params {
  batch: u32
  groups: u32
  channels: u32
  filters: u32
  inD: u32
  inH: u32
  inW: u32
  outD: u32
  outH: u32
  outW: u32
  kernelD: u32
  kernelH: u32
  kernelW: u32
  strideD: u32
  strideH: u32
  strideW: u32
  padD: u32
  padH: u32
  padW: u32
  dilationD: u32
  dilationH: u32
  dilationW: u32
  xN: u32
  xD: u32
  xH: u32
  xW: u32
  yN: u32
  yD: u32
  yH: u32
  yW: u32
  runs: u32
  xZero: u32
  yZero: u32
  low: u32
  high: u32
  rows: u32
}

/**
 * What a band of output rows reads is copied once, zero points around it, so that a window is runs of neighbouring elements that
 * begin at the same offsets everywhere.
 */
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
  beginTiles(changetype<Requantise>(changetype<usize>(p) + offsetof<Conv8Params>('yZero')))
  const times = correction(kind, p.xZero)
  const pixel = p.channels * unitOf(kind)
  const table = scratch + <usize>(segments << 2)
  const band = table + <usize>(((p.rows * p.outW + ROWS - 1) / ROWS) * TABLE)
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
    const to = y + (image / p.outD) * p.yN + (image % p.outD) * p.yD + h * p.yH
    for (let g: u32 = 0; g < p.groups; g++) {
      copyBand(kind, p, x + (image / p.outD) * p.xN + g * p.channels, image % p.outD, h, rows, band)
      for (let c = firstPanel; c < lastPanel; c++) {
        const at = <usize>(g * panels + c) * PANEL
        beginPanel(times, sums + (at << 2), scale + (at << 2), bias + (at << 2))
        for (let t: u32 = 0; t < tiles; t++)
          tile8(
            kind,
            table + t * TABLE,
            scratch,
            segments,
            groups,
            w + at * <usize>(depth * DEPTH),
            to + t * ROWS * p.yW + g * p.filters + c * PANEL,
            p.yW,
            min(pixels - t * ROWS, ROWS),
            min(p.filters - c * PANEL, PANEL)
          )
      }
    }
    line += rows
  }
}

/** Columns of a band, and rows of as many output rows as a band has at most. */
function widthOf(p: Conv8Params): u32 {
  return (p.outW - 1) * p.strideW + (p.kernelW - 1) * p.dilationW + 1
}

function heightOf(p: Conv8Params, rows: u32): u32 {
  return (rows - 1) * p.strideH + (p.kernelH - 1) * p.dilationH + 1
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

/** What `rows` rows of output from row `h` of plane `d` on read of one group; from front to back, for runs may write behind them. */
function copyBand(kind: u32, p: Conv8Params, x: usize, d: u32, h: u32, rows: u32, band: usize): void {
  const width = widthOf(p)
  const pixel = p.channels * unitOf(kind)
  const pitch = <usize>(width * pixel)
  const plane = <usize>heightOf(p, p.rows) * pitch
  const height = heightOf(p, rows)
  const left = min(p.padW, width)
  const inside = min(width - left, p.inW)
  const right = width - left - inside
  for (let kd: u32 = 0; kd < p.kernelD; kd++) {
    const z = d * p.strideD - p.padD + kd * p.dilationD
    let to = band + <usize>kd * plane
    for (let i: u32 = 0; i < height; i++, to += pitch) {
      const v = h * p.strideH - p.padH + i
      if (z >= p.inD || v >= p.inH) {
        fillRun(kind, p.xZero, width * p.channels, to)
        continue
      }
      const from = x + z * p.xD + v * p.xH
      const start = to + left * pixel
      if (left) fillRun(kind, p.xZero, left * p.channels, to)
      if (p.xW == p.channels) copyRun(kind, from, inside * p.channels, start)
      else for (let u: u32 = 0; u < inside; u++) copyRun(kind, from + u * p.xW, p.channels, start + u * pixel)
      if (right) fillRun(kind, p.xZero, right * p.channels, start + inside * pixel)
    }
  }
}
