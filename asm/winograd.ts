import { activate, CLIP, lowerBound, PRELU, upperBound } from './activation'
import { Epilogue, RESIDUAL_AFTER, RESIDUAL_BEFORE } from './epilogue'
import { loadLanes } from './lanes'
import { product, ROWS } from './product'
import { firstOf, lastOf, statics } from './thread'
import { PANEL, storeColumns } from './tile'

/**
 * 3x3 convolution with stride 1 as F(m x m, 3x3) for m = 2 and m = 4 (Winograd 1980; Lavin and Gray 2015, arXiv
 * 1509.09308, section 4): tiles of (m+2)^2 inputs become as many matrix products over channels, from which m x m
 * outputs are taken. A block of tiles is transformed, multiplied and finished before the next, so that it stays in
 * the cache. Transformed tiles lie as the products want them, in groups of ROWS.
 */
@unmanaged
export class WinogradParams {
  batch: u32
  channels: u32
  filters: u32
  inH: u32
  inW: u32
  outH: u32
  outW: u32
  padH: u32
  padW: u32
  xN: u32
  xH: u32
  xW: u32
  yN: u32
  yH: u32
  yW: u32
  rN: u32
  rH: u32
  rW: u32
  residual: u32
  act: u32
  alpha: f32
  beta: f32
  tiles: u32
}

/** Bytes of a row of the 6x6 vectors that a tile takes on its way through the two passes of a transform. */
const ROW: usize = 6 * 16
const PASS: usize = 6 * ROW

export function winograd2(
  p: WinogradParams,
  x: usize,
  w: usize,
  bias: usize,
  slope: usize,
  r: usize,
  y: usize,
  scratch: usize
): void {
  winograd(p, 2, x, w, bias, slope, r, y, scratch)
}

export function winograd4(
  p: WinogradParams,
  x: usize,
  w: usize,
  bias: usize,
  slope: usize,
  r: usize,
  y: usize,
  scratch: usize
): void {
  winograd(p, 4, x, w, bias, slope, r, y, scratch)
}

/** `tiles` of a block is a multiple of 12, of which every ROWS is a divisor. */
function winograd(
  p: WinogradParams,
  m: u32,
  x: usize,
  w: usize,
  bias: usize,
  slope: usize,
  r: usize,
  y: usize,
  scratch: usize
): void {
  const points = <usize>(m + 2) * (m + 2)
  const padded = (p.filters + PANEL - 1) & ~(PANEL - 1)
  // Sixteen floats between the points' matrices keep them out of each other's cache sets.
  const vStep = <usize>(p.tiles * p.channels + 16) * 4
  const mStep = <usize>(p.tiles * padded + 16) * 4
  const products = scratch + points * vStep
  const across = (p.outW + m - 1) / m
  const count = across * ((p.outH + m - 1) / m)
  const panel = <usize>PANEL * p.channels * 4
  const group = <usize>ROWS * p.channels * 4
  const last = lastOf(p.batch * count, ROWS)
  for (let first = firstOf(p.batch * count, ROWS); first < last; first += p.tiles) {
    const block = min(p.tiles, last - first)
    for (let t: u32 = 0; t < block; t++) {
      const v = scratch + <usize>(t / ROWS) * group + <usize>(t % ROWS) * 4
      const n = (first + t) / count
      transformInput(p, m, x + <usize>n * p.xN * 4, (first + t) % count, across, v, vStep)
    }
    let weights = w
    for (let i: usize = 0; i < points; i++)
      for (let column: usize = 0; column < padded; column += PANEL, weights += panel) {
        let v = scratch + i * vStep
        let to = products + i * mStep + column * 4
        for (let t: u32 = 0; t < block; t += ROWS, v += group, to += <usize>(ROWS * padded) * 4)
          product(v, weights, p.channels, to, <usize>padded * 4, block - t)
      }
    for (let t: u32 = 0; t < block; t++) {
      const n = (first + t) / count
      transformOutput(
        p,
        m,
        n,
        (first + t) % count,
        across,
        products + <usize>(t * padded) * 4,
        mStep,
        bias,
        slope,
        r,
        y
      )
    }
  }
}

