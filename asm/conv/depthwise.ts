import { CLIP, lowerBound, upperBound } from '../elementwise/activation'
import { Epilogue, finishRow } from '../elementwise/epilogue'
import { madd } from '../madd'
import { firstOf, lastOf, statics, worth } from '../thread'
import { ConvParams } from './conv-params'
import { columns3s1, columns3s2, columns5s1, columns5s2, store4 } from './depthwise-columns'

/**
 * Depthwise convolution, 4 output columns x 4 channels in registers: a kernel row's weights stay there while the
 * columns pass, and an input that several columns use is loaded once. Columns whose windows hang over an edge are taken
 * one by one, over what lies inside. An epilogue beyond a bound follows row by row: calls among the sums would send
 * those to the stack.
 *
 * Vectors of the last channels read what lies behind them, and store only what is theirs.
 */
export function depthwise(
  p: ConvParams,
  x: usize,
  w: usize,
  bias: usize,
  slope: usize,
  r: usize,
  y: usize,
  scratch: usize
): void {
  const reach = (p.kernelW - 1) * p.dilationW
  // Columns [left, right) read nothing outside.
  const left = min((p.padW + p.strideW - 1) / p.strideW, p.outW)
  const beyond = <i32>(p.inW + p.padW) - <i32>reach
  const right = beyond > 0 ? max(min((<u32>beyond + p.strideW - 1) / p.strideW, p.outW), left) : left
  const pitch = <usize>p.groups * 4
  const e = changetype<Epilogue>(changetype<usize>(p) + offsetof<ConvParams>('residual'))
  const rows = p.batch * p.outH
  const least = worth((p.outW * p.groups * p.kernelH * p.kernelW) >> 1)
  const last = lastOf(rows, least)
  for (let row = firstOf(rows, least); row < last; row++) {
    const n = <usize>(row / p.outH)
    const oh = row % p.outH
    const top = <i32>(oh * p.strideH - p.padH)
    let kh0: u32 = 0
    while (kh0 < p.kernelH && top + <i32>(kh0 * p.dilationH) < 0) kh0++
    let kh1 = p.kernelH
    while (kh1 > kh0 && top + <i32>((kh1 - 1) * p.dilationH) >= <i32>p.inH) kh1--
    const from = x + (n * p.xN + <usize>(top + <i32>(kh0 * p.dilationH)) * p.xH) * 4
    const weights = w + <usize>kh0 * p.kernelW * pitch
    const out = y + (n * p.yN + <usize>oh * p.yH) * 4
    const to = e.residual ? scratch : out
    const toStep = e.residual ? pitch : <usize>p.yW * 4
    for (let ow: u32 = 0; ow < left; ow++) edge(p, kh1 - kh0, ow, from, weights, bias, to + <usize>ow * toStep)
    let ow = left
    for (; ow + 4 <= right; ow += 4) inner(p, kh1 - kh0, ow, from, weights, bias, to + <usize>ow * toStep, toStep)
    if (ow < right && right - left >= 4) {
      // Three of these columns at most are done a second time.
      ow = right - 4
      inner(p, kh1 - kh0, ow, from, weights, bias, to + <usize>ow * toStep, toStep)
      ow = right
    }
    for (; ow < p.outW; ow++) edge(p, kh1 - kh0, ow, from, weights, bias, to + <usize>ow * toStep)
    if (e.act <= CLIP && e.residual == 0) continue
    const skip = r + (n * p.rN + <usize>oh * p.rH) * 4
    for (let i: u32 = 0; i < p.outW; i++)
      finishRow(e, to + <usize>i * toStep, slope, skip + <usize>(i * p.rW) * 4, out + <usize>(i * p.yW) * 4, p.groups)
  }
}

/** Four columns that lie inside, all channels. */
function inner(p: ConvParams, rows: u32, ow: u32, row: usize, w: usize, bias: usize, y: usize, yStep: usize): void {
  const x = row + <usize>(ow * p.strideW - p.padW) * p.xW * 4
  const xRow = <usize>p.xH * p.dilationH * 4
  const xStep = <usize>p.xW * 4
  const pitch = <usize>p.groups * 4
  const whole = pitch & ~15
  const kind = p.residual ? 0 : p.act
  const low = lowerBound(kind, p.alpha)
  const high = upperBound(kind, p.beta)
  const shape = p.dilationW == 1 ? p.kernelW * 10 + p.strideW : 0
  if (shape == 31) columns3s1(x, xRow, xStep, w, pitch, rows, bias, y, yStep, whole, low, high)
  else if (shape == 32) columns3s2(x, xRow, xStep, w, pitch, rows, bias, y, yStep, whole, low, high)
  else if (shape == 51) columns5s1(x, xRow, xStep, w, pitch, rows, bias, y, yStep, whole, low, high)
  else if (shape == 52) columns5s2(x, xRow, xStep, w, pitch, rows, bias, y, yStep, whole, low, high)
  else columns(p, x, xRow, xStep, w, pitch, rows, bias, y, yStep, whole, low, high)
  if (whole == pitch) return
  const rest = statics()
  columns(p, x + whole, xRow, xStep, w + whole, pitch, rows, bias + whole, rest, 16, 16, low, high)
  for (let i: usize = 0; i < 4; i++) memory.copy(y + i * yStep + whole, rest + i * 16, pitch - whole)
}

