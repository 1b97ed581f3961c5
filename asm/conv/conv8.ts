import { correction, DEPTH, operand, PANEL, packRun, packZeros, product8, ROWS, unitOf } from '../dense/product8'
import { finishTile, Requantise } from '../elementwise/requantise'
import { firstOf, lastOf, statics, worth } from '../thread'

/** Where a run is put together behind the thread's statics, and how long it may be (compiler/ops/conv/conv8.ts). */
const RUN: usize = 512

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
  tiles: u32
}

/** Windows are gathered into the packed rows of a matrix product, a block of tiles at a time. */
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
  const depth = p.kernelD * p.kernelH * depthOf(p)
  const size = <usize>(depth * ROWS * <u32>unitOf(kind))
  const panels = (p.filters + PANEL - 1) / PANEL
  const matrix = <usize>(panels * PANEL * depth * DEPTH)
  const r = changetype<Requantise>(changetype<usize>(p) + offsetof<Conv8Params>('yZero'))
  const times = correction(kind, p.xZero)
  // The rows of a tile lie evenly apart: where those of the output do not follow each other it ends with one of them.
  const even = p.yH == p.outW * p.yW && (p.outD == 1 || p.yD == p.outH * p.yH)
  const pixels = even ? p.outD * p.outH * p.outW : p.outW
  const perLine = (pixels + ROWS - 1) / ROWS
  const lines = even ? p.batch : p.batch * p.outD * p.outH
  const all = lines * perLine
  const least = worth(ROWS * panels * PANEL * depth * p.groups)
  const end = lastOf(all, least)
  for (let first = firstOf(all, least); first < end; first += p.tiles) {
    const last = min(first + p.tiles, end)
    for (let g: u32 = 0; g < p.groups; g++) {
      for (let t = first; t < last; t++)
        packTile(
          kind,
          p,
          x + g * p.channels,
          even ? (t / perLine) * p.outD * p.outH : t / perLine,
          (t % perLine) * ROWS,
          pixels,
          scratch + <usize>(t - first) * size
        )
      for (let c: u32 = 0; c < panels; c++) {
        const at = <usize>(g * panels + c) * PANEL
        for (let t = first; t < last; t++) {
          const pixel = (t % perLine) * ROWS
          const line = even ? <usize>((t / perLine) * p.yN) : lineOf(p, t / perLine)
          product8(
            kind,
            scratch + <usize>(t - first) * size,
            w + <usize>g * matrix + <usize>(c * PANEL * depth * DEPTH),
            depth
          )
          finishTile(
            r,
            times,
            sums + (at << 2),
            scale + (at << 2),
            bias + (at << 2),
            y + line + pixel * p.yW + g * p.filters + c * PANEL,
            p.yW,
            min(pixels - pixel, ROWS),
            min(p.filters - c * PANEL, PANEL)
          )
        }
      }
    }
  }
}

/** Groups of elements of a kernel row: of a run of all its pixels, or each pixel filled up. */
function depthOf(p: Conv8Params): u32 {
  if (p.runs) return (p.kernelW * p.channels + DEPTH - 1) / DEPTH
  return p.kernelW * ((p.channels + DEPTH - 1) / DEPTH)
}

/** Where a row of the output begins. */
function lineOf(p: Conv8Params, row: u32): usize {
  const rest = row / p.outH
  return <usize>((rest / p.outD) * p.yN + (rest % p.outD) * p.yD + (row % p.outH) * p.yH)
}

/** The windows of six neighbouring outputs, from `pixel` of row `row` on; behind the last of `pixels` they repeat it. */
function packTile(kind: u32, p: Conv8Params, x: usize, row: u32, pixel: u32, pixels: u32, to: usize): void {
  const unit = unitOf(kind)
  const step = <usize>(ROWS * <u32>unit)
  const line = <usize>depthOf(p) * step
  let column = pixel % p.outW
  row += pixel / p.outW
  let h = row % p.outH
  let d = (row / p.outH) % p.outD
  x += (row / p.outH / p.outD) * p.xN
  for (let i: u32 = 0; i < ROWS; i++, to += unit) {
    let at = to
    for (let kd: u32 = 0; kd < p.kernelD; kd++) {
      const z = d * p.strideD - p.padD + kd * p.dilationD
      for (let kh: u32 = 0; kh < p.kernelH; kh++, at += line) {
        const v = h * p.strideH - p.padH + kh * p.dilationH
        if (z < p.inD && v < p.inH) packLine(kind, p, x + z * p.xD + v * p.xH, column * p.strideW - p.padW, step, at)
        else packZeros(kind, p.xZero, depthOf(p) * DEPTH, at)
      }
    }
    if (pixel + i + 1 >= pixels) continue
    if (++column < p.outW) continue
    column = 0
    if (++h < p.outH) continue
    h = 0
    d++
  }
}

/** A row of a window whose first column is `left` of the input's row at `x`. */
function packLine(kind: u32, p: Conv8Params, x: usize, left: u32, step: usize, to: usize): void {
  const inside = <i32>left >= 0 && left + (p.kernelW - 1) * p.dilationW < p.inW
  // Pixels that follow each other are one run, if none of them needs filling up.
  if (inside && p.dilationW == 1 && p.xW == p.channels && (p.runs || p.channels % DEPTH == 0)) {
    packRun(kind, x + left * p.xW, p.kernelW * p.channels, to)
    return
  }
  if (p.runs) {
    packEdge(kind, p, x, left, to)
    return
  }
  const pitch = <usize>((p.channels + DEPTH - 1) / DEPTH) * step
  for (let kw: u32 = 0; kw < p.kernelW; kw++, to += pitch) {
    const u = left + kw * p.dilationW
    if (u < p.inW) packRun(kind, x + u * p.xW, p.channels, to)
    else packZeros(kind, p.xZero, p.channels, to)
  }
}

/** A run that is partly outside, put together in this thread's statics. */
function packEdge(kind: u32, p: Conv8Params, x: usize, left: u32, to: usize): void {
  const run = statics() + RUN
  memory.fill(run, <u8>p.xZero, p.kernelW * p.channels + DEPTH)
  for (let kw: u32 = 0; kw < p.kernelW; kw++) {
    const u = left + kw
    if (u < p.inW) memory.copy(run + kw * p.channels, x + u * p.xW, p.channels)
  }
  packRun(kind, run, p.kernelW * p.channels, to)
}
