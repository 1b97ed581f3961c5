import { correction, DEPTH, operand, PANEL, packRun, packZeros, product8, ROWS, unitOf } from '../dense/product8'
import { finishTile, Requantise } from '../elementwise/requantise'
import { firstOf, lastOf, worth } from '../thread'

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
  const taps = p.kernelD * p.kernelH * p.kernelW
  const depth = taps * ((p.channels + DEPTH - 1) / DEPTH)
  const size = <usize>depth * ROWS * unitOf(kind)
  const panels = (p.filters + PANEL - 1) / PANEL
  const matrix = <usize>(panels * PANEL * depth * DEPTH)
  const r = changetype<Requantise>(changetype<usize>(p) + offsetof<Conv8Params>('yZero'))
  const times = correction(kind, p.xZero)
  // A tile's rows lie evenly apart: it ends with a row of the output.
  const perRow = (p.outW + ROWS - 1) / ROWS
  const rows = p.batch * p.outD * p.outH
  const all = rows * perRow
  const least = worth(ROWS * panels * PANEL * depth * p.groups)
  const end = lastOf(all, least)
  for (let first = firstOf(all, least); first < end; first += p.tiles) {
    const last = min(first + p.tiles, end)
    for (let g: u32 = 0; g < p.groups; g++) {
      for (let t = first; t < last; t++)
        packTile(
          kind,
          p,
          x + <usize>(g * p.channels),
          t / perRow,
          (t % perRow) * ROWS,
          scratch + <usize>(t - first) * size
        )
      for (let c: u32 = 0; c < panels; c++) {
        const at = <usize>(g * panels + c) * PANEL
        for (let t = first; t < last; t++) {
          product8(
            kind,
            scratch + <usize>(t - first) * size,
            w + <usize>g * matrix + <usize>(c * PANEL * depth * DEPTH),
            depth
          )
          const column = (t % perRow) * ROWS
          finishTile(
            r,
            times,
            sums + (at << 2),
            scale + (at << 2),
            bias + (at << 2),
            y + rowOf(p, t / perRow) + column * p.yW + g * p.filters + c * PANEL,
            p.yW,
            min(p.outW - column, ROWS),
            min(p.filters - c * PANEL, PANEL)
          )
        }
      }
    }
  }
}

/** Where a row of the output begins. */
function rowOf(p: Conv8Params, row: u32): usize {
  const h = row % p.outH
  const rest = row / p.outH
  return (rest / p.outD) * p.yN + (rest % p.outD) * p.yD + h * p.yH
}

/** The windows of six neighbours of an output row, from `column` on; what is behind the row repeats its last. */
function packTile(kind: u32, p: Conv8Params, x: usize, row: u32, column: u32, to: usize): void {
  const unit = unitOf(kind)
  const h = row % p.outH
  const rest = row / p.outH
  const d = rest % p.outD
  x += (rest / p.outD) * p.xN
  const step = <usize>((p.channels + DEPTH - 1) / DEPTH) * ROWS * unit
  // A kernel row whose pixels follow each other is one run, if none of them needs filling up.
  const dense = p.dilationW == 1 && p.xW == p.channels && p.channels % DEPTH == 0
  for (let i: u32 = 0; i < ROWS; i++, to += unit) {
    const left = <i32>(min(column + i, p.outW - 1) * p.strideW - p.padW)
    const whole = dense && left >= 0 && left + <i32>p.kernelW <= <i32>p.inW
    let at = to
    for (let kd: u32 = 0; kd < p.kernelD; kd++) {
      const z = d * p.strideD - p.padD + kd * p.dilationD
      for (let kh: u32 = 0; kh < p.kernelH; kh++) {
        const v = h * p.strideH - p.padH + kh * p.dilationH
        const inside = z < p.inD && v < p.inH
        const line = x + z * p.xD + v * p.xH
        if (inside && whole) {
          packRun(kind, line + left * p.xW, p.kernelW * p.channels, at)
          at += step * p.kernelW
          continue
        }
        for (let kw: u32 = 0; kw < p.kernelW; kw++, at += step) {
          const u = <u32>left + kw * p.dilationW
          if (inside && u < p.inW) packRun(kind, line + u * p.xW, p.channels, at)
          else packZeros(kind, p.xZero, p.channels, at)
        }
      }
    }
  }
}