/** Any kernel width, stride and dilation. */
function columns(
  p: ConvParams,
  x: usize,
  xRow: usize,
  xStep: usize,
  w: usize,
  pitch: usize,
  rows: u32,
  bias: usize,
  y: usize,
  yStep: usize,
  bytes: usize,
  low: v128,
  high: v128
): void {
  const width = p.kernelW
  const tap = xStep * p.dilationW
  const step = xStep * p.strideW
  const step2 = step * 2
  const step3 = step * 3
  for (const end = bias + bytes; bias < end; bias += 16, x += 16, w += 16, y += 16) {
    let a0 = v128.load(bias)
    let a1 = a0
    let a2 = a0
    let a3 = a0
    let from = x
    let wr = w
    for (let kh = rows; kh > 0; kh--, from += xRow) {
      let at = from
      for (let kw = width; kw > 0; kw--, at += tap, wr += pitch) {
        const v = v128.load(wr)
        a0 = madd(v128.load(at), v, a0)
        a1 = madd(v128.load(at + step), v, a1)
        a2 = madd(v128.load(at + step2), v, a2)
        a3 = madd(v128.load(at + step3), v, a3)
      }
    }
    store4(y, yStep, a0, a1, a2, a3, low, high)
  }
}

/** One column, over the kernel columns that lie inside; 16 channels at a time, whose sums do not wait for each other. */
function edge(p: ConvParams, rows: u32, ow: u32, row: usize, w: usize, bias: usize, y: usize): void {
  const start = <i32>(ow * p.strideW - p.padW)
  let kw0: u32 = 0
  while (kw0 < p.kernelW && start + <i32>(kw0 * p.dilationW) < 0) kw0++
  let kw1 = p.kernelW
  while (kw1 > kw0 && start + <i32>((kw1 - 1) * p.dilationW) >= <i32>p.inW) kw1--
  const pitch = <usize>p.groups * 4
  const xRow = <usize>p.xH * p.dilationH * 4
  const tap = <usize>p.xW * p.dilationW * 4
  const width = kw1 - kw0
  const skip = <usize>(p.kernelW - width) * pitch
  let x = row + <usize>(start + <i32>(kw0 * p.dilationW)) * p.xW * 4
  w += <usize>kw0 * pitch
  const kind = p.residual ? 0 : p.act
  const low = lowerBound(kind, p.alpha)
  const high = upperBound(kind, p.beta)
  let left = pitch
  for (; left >= 64; left -= 64, x += 64, w += 64, bias += 64, y += 64) {
    let a0 = v128.load(bias)
    let a1 = v128.load(bias, 16)
    let a2 = v128.load(bias, 32)
    let a3 = v128.load(bias, 48)
    let from = x
    let wr = w
    for (let kh = rows; kh > 0; kh--, from += xRow, wr += skip) {
      let at = from
      for (let kw = width; kw > 0; kw--, at += tap, wr += pitch) {
        a0 = madd(v128.load(at), v128.load(wr), a0)
        a1 = madd(v128.load(at, 16), v128.load(wr, 16), a1)
        a2 = madd(v128.load(at, 32), v128.load(wr, 32), a2)
        a3 = madd(v128.load(at, 48), v128.load(wr, 48), a3)
      }
    }
    store4(y, 16, a0, a1, a2, a3, low, high)
  }
  const rest = statics()
  for (; left > 0; x += 16, w += 16, bias += 16, y += 16) {
    let sum = v128.load(bias)
    let from = x
    let wr = w
    for (let kh = rows; kh > 0; kh--, from += xRow, wr += skip) {
      let at = from
      for (let kw = width; kw > 0; kw--, at += tap, wr += pitch) sum = madd(v128.load(at), v128.load(wr), sum)
    }
    v128.store(rest, f32x4.pmin(f32x4.pmax(sum, low), high))
    const bytes = min(left, 16)
    memory.copy(y, rest, bytes)
    left -= bytes
  }
}