/** Vectors of the last channels read what lies behind them; `v` takes only what is there. */
function transformInput(p: WinogradParams, m: u32, x: usize, tile: u32, across: u32, v: usize, vStep: usize): void {
  const side = m + 2
  const h0 = <i32>((tile / across) * m) - <i32>p.padH
  const w0 = <i32>((tile % across) * m) - <i32>p.padW
  const inside = h0 >= 0 && w0 >= 0 && h0 + <i32>side <= <i32>p.inH && w0 + <i32>side <= <i32>p.inW
  const xRow = <usize>p.xH * 4
  const xColumn = <usize>p.xW * 4
  const memory = statics()
  let from = x + <usize>(h0 * <i32>p.xH + w0 * <i32>p.xW) * 4
  for (let c: u32 = 0; c < p.channels; c += 4, from += 16, v += ROWS * 16) {
    let row = from
    let to = memory
    for (let i: u32 = 0; i < side; i++, row += xRow, to += ROW) {
      let at = row
      if (inside) {
        for (let j: u32 = 0; j < side; j++, at += xColumn) v128.store(to + (j << 4), v128.load(at))
      } else {
        const hit = <u32>(h0 + <i32>i) < p.inH
        for (let j: u32 = 0; j < side; j++, at += xColumn)
          v128.store(to + (j << 4), hit && <u32>(w0 + <i32>j) < p.inW ? v128.load(at) : f32x4.splat(0))
      }
    }
    const count = min(p.channels - c, 4)
    if (m == 2) inputTwo(memory, v, vStep, count)
    else inputFour(memory, v, vStep, count)
  }
}

/** Four channels of a tile to their place among the rows of a group. */
function storeRow(v: usize, value: v128, count: u32): void {
  v128.store32_lane(v, value, 0)
  if (count > 1) v128.store32_lane(v, value, 1, ROWS * 4)
  if (count > 2) v128.store32_lane(v, value, 2, ROWS * 8)
  if (count > 3) v128.store32_lane(v, value, 3, ROWS * 12)
}

function inputTwo(memory: usize, v: usize, vStep: usize, count: u32): void {
  const pass = memory + PASS
  for (let j: usize = 0; j < 4 * 16; j += 16) {
    const d0 = v128.load(memory + j)
    const d1 = v128.load(memory + j, ROW)
    const d2 = v128.load(memory + j, 2 * ROW)
    const d3 = v128.load(memory + j, 3 * ROW)
    v128.store(pass + j, f32x4.sub(d0, d2))
    v128.store(pass + j, f32x4.add(d1, d2), ROW)
    v128.store(pass + j, f32x4.sub(d2, d1), 2 * ROW)
    v128.store(pass + j, f32x4.sub(d1, d3), 3 * ROW)
  }
  for (let i: usize = 0; i < 4; i++) {
    const d = pass + i * ROW
    const d0 = v128.load(d)
    const d1 = v128.load(d, 16)
    const d2 = v128.load(d, 32)
    const d3 = v128.load(d, 48)
    storeRow(v, f32x4.sub(d0, d2), count)
    storeRow(v + vStep, f32x4.add(d1, d2), count)
    storeRow(v + vStep * 2, f32x4.sub(d2, d1), count)
    storeRow(v + vStep * 3, f32x4.sub(d1, d3), count)
    v += vStep * 4
  }
}

/** B^T d B for F(4, 3), by columns and then by rows. */
function inputFour(memory: usize, v: usize, vStep: usize, count: u32): void {
  const pass = memory + PASS
  const two = f32x4.splat(2)
  const four = f32x4.splat(4)
  const five = f32x4.splat(5)
  for (let j: usize = 0; j < ROW; j += 16) {
    const d0 = v128.load(memory + j)
    const d1 = v128.load(memory + j, ROW)
    const d2 = v128.load(memory + j, 2 * ROW)
    const d3 = v128.load(memory + j, 3 * ROW)
    const d4 = v128.load(memory + j, 4 * ROW)
    const d5 = v128.load(memory + j, 5 * ROW)
    const even = f32x4.sub(d4, f32x4.mul(four, d2))
    const odd = f32x4.sub(d3, f32x4.mul(four, d1))
    const outer = f32x4.sub(d4, d2)
    const inner = f32x4.mul(two, f32x4.sub(d3, d1))
    v128.store(pass + j, f32x4.add(f32x4.sub(f32x4.mul(four, d0), f32x4.mul(five, d2)), d4))
    v128.store(pass + j, f32x4.add(even, odd), ROW)
    v128.store(pass + j, f32x4.sub(even, odd), 2 * ROW)
    v128.store(pass + j, f32x4.add(outer, inner), 3 * ROW)
    v128.store(pass + j, f32x4.sub(outer, inner), 4 * ROW)
    v128.store(pass + j, f32x4.add(f32x4.sub(f32x4.mul(four, d1), f32x4.mul(five, d3)), d5), 5 * ROW)
  }
  for (let i: usize = 0; i < 6; i++) {
    const d = pass + i * ROW
    const d0 = v128.load(d)
    const d1 = v128.load(d, 16)
    const d2 = v128.load(d, 32)
    const d3 = v128.load(d, 48)
    const d4 = v128.load(d, 64)
    const d5 = v128.load(d, 80)
    const even = f32x4.sub(d4, f32x4.mul(four, d2))
    const odd = f32x4.sub(d3, f32x4.mul(four, d1))
    const outer = f32x4.sub(d4, d2)
    const inner = f32x4.mul(two, f32x4.sub(d3, d1))
    storeRow(v, f32x4.add(f32x4.sub(f32x4.mul(four, d0), f32x4.mul(five, d2)), d4), count)
    storeRow(v + vStep, f32x4.add(even, odd), count)
    storeRow(v + vStep * 2, f32x4.sub(even, odd), count)
    storeRow(v + vStep * 3, f32x4.add(outer, inner), count)
    storeRow(v + vStep * 4, f32x4.sub(outer, inner), count)
    storeRow(v + vStep * 5, f32x4.add(f32x4.sub(f32x4.mul(four, d1), f32x4.mul(five, d3)), d5), count)
    v += vStep * 6
  }
}

