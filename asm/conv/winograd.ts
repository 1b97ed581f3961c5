import { product, productPair, ROWS } from '../dense/product'
import { PANEL } from '../dense/tile'
import { WIDE } from '../dense/wide'
import { firstOf, lastOf, statics } from '../thread'
import { WinogradParams } from './winograd-params'
import { FAR, NEAR, transformInput, transformOutput } from './winograd-transform'

/**
 * Convolution with stride 1 as F(m x m, k x k): winograd2 and winograd4 for k = 3, winograd2x5 for k = 5 (Winograd 1980;
 * Lavin and Gray 2015, arXiv 1509.09308, section 4). Tiles of (m+k-1)^2 inputs become as many matrix products over
 * channels, from which m x m outputs are taken. A block of tiles is transformed, multiplied and finished before the
 * next, so that it stays in the cache. Transformed tiles lie as the products want them, in groups of ROWS.
 */
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
  winograd(p, 2, 4, x, w, bias, slope, r, y, scratch)
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
  winograd(p, 4, 6, x, w, bias, slope, r, y, scratch)
}

export function winograd2x5(
  p: WinogradParams,
  x: usize,
  w: usize,
  bias: usize,
  slope: usize,
  r: usize,
  y: usize,
  scratch: usize
): void {
  winograd(p, 2, 6, x, w, bias, slope, r, y, scratch)
}

/** `tiles` of a block is a multiple of 12, of which every ROWS is a divisor. */
function winograd(
  p: WinogradParams,
  m: u32,
  side: u32,
  x: usize,
  w: usize,
  bias: usize,
  slope: usize,
  r: usize,
  y: usize,
  scratch: usize
): void {
  const points = side * side
  const padded = (p.filters + PANEL - 1) & ~(PANEL - 1)
  // Sixteen floats between the points' matrices keep them out of each other's cache sets.
  const vStep = <usize>(p.tiles * p.channels + 16) * 4
  const mStep = <usize>(p.tiles * padded + 16) * 4
  const products = scratch + <usize>points * vStep
  const across = (p.outW + m - 1) / m
  const count = across * ((p.outH + m - 1) / m)
  const perGroup = <usize>(points * padded * p.channels) * 4
  const last = lastOf(p.batch * count, ROWS)
  for (let first = firstOf(p.batch * count, ROWS); first < last; first += p.tiles) {
    const block = min(p.tiles, last - first)
    for (let g: u32 = 0; g < p.groups; g++) {
      const from = x + <usize>(g * p.channels) * 4
      for (let t: u32 = 0; t < block; t++) {
        const v = scratch + <usize>((t / ROWS) * ROWS * p.channels + (t % ROWS)) * 4
        const n = (first + t) / count
        transformInput(p, m, side, from + <usize>n * p.xN * 4, (first + t) % count, across, v, vStep)
      }
      multiply(p, points, scratch, vStep, w + <usize>g * perGroup, products, mStep, block, padded)
      const f = <usize>(g * padded) * 4
      const at = <usize>(g * p.filters) * 4
      for (let t: u32 = 0; t < block; t++) {
        const n = (first + t) / count
        const from = products + <usize>(t * padded) * 4
        const tile = (first + t) % count
        transformOutput(p, m, side, n, tile, across, from, mStep, bias + f, slope + f, r + at, y + at)
      }
    }
  }
}

/** For every point, the block's rows times the panels of its weights. */
function multiply(
  p: WinogradParams,
  points: u32,
  v: usize,
  vStep: usize,
  w: usize,
  products: usize,
  mStep: usize,
  block: u32,
  padded: u32
): void {
  const panel = <usize>(PANEL * p.channels) * 4
  const group = <usize>(ROWS * p.channels) * 4
  const row = <usize>padded * 4
  for (let i = points; i > 0; i--, v += vStep, products += mStep)
    for (let column: usize = 0; column < row; column += PANEL * 4, w += panel) {
      const pair = WIDE && column + PANEL * 4 < row
      let from = v
      let to = products + column
      for (let t: u32 = 0; t < block; t += ROWS, from += group, to += <usize>ROWS * row)
        if (pair) productPair(from, w, panel, p.channels, to, row)
        else product(from, w, p.channels, to, row, block - t)
      if (!pair) continue
      column += PANEL * 4
      w += panel
    }
}

@unmanaged
export class WinogradFiltersParams {
  groups: u32
  channels: u32
  filters: u32
  size: u32
  kernel: u32
}

