import { activate } from './activation'
import { loadLanes } from './lanes'
import { isFirst } from './thread'
import { Epilogue, PANEL, panels, SEGMENT, storeColumns, TABLE_HEAD } from './tile'

/**
 * 3x3 convolution with stride 1 as F(m x m, 3x3) for m = 2 and m = 4 (Winograd 1980; Lavin and Gray 2015, arXiv
 * 1509.09308, section 4): tiles of (m+2)^2 inputs become as many matrix products over channels, from which m x m
 * outputs are taken. A block of tiles is transformed, multiplied and finished before the next, so that it stays in
 * the cache; products run through the micro-kernel of tile.ts.
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
  size: u32
  tiles: u32
}

const TABLE: usize = TABLE_HEAD + SEGMENT
const PRELU: u32 = 3

const plainMemory = memory.data(offsetof<Epilogue>(), 16)
/** Two 6x6 blocks of vectors: a tile on its way through the two passes of a transform. */
const tileMemory = memory.data(2 * 36 * 16, 16)
const passMemory = tileMemory + 36 * 16

export function winograd(
  p: WinogradParams,
  x: usize,
  w: usize,
  bias: usize,
  slope: usize,
  r: usize,
  y: usize,
  scratch: usize
): void {
  if (!isFirst()) return
  const plain = changetype<Epilogue>(plainMemory)
  plain.act = 0
  plain.residual = 0
  const m = p.size
  const points = <usize>(m + 2) * (m + 2)
  const padded = (p.filters + PANEL - 1) & ~(PANEL - 1)
  const lanes = (p.channels + 3) & ~3
  // Sixteen floats between the points' matrices keep them out of each other's cache sets.
  const vStep = <usize>(p.tiles * lanes + 16) * 4
  const mStep = <usize>(p.tiles * padded + 16) * 4
  const v = scratch
  const products = v + points * vStep
  const zeros = products + points * mStep
  const tables = zeros + <usize>padded * 4
  memory.fill(zeros, 0, padded * 4)
  const across = (p.outW + m - 1) / m
  const count = across * ((p.outH + m - 1) / m)
  const wStep = <usize>padded * p.channels * 4
  for (let n: u32 = 0; n < p.batch; n++) {
    const xn = x + <usize>n * p.xN * 4
    for (let first: u32 = 0; first < count; first += p.tiles) {
      const block = min(p.tiles, count - first)
      for (let t: u32 = 0; t < block; t++) transformInput(p, xn, first + t, across, v + <usize>t * lanes * 4, vStep)
      writeTables(tables, block, v, lanes, products, padded, p.channels)
      for (let i: usize = 0; i < points; i++)
        panels(tables, TABLE, block, i * vStep, w + i * wStep, zeros, zeros, i * mStep, p.channels, padded, plain)
      for (let t: u32 = 0; t < block; t++)
        transformOutput(p, n, first + t, across, products + <usize>t * padded * 4, mStep, bias, slope, r, y)
    }
  }
}

/** Tables of tile.ts whose rows are the block's tiles; the points share them by address shifts. */
function writeTables(
  tables: usize,
  block: u32,
  v: usize,
  lanes: u32,
  products: usize,
  padded: u32,
  channels: u32
): void {
  for (let t: u32 = 0; t < block; t += 4) {
    const table = tables + <usize>(t >> 2) * TABLE
    for (let i: u32 = 0; i < 4; i++) {
      const row = <usize>min(t + i, block - 1)
      store<u32>(table + i * 4, <u32>(products + row * padded * 4))
      store<u32>(table + TABLE_HEAD + i * 4, <u32>(v + row * lanes * 4))
    }
    store<u32>(table, 1, 32)
    store<u32>(table + TABLE_HEAD, channels, 16)
    store<u32>(table + TABLE_HEAD, 0, 20)
  }
}

