/**
 * Gradients of a convolution's weights, channels innermost. The output is [kernel position, input channel, filter], so
 * that filters are vectors; a tile of 4 channels x 8 filters stays in registers while a run of pixels passes. Pixels come
 * in chunks that fit the cache, over which all tiles pass; between chunks the sums are in the output. Threads divide the
 * rows of the output, never a sum.
 */
import { loadLanes, scatter } from './lanes'
import { madd } from './madd'
import { firstOf, lastOf, worth } from './thread'

@unmanaged
export class ConvGradientParams {
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
}

/** Floats of both operands that a chunk of pixels may hold. */
const CHUNK: u32 = 49152

/** Rows of output pixels (image, depth, height) in a chunk. */
function rowsAtOnce(p: ConvGradientParams): u32 {
  return max<u32>(CHUNK / max(p.groups * (p.channels * p.strideW + p.filters) * p.outW, 1), 1)
}

/** The columns [first, last) of output pixels at which a kernel column reads inside the row. */
function firstColumn(p: ConvGradientParams, kw: u32): u32 {
  const at = <i32>(kw * p.dilationW) - <i32>p.padW
  return at >= 0 ? 0 : min((<u32>-at + p.strideW - 1) / p.strideW, p.outW)
}

function lastColumn(p: ConvGradientParams, kw: u32): u32 {
  const room = <i32>(p.inW + p.padW) - <i32>(kw * p.dilationW)
  return room <= 0 ? 0 : min((<u32>room + p.strideW - 1) / p.strideW, p.outW)
}

/** Where a row of output pixels reads the input at a kernel row, in floats; a number below 0 where it lies outside. */
function inputRow(p: ConvGradientParams, n: u32, od: u32, oh: u32, kd: u32, kh: u32): i32 {
  const d = <i32>(od * p.strideD + kd * p.dilationD) - <i32>p.padD
  const h = <i32>(oh * p.strideH + kh * p.dilationH) - <i32>p.padH
  if (d < 0 || d >= <i32>p.inD || h < 0 || h >= <i32>p.inH) return -1
  return n * p.xN + d * p.xD + h * p.xH
}

function gradientRow(p: ConvGradientParams, n: u32, od: u32, oh: u32): u32 {
  return n * p.yN + od * p.yD + oh * p.yH
}

export function convGradient(p: ConvGradientParams, x: usize, dy: usize, y: usize): void {
  const taps = p.kernelD * p.kernelH * p.kernelW
  const blocks = (p.channels + 3) / 4
  const items = taps * p.groups * blocks
  const rows = p.batch * p.outD * p.outH
  const pitch = (<usize>(p.groups * p.filters)) << 2
  const least = worth(rows * p.outW * p.filters)
  const first = firstOf(items, least)
  const last = lastOf(items, least)
  const step = rowsAtOnce(p)
  for (let row: u32 = 0; row < rows; row += step) {
    const end = min(row + step, rows)
    for (let item = first; item < last; item++) {
      const block = item % blocks
      const group = (item / blocks) % p.groups
      const tap = item / blocks / p.groups
      const c = block * 4
      const count = min(p.channels - c, 4)
      const to = y + <usize>(tap * p.channels + c) * pitch + ((group * p.filters) << 2)
      const from = x + ((group * p.channels + c) << 2)
      for (let f: u32 = 0; f < p.filters; f += 8) {
        const width = min(p.filters - f, 8)
        const at = dy + ((group * p.filters + f) << 2)
        if (count == 4) fourRows(p, tap, row, end, from, at, to + (f << 2), pitch, width)
        else
          for (let i: u32 = 0; i < count; i++)
            oneRow(p, tap, row, end, from + (i << 2), at, to + <usize>i * pitch + (f << 2), width)
      }
    }
  }
}

