import { activate, activateRow } from './activation'
import { ConvParams } from './conv'
import { loadLanes } from './lanes'
import { isFirst } from './thread'
import { isLate, storeColumns } from './tile'

/**
 * Depthwise convolution, 4 output columns x 4 channels in registers. A kernel row's weights stay in registers while
 * the columns pass; windows that hang over an edge take a path of single columns that skips what is outside.
 */
const CLIP: u32 = 1
const PRELU: u32 = 3

export function depthwise(
  p: ConvParams,
  x: usize,
  w: usize,
  bias: usize,
  slope: usize,
  r: usize,
  y: usize,
  _scratch: usize
): void {
  if (!isFirst()) return
  const reach = (p.kernelW - 1) * p.dilationW
  // Columns [left, right) read nothing outside; they go four at a time.
  const left = min((p.padW + p.strideW - 1) / p.strideW, p.outW)
  const beyond = <i32>(p.inW + p.padW) - <i32>reach
  const right = beyond > 0 ? max(min((<u32>beyond + p.strideW - 1) / p.strideW, p.outW), left) : left
  const blocks = left + ((right - left) & ~3)
  for (let n: u32 = 0; n < p.batch; n++)
    for (let oh: u32 = 0; oh < p.outH; oh++) {
      const top = <i32>(oh * p.strideH - p.padH)
      let kh0: u32 = 0
      while (kh0 < p.kernelH && top + <i32>(kh0 * p.dilationH) < 0) kh0++
      let kh1 = p.kernelH
      while (kh1 > kh0 && top + <i32>((kh1 - 1) * p.dilationH) >= <i32>p.inH) kh1--
      const row = x + (<usize>n * p.xN + <usize>(top + <i32>(kh0 * p.dilationH)) * p.xH) * 4
      const weights = w + <usize>kh0 * p.kernelW * p.groups * 4
      const out = y + (<usize>n * p.yN + <usize>oh * p.yH) * 4
      const residual = r + (<usize>n * p.rN + <usize>oh * p.rH) * 4
      for (let ow: u32 = 0; ow < left; ow++) column(p, kh1 - kh0, ow, row, weights, bias, slope, residual, out)
      for (let ow = left; ow < blocks; ow += 4) columns(p, kh1 - kh0, ow, row, weights, bias, slope, residual, out)
      for (let ow = blocks; ow < p.outW; ow++) column(p, kh1 - kh0, ow, row, weights, bias, slope, residual, out)
      if (isLate(p.act, p.residual))
        for (let ow: u32 = 0; ow < p.outW; ow++) {
          const pixel = out + <usize>(ow * p.yW) * 4
          activateRow(p.act, p.alpha, p.beta, pixel, pixel, p.groups)
        }
    }
}

/** Four columns that lie inside, all channels. */
function columns(
  p: ConvParams,
  rows: u32,
  ow: u32,
  row: usize,
  w: usize,
  bias: usize,
  slope: usize,
  residual: usize,
  out: usize
): void {
  const channels = p.groups
  const xRow = <usize>p.xH * p.dilationH * 4
  const tap = <usize>p.xW * p.dilationW * 4
  const step = <usize>p.xW * p.strideW * 4
  const yStep = <usize>p.yW * 4
  const rStep = <usize>p.rW * 4
  const x = row + <usize>(ow * p.strideW - p.padW) * p.xW * 4
  const y = out + <usize>ow * yStep
  const r = residual + <usize>ow * rStep
  const pitch = <usize>channels * 4
  const narrow = p.kernelW == 3 && tap == step
  const whole = channels & ~3
  for (let c: u32 = 0; c < whole; c += 4) {
    const at = <usize>c * 4
    let a0 = v128.load(bias + at)
    let a1 = a0
    let a2 = a0
    let a3 = a0
    let xr = x + at
    let wr = w + at
    for (let kh: u32 = 0; kh < rows; kh++) {
      if (narrow) {
        const w0 = v128.load(wr)
        const w1 = v128.load(wr + pitch)
        const w2 = v128.load(wr + pitch * 2)
        let v = v128.load(xr)
        a0 = f32x4.add(a0, f32x4.mul(v, w0))
        v = v128.load(xr + step)
        a0 = f32x4.add(a0, f32x4.mul(v, w1))
        a1 = f32x4.add(a1, f32x4.mul(v, w0))
        v = v128.load(xr + step * 2)
        a0 = f32x4.add(a0, f32x4.mul(v, w2))
        a1 = f32x4.add(a1, f32x4.mul(v, w1))
        a2 = f32x4.add(a2, f32x4.mul(v, w0))
        v = v128.load(xr + step * 3)
        a1 = f32x4.add(a1, f32x4.mul(v, w2))
        a2 = f32x4.add(a2, f32x4.mul(v, w1))
        a3 = f32x4.add(a3, f32x4.mul(v, w0))
        v = v128.load(xr + step * 4)
        a2 = f32x4.add(a2, f32x4.mul(v, w2))
        a3 = f32x4.add(a3, f32x4.mul(v, w1))
        v = v128.load(xr + step * 5)
        a3 = f32x4.add(a3, f32x4.mul(v, w2))
        wr += pitch * 3
      } else {
        let from = xr
        for (let kw: u32 = 0; kw < p.kernelW; kw++) {
          const wv = v128.load(wr)
          a0 = f32x4.add(a0, f32x4.mul(v128.load(from), wv))
          a1 = f32x4.add(a1, f32x4.mul(v128.load(from + step), wv))
          a2 = f32x4.add(a2, f32x4.mul(v128.load(from + step * 2), wv))
          a3 = f32x4.add(a3, f32x4.mul(v128.load(from + step * 3), wv))
          wr += pitch
          from += tap
        }
      }
      xr += xRow
    }
    finish(p, a0, slope + at, r + at, y + at, 4)
    finish(p, a1, slope + at, r + rStep + at, y + yStep + at, 4)
    finish(p, a2, slope + at, r + rStep * 2 + at, y + yStep * 2 + at, 4)
    finish(p, a3, slope + at, r + rStep * 3 + at, y + yStep * 3 + at, 4)
  }
  if (whole == channels) return
  for (let i: u32 = 0; i < 4; i++) columnFrom(p, whole, rows, ow + i, row, w, bias, slope, residual, out)
}

