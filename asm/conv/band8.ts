import { copyRun, fillRun, unitOf } from '../dense/product8'

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
  strip: u32
}

/** The zero point of the call; threads have each their own. */
export let zeroPoint: u32 = 0

export function beginBand(zero: u32): void {
  zeroPoint = zero
}

/** Columns of a band, and rows of as many output rows as a band has at most. */
export function widthOf(p: Conv8Params): u32 {
  return (p.outW - 1) * p.strideW + (p.kernelW - 1) * p.dilationW + 1
}

export function heightOf(p: Conv8Params, rows: u32): u32 {
  return (rows - 1) * p.strideH + (p.kernelH - 1) * p.dilationH + 1
}

/** What `rows` rows of output from row `h` of plane `d` on read of one group; from front to back, for runs may write behind them. */
export function copyBand(kind: u32, p: Conv8Params, x: usize, d: u32, h: u32, rows: u32, band: usize): void {
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
        fillRun(kind, zeroPoint, width * p.channels, to)
        continue
      }
      const from = x + z * p.xD + v * p.xH
      const start = to + left * pixel
      if (left) fillRun(kind, zeroPoint, left * p.channels, to)
      if (p.xW == p.channels) copyRun(kind, from, inside * p.channels, start)
      else for (let u: u32 = 0; u < inside; u++) copyRun(kind, from + u * p.xW, p.channels, start + u * pixel)
      if (right) fillRun(kind, zeroPoint, right * p.channels, start + inside * pixel)
    }
  }
}