function fourRows(
  p: ConvGradientParams,
  tap: u32,
  row: u32,
  end: u32,
  x: usize,
  dy: usize,
  y: usize,
  pitch: usize,
  width: u32
): void {
  const kw = tap % p.kernelW
  const kh = (tap / p.kernelW) % p.kernelH
  const kd = tap / p.kernelW / p.kernelH
  const left = firstColumn(p, kw)
  const right = lastColumn(p, kw)
  const xStep = (<usize>(p.strideW * p.xW)) << 2
  const yStep = (<usize>p.yW) << 2
  let a0 = f32x4.splat(0)
  let b0 = a0
  let a1 = a0
  let b1 = a0
  let a2 = a0
  let b2 = a0
  let a3 = a0
  let b3 = a0
  if (row) {
    a0 = loadFirst(y, width)
    b0 = loadSecond(y, width)
    a1 = loadFirst(y + pitch, width)
    b1 = loadSecond(y + pitch, width)
    a2 = loadFirst(y + 2 * pitch, width)
    b2 = loadSecond(y + 2 * pitch, width)
    a3 = loadFirst(y + 3 * pitch, width)
    b3 = loadSecond(y + 3 * pitch, width)
  }
  let oh = row % p.outH
  let od = (row / p.outH) % p.outD
  let n = row / p.outH / p.outD
  if (left < right)
    for (; row < end; row++, oh++) {
      if (oh == p.outH) {
        oh = 0
        if (++od == p.outD) {
          od = 0
          n++
        }
      }
      const base = inputRow(p, n, od, oh, kd, kh)
      if (base < 0) continue
      let from = x + ((<i32>base + <i32>((left * p.strideW + kw * p.dilationW - p.padW) * p.xW)) << 2)
      let at = dy + ((gradientRow(p, n, od, oh) + left * p.yW) << 2)
      for (let i = right - left; i > 0; i--, from += xStep, at += yStep) {
        const g = v128.load(at)
        const h = v128.load(at, 16)
        let v = v128.load32_splat(from)
        a0 = madd(v, g, a0)
        b0 = madd(v, h, b0)
        v = v128.load32_splat(from, 4)
        a1 = madd(v, g, a1)
        b1 = madd(v, h, b1)
        v = v128.load32_splat(from, 8)
        a2 = madd(v, g, a2)
        b2 = madd(v, h, b2)
        v = v128.load32_splat(from, 12)
        a3 = madd(v, g, a3)
        b3 = madd(v, h, b3)
      }
    }
  store8(y, a0, b0, width)
  store8(y + pitch, a1, b1, width)
  store8(y + 2 * pitch, a2, b2, width)
  store8(y + 3 * pitch, a3, b3, width)
}

function oneRow(p: ConvGradientParams, tap: u32, row: u32, end: u32, x: usize, dy: usize, y: usize, width: u32): void {
  const kw = tap % p.kernelW
  const kh = (tap / p.kernelW) % p.kernelH
  const kd = tap / p.kernelW / p.kernelH
  const left = firstColumn(p, kw)
  const right = lastColumn(p, kw)
  const xStep = (<usize>(p.strideW * p.xW)) << 2
  const yStep = (<usize>p.yW) << 2
  let a = f32x4.splat(0)
  let b = a
  if (row) {
    a = loadFirst(y, width)
    b = loadSecond(y, width)
  }
  // Two sums each, that one multiplication need not wait for the one before.
  let c = f32x4.splat(0)
  let d = c
  let oh = row % p.outH
  let od = (row / p.outH) % p.outD
  let n = row / p.outH / p.outD
  if (left < right)
    for (; row < end; row++, oh++) {
      if (oh == p.outH) {
        oh = 0
        if (++od == p.outD) {
          od = 0
          n++
        }
      }
      const base = inputRow(p, n, od, oh, kd, kh)
      if (base < 0) continue
      let from = x + ((<i32>base + <i32>((left * p.strideW + kw * p.dilationW - p.padW) * p.xW)) << 2)
      let at = dy + ((gradientRow(p, n, od, oh) + left * p.yW) << 2)
      let i = right - left
      for (; i > 1; i -= 2, from += 2 * xStep, at += 2 * yStep) {
        const v = v128.load32_splat(from)
        a = madd(v, v128.load(at), a)
        b = madd(v, v128.load(at, 16), b)
        const w = v128.load32_splat(from + xStep)
        c = madd(w, v128.load(at + yStep), c)
        d = madd(w, v128.load(at + yStep, 16), d)
      }
      if (i) {
        const v = v128.load32_splat(from)
        a = madd(v, v128.load(at), a)
        b = madd(v, v128.load(at, 16), b)
      }
    }
  store8(y, f32x4.add(a, c), f32x4.add(b, d), width)
}