function column(
  p: ConvParams,
  rows: u32,
  ow: u32,
  row: usize,
  w: usize,
  bias: usize,
  slope: usize,
  residual: usize,
  out: usize
): void {
  columnFrom(p, 0, rows, ow, row, w, bias, slope, residual, out)
}

/**
 * One column, from channel `first` on, over the kernel columns that lie inside the input; 16 channels at a time, whose
 * sums do not wait for each other.
 */
function columnFrom(
  p: ConvParams,
  first: u32,
  rows: u32,
  ow: u32,
  row: usize,
  w: usize,
  bias: usize,
  slope: usize,
  residual: usize,
  out: usize
): void {
  const start = <i32>(ow * p.strideW - p.padW)
  let kw0: u32 = 0
  while (kw0 < p.kernelW && start + <i32>(kw0 * p.dilationW) < 0) kw0++
  let kw1 = p.kernelW
  while (kw1 > kw0 && start + <i32>((kw1 - 1) * p.dilationW) >= <i32>p.inW) kw1--
  const pitch = <usize>p.groups * 4
  const xRow = <usize>p.xH * p.dilationH * 4
  const tap = <usize>p.xW * p.dilationW * 4
  const x = row + <usize>(start + <i32>(kw0 * p.dilationW)) * p.xW * 4
  const weights = w + <usize>kw0 * pitch
  const skip = <usize>(p.kernelW - (kw1 - kw0)) * pitch
  const y = out + <usize>ow * p.yW * 4
  const r = residual + <usize>ow * p.rW * 4
  let c = first
  for (; c + 16 <= p.groups; c += 16) {
    const at = <usize>c * 4
    let a0 = v128.load(bias + at)
    let a1 = v128.load(bias + at, 16)
    let a2 = v128.load(bias + at, 32)
    let a3 = v128.load(bias + at, 48)
    let wr = weights + at
    for (let kh: u32 = 0; kh < rows; kh++) {
      let from = x + <usize>kh * xRow + at
      for (let kw = kw0; kw < kw1; kw++) {
        a0 = f32x4.add(a0, f32x4.mul(v128.load(from), v128.load(wr)))
        a1 = f32x4.add(a1, f32x4.mul(v128.load(from, 16), v128.load(wr, 16)))
        a2 = f32x4.add(a2, f32x4.mul(v128.load(from, 32), v128.load(wr, 32)))
        a3 = f32x4.add(a3, f32x4.mul(v128.load(from, 48), v128.load(wr, 48)))
        from += tap
        wr += pitch
      }
      wr += skip
    }
    finish(p, a0, slope + at, r + at, y + at, 4)
    finish(p, a1, slope + at + 16, r + at + 16, y + at + 16, 4)
    finish(p, a2, slope + at + 32, r + at + 32, y + at + 32, 4)
    finish(p, a3, slope + at + 48, r + at + 48, y + at + 48, 4)
  }
  for (; c < p.groups; c += 4) {
    const count = min(p.groups - c, 4)
    const at = <usize>c * 4
    let sum = loadLanes(bias + at, count)
    let wr = weights + at
    for (let kh: u32 = 0; kh < rows; kh++) {
      let from = x + <usize>kh * xRow + at
      for (let kw = kw0; kw < kw1; kw++) {
        sum = f32x4.add(sum, f32x4.mul(loadLanes(from, count), loadLanes(wr, count)))
        from += tap
        wr += pitch
      }
      wr += skip
    }
    finish(p, sum, slope + at, r + at, y + at, count)
  }
}

function finish(p: ConvParams, v: v128, slope: usize, r: usize, y: usize, count: u32): void {
  const residual = p.residual ? loadLanes(r, count) : f32x4.splat(0)
  if (p.residual == 1) v = f32x4.add(v, residual)
  if (p.act == CLIP) v = f32x4.pmin(f32x4.pmax(v, f32x4.splat(p.alpha)), f32x4.splat(p.beta))
  else if (p.act && !isLate(p.act, p.residual)) {
    const alpha = p.act == PRELU ? loadLanes(slope, count) : f32x4.splat(p.alpha)
    v = activate(p.act, v, alpha, f32x4.splat(p.beta))
  }
  if (p.residual == 2) v = f32x4.add(v, residual)
  if (count == 4) v128.store(y, v)
  else storeColumns(y, v, v, count)
}