function transformInput(p: WinogradParams, x: usize, tile: u32, across: u32, v: usize, vStep: usize): void {
  const m = p.size
  const side = m + 2
  const h0 = <i32>((tile / across) * m) - <i32>p.padH
  const w0 = <i32>((tile % across) * m) - <i32>p.padW
  const inside = h0 >= 0 && w0 >= 0 && h0 + <i32>side <= <i32>p.inH && w0 + <i32>side <= <i32>p.inW
  for (let c: u32 = 0; c < p.channels; c += 4) {
    const count = min(p.channels - c, 4)
    const from = x + (<usize>(h0 * <i32>p.xH + w0 * <i32>p.xW) + c) * 4
    for (let i: u32 = 0; i < side; i++)
      for (let j: u32 = 0; j < side; j++) {
        const h = h0 + <i32>i
        const w = w0 + <i32>j
        const hit = inside || (<u32>h < p.inH && <u32>w < p.inW)
        const value = hit ? loadLanes(from + <usize>(i * p.xH + j * p.xW) * 4, count) : f32x4.splat(0)
        v128.store(tileMemory + (i * 6 + j) * 16, value)
      }
    if (m == 2) inputTwo(v + c * 4, vStep)
    else inputFour(v + c * 4, vStep)
  }
}

function inputTwo(v: usize, vStep: usize): void {
  for (let j: usize = 0; j < 4; j++) {
    const d = tileMemory + j * 16
    const d0 = v128.load(d)
    const d1 = v128.load(d, 96)
    const d2 = v128.load(d, 192)
    const d3 = v128.load(d, 288)
    const t = passMemory + j * 16
    v128.store(t, f32x4.sub(d0, d2))
    v128.store(t, f32x4.add(d1, d2), 96)
    v128.store(t, f32x4.sub(d2, d1), 192)
    v128.store(t, f32x4.sub(d1, d3), 288)
  }
  for (let i: usize = 0; i < 4; i++) {
    const d = passMemory + i * 96
    const d0 = v128.load(d)
    const d1 = v128.load(d, 16)
    const d2 = v128.load(d, 32)
    const d3 = v128.load(d, 48)
    v128.store(v, f32x4.sub(d0, d2))
    v128.store(v + vStep, f32x4.add(d1, d2))
    v128.store(v + vStep * 2, f32x4.sub(d2, d1))
    v128.store(v + vStep * 3, f32x4.sub(d1, d3))
    v += vStep * 4
  }
}

function inputFour(v: usize, vStep: usize): void {
  for (let j: usize = 0; j < 6; j++) inputSix(tileMemory + j * 16, 96, passMemory + j * 16, 96)
  for (let i: usize = 0; i < 6; i++) inputSix(passMemory + i * 96, 16, v + i * 6 * vStep, vStep)
}

/** One column of B^T d for F(4, 3). */
function inputSix(d: usize, dStep: usize, t: usize, tStep: usize): void {
  const two = f32x4.splat(2)
  const four = f32x4.splat(4)
  const five = f32x4.splat(5)
  const d0 = v128.load(d)
  const d1 = v128.load(d + dStep)
  const d2 = v128.load(d + dStep * 2)
  const d3 = v128.load(d + dStep * 3)
  const d4 = v128.load(d + dStep * 4)
  const d5 = v128.load(d + dStep * 5)
  v128.store(t, f32x4.add(f32x4.sub(f32x4.mul(four, d0), f32x4.mul(five, d2)), d4))
  const even = f32x4.sub(d4, f32x4.mul(four, d2))
  const odd = f32x4.sub(d3, f32x4.mul(four, d1))
  v128.store(t + tStep, f32x4.add(even, odd))
  v128.store(t + tStep * 2, f32x4.sub(even, odd))
  const outer = f32x4.sub(d4, d2)
  const inner = f32x4.mul(two, f32x4.sub(d3, d1))
  v128.store(t + tStep * 3, f32x4.add(outer, inner))
  v128.store(t + tStep * 4, f32x4.sub(outer, inner))
  v128.store(t + tStep * 5, f32x4.add(f32x4.sub(f32x4.mul(four, d1), f32x4.mul(five, d3)), d5))
}