function transformOutput(
  p: WinogradParams,
  m: u32,
  n: u32,
  tile: u32,
  across: u32,
  products: usize,
  mStep: usize,
  bias: usize,
  slope: usize,
  r: usize,
  y: usize
): void {
  const h0 = (tile / across) * m
  const w0 = (tile % across) * m
  const rows = min(m, p.outH - h0)
  const columns = min(m, p.outW - w0)
  const yAt = y + <usize>(n * p.yN + h0 * p.yH + w0 * p.yW) * 4
  const rAt = r + <usize>(n * p.rN + h0 * p.rH + w0 * p.rW) * 4
  const e = changetype<Epilogue>(changetype<usize>(p) + offsetof<WinogradParams>('residual'))
  const simple = e.act <= CLIP && e.residual <= RESIDUAL_BEFORE
  const low = lowerBound(e.act, e.alpha)
  const high = upperBound(e.act, e.beta)
  const memory = statics()
  for (let f: u32 = 0; f < p.filters; f += 4) {
    const count = min(p.filters - f, 4)
    const at = <usize>f * 4
    if (m == 2) outputTwo(memory, products + at, mStep)
    else outputFour(memory, products + at, mStep)
    const b = v128.load(bias + at)
    for (let i: u32 = 0; i < rows; i++) {
      let from = memory + <usize>i * ROW
      let to = yAt + <usize>(i * p.yH) * 4 + at
      let skip = rAt + <usize>(i * p.rH) * 4 + at
      for (let j: u32 = 0; j < columns; j++, from += 16, to += <usize>p.yW * 4, skip += <usize>p.rW * 4) {
        let sum = f32x4.add(v128.load(from), b)
        if (simple) {
          if (e.residual) sum = f32x4.add(sum, loadLanes(skip, count))
          sum = f32x4.pmin(f32x4.pmax(sum, low), high)
        } else sum = finish(e, sum, slope + at, skip, count)
        if (count == 4) v128.store(to, sum)
        else storeColumns(to, sum, sum, count)
      }
    }
  }
}

function finish(e: Epilogue, v: v128, slope: usize, r: usize, count: u32): v128 {
  const skip = e.residual ? loadLanes(r, count) : f32x4.splat(0)
  if (e.residual == RESIDUAL_BEFORE) v = f32x4.add(v, skip)
  v = activate(e.act, v, e.act == PRELU ? v128.load(slope) : f32x4.splat(e.alpha), f32x4.splat(e.beta))
  return e.residual == RESIDUAL_AFTER ? f32x4.add(v, skip) : v
}

function outputTwo(memory: usize, products: usize, mStep: usize): void {
  const pass = memory + PASS
  for (let i: usize = 0; i < 4; i++) {
    const from = products + i * 4 * mStep
    const m1 = v128.load(from + mStep)
    const m2 = v128.load(from + mStep * 2)
    v128.store(pass + i * ROW, f32x4.add(f32x4.add(v128.load(from), m1), m2))
    v128.store(pass + i * ROW, f32x4.sub(f32x4.sub(m1, m2), v128.load(from + mStep * 3)), 16)
  }
  for (let j: usize = 0; j < 32; j += 16) {
    const m1 = v128.load(pass + j, ROW)
    const m2 = v128.load(pass + j, 2 * ROW)
    v128.store(memory + j, f32x4.add(f32x4.add(v128.load(pass + j), m1), m2))
    v128.store(memory + j, f32x4.sub(f32x4.sub(m1, m2), v128.load(pass + j, 3 * ROW)), ROW)
  }
}