/**
 * Filters in conv's panels (group, panel, kernel position, channel, 8) to (group, point, panel, channel, 8), G g G^T per
 * channel and filter. Runs once, when a model is loaded.
 */
export function winogradFilters(p: WinogradFiltersParams, w: usize, u: usize): void {
  const side = p.size + p.kernel - 1
  const taps = p.kernel * p.kernel
  const vectors = p.channels * (PANEL / 4)
  const tap = <usize>vectors * 16
  const count = (p.filters + PANEL - 1) / PANEL
  const point = <usize>count * tap
  for (let g: u32 = 0; g < p.groups; g++, u += <usize>(side * side) * point)
    for (let panel: u32 = 0; panel < count; panel++, w += <usize>taps * tap)
      for (let i: u32 = 0; i < vectors; i += 4)
        filterLine(
          p,
          w + ((<usize>i) << 4),
          tap,
          u + <usize>panel * tap + ((<usize>i) << 4),
          point,
          min(vectors - i, 4)
        )
}

/**
 * A cache line of every point, which is written at once: the points lie so far apart that their lines push each other
 * out.
 */
function filterLine(p: WinogradFiltersParams, w: usize, tap: usize, u: usize, point: usize, vectors: u32): void {
  const side = p.size + p.kernel - 1
  const row: usize = 6 * 16
  const pass = statics()
  const line: usize = 4 * 16
  const lines = pass + 6 * row
  for (let i: usize = 0; i < vectors; i++) {
    const from = w + (i << 4)
    for (let j: usize = 0; j < p.kernel; j++)
      filterColumn(p, from + j * tap, <usize>p.kernel * tap, pass + (j << 4), row)
    const to = lines + (i << 4)
    for (let j: usize = 0; j < side; j++) filterColumn(p, pass + j * row, 16, to + j * side * line, line)
  }
  let from = lines
  for (let left = side * side; left > 0; left--, from += line, u += point) {
    v128.store(u, v128.load(from))
    if (vectors > 1) v128.store(u, v128.load(from, 16), 16)
    if (vectors > 2) v128.store(u, v128.load(from, 32), 32)
    if (vectors > 3) v128.store(u, v128.load(from, 48), 48)
  }
}

/** One column of G g: the filter as a polynomial at the points of winograd-transform.ts, scaled. */
function filterColumn(p: WinogradFiltersParams, g: usize, gStep: usize, t: usize, tStep: usize): void {
  const half = f32x4.splat(0.5)
  const two = f32x4.splat(2)
  const g0 = v128.load(g)
  const g2 = v128.load(g + gStep * 2)
  let odd = v128.load(g + gStep)
  if (p.size + p.kernel == 5) {
    const even = f32x4.add(g0, g2)
    v128.store(t, g0)
    v128.store(t + tStep, f32x4.mul(half, f32x4.add(even, odd)))
    v128.store(t + tStep * 2, f32x4.mul(half, f32x4.sub(even, odd)))
    v128.store(t + tStep * 3, g2)
    return
  }
  let even = f32x4.add(g0, f32x4.mul(half, g2))
  let farEven = f32x4.add(g0, f32x4.mul(two, g2))
  let farOdd = odd
  let last = g2
  if (p.kernel == 5) {
    const g3 = v128.load(g + gStep * 3)
    last = v128.load(g + gStep * 4)
    even = f32x4.add(even, f32x4.mul(f32x4.splat(0.25), last))
    odd = f32x4.add(odd, f32x4.mul(half, g3))
    farEven = f32x4.add(farEven, f32x4.mul(f32x4.splat(4), last))
    farOdd = f32x4.add(farOdd, f32x4.mul(two, g3))
  }
  odd = f32x4.mul(f32x4.splat(NEAR), odd)
  farOdd = f32x4.mul(f32x4.splat(FAR), farOdd)
  const nearScale = f32x4.splat(-2.0 / 3.0)
  const farScale = f32x4.splat(1.0 / 6.0)
  v128.store(t, g0)
  v128.store(t + tStep, f32x4.mul(nearScale, f32x4.add(even, odd)))
  v128.store(t + tStep * 2, f32x4.mul(nearScale, f32x4.sub(even, odd)))
  v128.store(t + tStep * 3, f32x4.mul(farScale, f32x4.add(farEven, farOdd)))
  v128.store(t + tStep * 4, f32x4.mul(farScale, f32x4.sub(farEven, farOdd)))
  v128.store(t + tStep * 5, last)
}