function transformOutput(
  p: WinogradParams,
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
  const m = p.size
  const h0 = (tile / across) * m
  const w0 = (tile % across) * m
  const rows = min(m, p.outH - h0)
  const columns = min(m, p.outW - w0)
  const yAt = y + <usize>(n * p.yN + h0 * p.yH + w0 * p.yW) * 4
  const rAt = r + <usize>(n * p.rN + h0 * p.rH + w0 * p.rW) * 4
  const low = f32x4.splat(p.alpha)
  const high = f32x4.splat(p.beta)
  for (let f: u32 = 0; f < p.filters; f += 4) {
    const count = min(p.filters - f, 4)
    const at = <usize>f * 4
    if (m == 2) outputTwo(products + at, mStep)
    else outputFour(products + at, mStep)
    const b = v128.load(bias + at)
    const alpha = p.act == PRELU ? v128.load(slope + at) : low
    for (let i: u32 = 0; i < rows; i++)
      for (let j: u32 = 0; j < columns; j++) {
        let sum = f32x4.add(v128.load(tileMemory + (i * 6 + j) * 16), b)
        const skip = p.residual ? loadLanes(rAt + <usize>(i * p.rH + j * p.rW) * 4 + at, count) : f32x4.splat(0)
        if (p.residual == 1) sum = f32x4.add(sum, skip)
        if (p.act == 1) sum = f32x4.pmin(f32x4.pmax(sum, low), high)
        else if (p.act) sum = activate(p.act, sum, alpha, high)
        if (p.residual == 2) sum = f32x4.add(sum, skip)
        const to = yAt + <usize>(i * p.yH + j * p.yW) * 4 + at
        if (count == 4) v128.store(to, sum)
        else storeColumns(to, sum, sum, count)
      }
  }
}

function outputTwo(products: usize, mStep: usize): void {
  for (let i: usize = 0; i < 4; i++) {
    const from = products + i * 4 * mStep
    const m1 = v128.load(from + mStep)
    const m2 = v128.load(from + mStep * 2)
    const t = passMemory + i * 96
    v128.store(t, f32x4.add(f32x4.add(v128.load(from), m1), m2))
    v128.store(t, f32x4.sub(f32x4.sub(m1, m2), v128.load(from + mStep * 3)), 16)
  }
  for (let j: usize = 0; j < 2; j++) {
    const from = passMemory + j * 16
    const m1 = v128.load(from, 96)
    const m2 = v128.load(from, 192)
    const t = tileMemory + j * 16
    v128.store(t, f32x4.add(f32x4.add(v128.load(from), m1), m2))
    v128.store(t, f32x4.sub(f32x4.sub(m1, m2), v128.load(from, 288)), 96)
  }
}

function outputFour(products: usize, mStep: usize): void {
  for (let i: usize = 0; i < 6; i++) outputSix(products + i * 6 * mStep, mStep, passMemory + i * 96, 16)
  for (let j: usize = 0; j < 4; j++) outputSix(passMemory + j * 16, 96, tileMemory + j * 16, 96)
}

/** One column of A^T m for F(4, 3). */
function outputSix(m: usize, mStep: usize, t: usize, tStep: usize): void {
  const m1 = v128.load(m + mStep)
  const m2 = v128.load(m + mStep * 2)
  const m3 = v128.load(m + mStep * 3)
  const m4 = v128.load(m + mStep * 4)
  const near = f32x4.add(m1, m2)
  const far = f32x4.add(m3, m4)
  const nearOdd = f32x4.sub(m1, m2)
  const farOdd = f32x4.sub(m3, m4)
  v128.store(t, f32x4.add(v128.load(m), f32x4.add(near, far)))
  v128.store(t + tStep, f32x4.add(nearOdd, f32x4.mul(f32x4.splat(2), farOdd)))
  v128.store(t + tStep * 2, f32x4.add(near, f32x4.mul(f32x4.splat(4), far)))
  v128.store(t + tStep * 3, f32x4.add(f32x4.add(nearOdd, f32x4.mul(f32x4.splat(8), farOdd)), v128.load(m + mStep * 5)))
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
  for (let panel: u32 = 0; panel < count; panel++)
    for (let i: u32 = 0; i < vectors; i++) {
      const from = w + (<usize>panel * 9 * tap + i * 16)
      for (let j: usize = 0; j < 3; j++) filterColumn(side, from + j * tap, 3 * tap, passMemory + j * 16, 96)
      const to = u + (<usize>panel * tap + i * 16)
      for (let j: usize = 0; j < side; j++) filterColumn(side, passMemory + j * 96, 16, to + j * side * point, point)
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