function loadFirst(y: usize, width: u32): v128 {
  return loadLanes(y, min<u32>(width, 4))
}

function loadSecond(y: usize, width: u32): v128 {
  return width > 4 ? loadLanes(y + 16, width - 4) : f32x4.splat(0)
}

function store8(y: usize, a: v128, b: v128, width: u32): void {
  scatter(y, 4, a, min<u32>(width, 4))
  if (width > 4) scatter(y + 16, 4, b, width - 4)
}

/** Sixteen channels at a time, one kernel position after the other. */
export function depthwiseGradient(p: ConvGradientParams, x: usize, dy: usize, y: usize): void {
  const taps = p.kernelH * p.kernelW
  const blocks = (p.groups + 15) / 16
  const rows = p.batch * p.outH
  const items = taps * blocks
  const least = worth(rows * p.outW * 32)
  const last = lastOf(items, least)
  for (let item = firstOf(items, least); item < last; item++) {
    const block = item / taps
    const tap = item % taps
    const c = block * 16
    const to = y + ((tap * p.groups + c) << 2)
    const count = p.groups - c
    if (count >= 16) sixteen(p, tap, x + (c << 2), dy + (c << 2), to)
    else
      for (let i: u32 = 0; i < count; i += 4)
        four(p, tap, x + ((c + i) << 2), dy + ((c + i) << 2), to + (i << 2), min<u32>(count - i, 4))
  }
}

function sixteen(p: ConvGradientParams, tap: u32, x: usize, dy: usize, y: usize): void {
  const kw = tap % p.kernelW
  const kh = tap / p.kernelW
  const left = firstColumn(p, kw)
  const right = lastColumn(p, kw)
  const xStep = (<usize>(p.strideW * p.xW)) << 2
  const yStep = (<usize>p.yW) << 2
  let a = f32x4.splat(0)
  let b = a
  let c = a
  let d = a
  const rows = p.batch * p.outH
  let oh: u32 = 0
  let n: u32 = 0
  if (left < right)
    for (let row: u32 = 0; row < rows; row++, oh++) {
      if (oh == p.outH) {
        oh = 0
        n++
      }
      const base = inputRow(p, n, 0, oh, 0, kh)
      if (base < 0) continue
      let from = x + ((<i32>base + <i32>((left * p.strideW + kw * p.dilationW - p.padW) * p.xW)) << 2)
      let at = dy + ((gradientRow(p, n, 0, oh) + left * p.yW) << 2)
      for (let i = right - left; i > 0; i--, from += xStep, at += yStep) {
        a = madd(v128.load(from), v128.load(at), a)
        b = madd(v128.load(from, 16), v128.load(at, 16), b)
        c = madd(v128.load(from, 32), v128.load(at, 32), c)
        d = madd(v128.load(from, 48), v128.load(at, 48), d)
      }
    }
  v128.store(y, a)
  v128.store(y, b, 16)
  v128.store(y, c, 32)
  v128.store(y, d, 48)
}

function four(p: ConvGradientParams, tap: u32, x: usize, dy: usize, y: usize, count: u32): void {
  const kw = tap % p.kernelW
  const kh = tap / p.kernelW
  const left = firstColumn(p, kw)
  const right = lastColumn(p, kw)
  const xStep = (<usize>(p.strideW * p.xW)) << 2
  const yStep = (<usize>p.yW) << 2
  let sum = f32x4.splat(0)
  const rows = p.batch * p.outH
  let oh: u32 = 0
  let n: u32 = 0
  if (left < right)
    for (let row: u32 = 0; row < rows; row++, oh++) {
      if (oh == p.outH) {
        oh = 0
        n++
      }
      const base = inputRow(p, n, 0, oh, 0, kh)
      if (base < 0) continue
      let from = x + ((<i32>base + <i32>((left * p.strideW + kw * p.dilationW - p.padW) * p.xW)) << 2)
      let at = dy + ((gradientRow(p, n, 0, oh) + left * p.yW) << 2)
      for (let i = right - left; i > 0; i--, from += xStep, at += yStep) sum = madd(v128.load(from), v128.load(at), sum)
    }
  scatter(y, 4, sum, count)
}