/** A^T m A for F(4, 3), by rows and then by columns. */
function outputFour(memory: usize, products: usize, mStep: usize): void {
  const pass = memory + PASS
  const two = f32x4.splat(2)
  const four = f32x4.splat(4)
  const eight = f32x4.splat(8)
  for (let i: usize = 0; i < 6; i++) {
    let from = products + i * 6 * mStep
    const m0 = v128.load(from)
    from += mStep
    const m1 = v128.load(from)
    from += mStep
    const m2 = v128.load(from)
    from += mStep
    const m3 = v128.load(from)
    from += mStep
    const m4 = v128.load(from)
    const near = f32x4.add(m1, m2)
    const far = f32x4.add(m3, m4)
    const nearOdd = f32x4.sub(m1, m2)
    const farOdd = f32x4.sub(m3, m4)
    const t = pass + i * ROW
    v128.store(t, f32x4.add(m0, f32x4.add(near, far)))
    v128.store(t, f32x4.add(nearOdd, f32x4.mul(two, farOdd)), 16)
    v128.store(t, f32x4.add(near, f32x4.mul(four, far)), 32)
    v128.store(t, f32x4.add(f32x4.add(nearOdd, f32x4.mul(eight, farOdd)), v128.load(from + mStep)), 48)
  }
  for (let j: usize = 0; j < 64; j += 16) {
    const m1 = v128.load(pass + j, ROW)
    const m2 = v128.load(pass + j, 2 * ROW)
    const m3 = v128.load(pass + j, 3 * ROW)
    const m4 = v128.load(pass + j, 4 * ROW)
    const near = f32x4.add(m1, m2)
    const far = f32x4.add(m3, m4)
    const nearOdd = f32x4.sub(m1, m2)
    const farOdd = f32x4.sub(m3, m4)
    const t = memory + j
    v128.store(t, f32x4.add(v128.load(pass + j), f32x4.add(near, far)))
    v128.store(t, f32x4.add(nearOdd, f32x4.mul(two, farOdd)), ROW)
    v128.store(t, f32x4.add(near, f32x4.mul(four, far)), 2 * ROW)
    v128.store(t, f32x4.add(f32x4.add(nearOdd, f32x4.mul(eight, farOdd)), v128.load(pass + j, 5 * ROW)), 3 * ROW)
  }
}

@unmanaged
export class WinogradFiltersParams {
  channels: u32
  filters: u32
  size: u32
}

/**
 * Filters in conv's panels (panel, kernel position, channel, 8) to (point, panel, channel, 8), G g G^T per channel
 * and filter. Runs once, when a model is loaded.
 */
export function winogradFilters(p: WinogradFiltersParams, w: usize, u: usize): void {
  const side: u32 = p.size + 2
  const vectors = p.channels * (PANEL / 4)
  const tap = <usize>vectors * 16
  const count = (p.filters + PANEL - 1) / PANEL
  const point = <usize>count * tap
  const pass = statics()
  for (let panel: u32 = 0; panel < count; panel++)
    for (let i: u32 = 0; i < vectors; i++) {
      const from = w + (<usize>panel * 9 * tap + i * 16)
      for (let j: usize = 0; j < 3; j++) filterColumn(side, from + j * tap, 3 * tap, pass + j * 16, 96)
      const to = u + (<usize>panel * tap + i * 16)
      for (let j: usize = 0; j < side; j++) filterColumn(side, pass + j * 96, 16, to + j * side * point, point)
    }
}

/** One column of G g. */
function filterColumn(side: u32, g: usize, gStep: usize, t: usize, tStep: usize): void {
  const g0 = v128.load(g)
  const g1 = v128.load(g + gStep)
  const g2 = v128.load(g + gStep * 2)
  const ends = f32x4.add(g0, g2)
  if (side == 4) {
    const half = f32x4.splat(0.5)
    v128.store(t, g0)
    v128.store(t + tStep, f32x4.mul(half, f32x4.add(ends, g1)))
    v128.store(t + tStep * 2, f32x4.mul(half, f32x4.sub(ends, g1)))
    v128.store(t + tStep * 3, g2)
    return
  }
  const sixth = f32x4.splat(-1.0 / 6.0)
  v128.store(t, f32x4.mul(f32x4.splat(0.25), g0))
  v128.store(t + tStep, f32x4.mul(sixth, f32x4.add(ends, g1)))
  v128.store(t + tStep * 2, f32x4.mul(sixth, f32x4.sub(ends, g1)))
  const wide = f32x4.add(f32x4.mul(f32x4.splat(1.0 / 24.0), g0), f32x4.mul(f32x4.splat(1.0 / 6.0), g2))
  const middle = f32x4.mul(f32x4.splat(1.0 / 12.0), g1)
  v128.store(t + tStep * 3, f32x4.add(wide, middle))
  v128.store(t + tStep * 4, f32x4.sub(wide, middle))
  v128.store(t + tStep * 5, g2)
}
