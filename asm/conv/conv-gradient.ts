/**
 * Gradients of a convolution's weights, channels innermost. The output is [kernel position, input channel, filter], so
 * that filters are vectors; a tile of 4 channels x 8 filters stays in registers while a run of pixels passes. Pixels come
 * in chunks that fit the cache, over which all tiles pass; between chunks the sums are in the output. Threads divide the
 * rows of the output, never a sum.
 */

import { loadLanes, scatter } from '../lanes'
import { madd } from '../madd'
import { firstOf, lastOf, worth } from '../thread'
import { ConvParams } from './conv-params'

/** Floats of both operands that a chunk of pixels may hold. */
const CHUNK: u32 = 49152

/** Rows of output pixels (image, depth, height) in a chunk. */
function rowsAtOnce(p: ConvParams): u32 {
  return max<u32>(CHUNK / max(p.groups * (p.channels * p.strideW + p.filters) * p.outW, 1), 1)
}

/** The columns [first, last) of output pixels at which a kernel column reads inside the row. */
function firstColumn(p: ConvParams, kw: u32): u32 {
  const at = <i32>(kw * p.dilationW) - <i32>p.padW
  return at >= 0 ? 0 : min((<u32>-at + p.strideW - 1) / p.strideW, p.outW)
}

function lastColumn(p: ConvParams, kw: u32): u32 {
  const room = <i32>(p.inW + p.padW) - <i32>(kw * p.dilationW)
  return room <= 0 ? 0 : min((<u32>room + p.strideW - 1) / p.strideW, p.outW)
}

/** Where the walk over the rows of output pixels is at, which one kernel position reads inside the input. */
let image: u32 = 0
let depth: u32 = 0
let height: u32 = 0
let rowsLeft: u32 = 0
let tapD: u32 = 0
let tapH: u32 = 0
let left: u32 = 0
/** Bytes from the beginning of both operands to the first pixel of the row, and pixels in it. */
let inputAt: usize = 0
let gradientAt: usize = 0
let pixels: u32 = 0
let shift: u32 = 0

/** A walk over the rows [row, end) for a kernel position. */
function beginWalk(p: ConvParams, tap: u32, row: u32, end: u32): void {
  const kw = tap % p.kernelW
  tapH = (tap / p.kernelW) % p.kernelH
  tapD = tap / p.kernelW / p.kernelH
  height = row % p.outH
  depth = (row / p.outH) % p.outD
  image = row / p.outH / p.outD
  left = firstColumn(p, kw)
  const right = lastColumn(p, kw)
  pixels = right > left ? right - left : 0
  rowsLeft = pixels ? end - row : 0
  shift = (left * p.strideW + kw * p.dilationW - p.padW) * p.xW
}

/** Goes on to the next row that lies inside the input; false behind the last. */
function nextRow(p: ConvParams): bool {
  while (rowsLeft > 0) {
    rowsLeft--
    const d = <i32>(depth * p.strideD + tapD * p.dilationD) - <i32>p.padD
    const h = <i32>(height * p.strideH + tapH * p.dilationH) - <i32>p.padH
    const inside = d >= 0 && d < <i32>p.inD && h >= 0 && h < <i32>p.inH
    inputAt = (<usize>(image * p.xN + d * p.xD + h * p.xH + shift)) << 2
    gradientAt = (<usize>(image * p.yN + depth * p.yD + height * p.yH + left * p.yW)) << 2
    if (++height == p.outH) {
      height = 0
      if (++depth == p.outD) {
        depth = 0
        image++
      }
    }
    if (inside) return true
  }
  return false
}

/** Bytes from a pixel of the input, and of the output, to the next one. */
function inputStep(p: ConvParams): usize {
  return (<usize>(p.strideW * p.xW)) << 2
}

function gradientStep(p: ConvParams): usize {
  return (<usize>p.yW) << 2
}

export function convGradient(p: ConvParams, x: usize, dy: usize, y: usize): void {
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

/** Four channels, 8 filters; `row` 0 begins the sums. */
function fourRows(
  p: ConvParams,
  tap: u32,
  row: u32,
  end: u32,
  x: usize,
  dy: usize,
  y: usize,
  pitch: usize,
  width: u32
): void {
  const xStep = inputStep(p)
  const yStep = gradientStep(p)
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
  beginWalk(p, tap, row, end)
  while (nextRow(p)) {
    let from = x + inputAt
    let at = dy + gradientAt
    for (let i = pixels; i > 0; i--, from += xStep, at += yStep) {
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

/** One channel, 8 filters; two sums each, that one multiplication need not wait for the one before. */
function oneRow(p: ConvParams, tap: u32, row: u32, end: u32, x: usize, dy: usize, y: usize, width: u32): void {
  const xStep = inputStep(p)
  const yStep = gradientStep(p)
  const zero = f32x4.splat(0)
  let a = row ? loadFirst(y, width) : zero
  let b = row ? loadSecond(y, width) : zero
  let c = zero
  let d = zero
  beginWalk(p, tap, row, end)
  while (nextRow(p)) {
    let from = x + inputAt
    let at = dy + gradientAt
    let i = pixels
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
export function depthwiseGradient(p: ConvParams, x: usize, dy: usize, y: usize): void {
  const taps = p.kernelH * p.kernelW
  const blocks = (p.groups + 15) / 16
  const rows = p.batch * p.outH
  const items = taps * blocks
  const least = worth(rows * p.outW * 32)
  const last = lastOf(items, least)
  for (let item = firstOf(items, least); item < last; item++) {
    const tap = item % taps
    const c = (item / taps) * 16
    const to = y + ((tap * p.groups + c) << 2)
    const count = p.groups - c
    if (count >= 16) {
      beginWalk(p, tap, 0, rows)
      sixteen(p, x + (c << 2), dy + (c << 2), to)
    } else
      for (let i: u32 = 0; i < count; i += 4) {
        beginWalk(p, tap, 0, rows)
        four(p, x + ((c + i) << 2), dy + ((c + i) << 2), to + (i << 2), min<u32>(count - i, 4))
      }
  }
}

function sixteen(p: ConvParams, x: usize, dy: usize, y: usize): void {
  const xStep = inputStep(p)
  const yStep = gradientStep(p)
  let a = f32x4.splat(0)
  let b = a
  let c = a
  let d = a
  while (nextRow(p)) {
    let from = x + inputAt
    let at = dy + gradientAt
    for (let i = pixels; i > 0; i--, from += xStep, at += yStep) {
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

function four(p: ConvParams, x: usize, dy: usize, y: usize, count: u32): void {
  const xStep = inputStep(p)
  const yStep = gradientStep(p)
  let sum = f32x4.splat(0)
  while (nextRow(p)) {
    let from = x + inputAt
    let at = dy + gradientAt
    for (let i = pixels; i > 0; i--, from += xStep, at += yStep) sum = madd(v128.load(from), v128.load(at), sum)
  }
  scatter(y, 4, sum, count)
}
