import { activateRow } from '../elementwise/activation'
import { Epilogue } from '../elementwise/epilogue'
import { madd } from '../madd'
import { firstOf, lastOf, statics, worth } from '../thread'
import { panels } from './panels'
import { BLOCK, finishOne, isLate, PANEL, SEGMENT, TABLE_HEAD } from './tile'

/** Matrix products; see compiler/ops/dense/gemm.ts for the meaning of the parameter blocks. */
@unmanaged
export class GemmParams {
  rows: u32
  inner: u32
  columns: u32
  xRow: u32
  yRow: u32
  rRow: u32
  residual: u32
  act: u32
  alpha: f32
  beta: f32
  tiles: u32
}

const TABLE: usize = TABLE_HEAD + SEGMENT

export function gemm(
  p: GemmParams,
  x: usize,
  w: usize,
  bias: usize,
  slope: usize,
  r: usize,
  y: usize,
  scratch: usize
): void {
  const e = changetype<Epilogue>(changetype<usize>(p) + offsetof<GemmParams>('residual'))
  const s = sliceOf(p)
  if (s.firstPanel == s.lastPanel || s.firstRow >= s.lastRow) return
  const skipped = (<usize>(s.firstPanel * PANEL)) << 2
  rows(
    x + ((<usize>(s.firstRow * p.xRow)) << 2),
    p.xRow,
    y + ((<usize>(s.firstRow * p.yRow)) << 2) + skipped,
    p.yRow,
    r + ((<usize>(s.firstRow * p.rRow)) << 2) + skipped,
    p.rRow,
    s.lastRow - s.firstRow,
    w + skipped * p.inner,
    bias + skipped,
    slope + skipped,
    p.inner,
    min(s.lastPanel * PANEL, p.columns) - s.firstPanel * PANEL,
    p.tiles,
    scratch,
    e,
    (p.rows & 3) == 1 && s.lastRow == p.rows
  )
}

/** The rows and panels that a thread computes. */
@unmanaged
export class Slice {
  firstRow: u32
  lastRow: u32
  firstPanel: u32
  lastPanel: u32
}

/** Where the slice lies behind the thread's statics. */
const SLICE: usize = 512

export function sliceOf(p: GemmParams): Slice {
  const slice = changetype<Slice>(statics() + SLICE)
  const panelCount = (p.columns + PANEL - 1) / PANEL
  slice.firstRow = 0
  slice.lastRow = p.rows
  slice.firstPanel = 0
  slice.lastPanel = panelCount
  // Few rows are shared out by columns: each thread then reads its part of the weights only.
  if (p.rows < 128) {
    const least = worth(p.inner * p.rows * 4)
    slice.firstPanel = firstOf(panelCount, least)
    slice.lastPanel = lastOf(panelCount, least)
  } else {
    const least = worth(p.inner * p.columns * 2)
    const tiles = (p.rows + 3) >> 2
    slice.firstRow = firstOf(tiles, least) << 2
    slice.lastRow = min(lastOf(tiles, least) << 2, p.rows)
  }
  return slice
}

/**
 * y[i] = epilogue(x[i] . w) for `count` rows, in blocks of `tiles` tiles; `lone` when the last tile is one row. Strides
 * count floats.
 */
export function rows(
  x: usize,
  xRow: u32,
  y: usize,
  yRow: u32,
  r: usize,
  rRow: u32,
  count: u32,
  w: usize,
  bias: usize,
  slope: usize,
  inner: u32,
  columns: u32,
  tiles: u32,
  tables: usize,
  e: Epilogue,
  lone: bool
): void {
  tiles = max(tiles, 1)
  for (let first: u32 = 0; first < count; first += tiles * 4) {
    const blockRows = min(count - first, tiles * 4)
    const blockTiles = (blockRows + 3) >> 2
    for (let t: u32 = 0; t < blockTiles; t++) {
      const table = tables + <usize>t * TABLE
      for (let i: u32 = 0; i < 4; i++) {
        const row = <usize>(first + min(t * 4 + i, blockRows - 1))
        store<u32>(table + i * 4, <u32>(y + row * yRow * 4))
        store<u32>(table + i * 4, <u32>(r + row * rRow * 4), 16)
        store<u32>(table + TABLE_HEAD + i * 4, <u32>(x + row * xRow * 4))
      }
      store<u32>(table, 1, 32)
      store<u32>(table, <u32>(table + TABLE_HEAD), 36)
      store<u32>(table, 0, 40)
      store<u32>(table + TABLE_HEAD, inner, 16)
      store<u32>(table + TABLE_HEAD, 0, 20)
    }
    panels(tables, TABLE, blockRows, 0, w, bias, slope, 0, inner, columns, e, lone && first + blockRows == count, true)
  }
}

/** What is left of a half in a float's place: its sign, and from the exponent on; and how much too small that float is. */
const HALF_BITS = memory.data<u32>([0x8fffffff])
const HALF_SCALE = memory.data<f32>([5.192296858534828e33])

/**
 * As gemm, of weights that memory holds as halves, which are finite: for what is read faster than it is multiplied. One
 * row widens them in registers; of more rows every panel is widened once, for all of them.
 */
export function gemmHalf(
  p: GemmParams,
  x: usize,
  w: usize,
  bias: usize,
  slope: usize,
  r: usize,
  y: usize,
  scratch: usize
): void {
  const e = changetype<Epilogue>(changetype<usize>(p) + offsetof<GemmParams>('residual'))
  const count = (p.columns + PANEL - 1) / PANEL
  const least = worth(p.inner * p.rows * 4)
  const first = firstOf(count, least)
  const last = lastOf(count, least)
  const panel = scratch
  const tables = panel + <usize>p.inner * PANEL * 4
  for (let c = first; c < last; c++) {
    const o = (<usize>(c * PANEL)) << 2
    const halves = w + <usize>c * p.inner * PANEL * 2
    const width = min(p.columns - c * PANEL, PANEL)
    if (p.rows == 1) {
      rowHalf(x, halves, p.inner, bias + o, slope + o, r + o, y + o, width, e)
      continue
    }
    widenPanel(halves, panel, p.inner)
    rows(
      x,
      p.xRow,
      y + o,
      p.yRow,
      r + o,
      p.rRow,
      p.rows,
      panel,
      bias + o,
      slope + o,
      p.inner,
      width,
      p.tiles,
      tables,
      e,
      (p.rows & 3) == 1
    )
  }
  if (p.rows != 1 || first == last || !isLate(e)) return
  const done = y + ((<usize>(first * PANEL)) << 2)
  activateRow(e.act, e.alpha, e.beta, done, done, min(last * PANEL, p.columns) - first * PANEL)
}

/** One row times one panel of halves, in the order of sums that rowTile has. */
function rowHalf(
  x: usize,
  w: usize,
  inner: u32,
  bias: usize,
  slope: usize,
  r: usize,
  y: usize,
  columns: u32,
  e: Epilogue
): void {
  const bits = v128.load32_splat(HALF_BITS)
  const scale = v128.load32_splat(HALF_SCALE)
  let a0 = v128.load(bias)
  let b0 = v128.load(bias, 16)
  let a1 = f32x4.splat(0)
  let b1 = a1
  let a2 = a1
  let b2 = a1
  let a3 = a1
  let b3 = a1
  let total = a1
  let more = a1
  // A block of halves takes half of its bytes.
  let stop = w + 2 * BLOCK
  const whole = w + ((<usize>(inner & ~3)) << 4)
  for (; w < whole; w += 64) {
    if (w >= stop) {
      total = f32x4.add(total, f32x4.add(f32x4.add(a0, a1), f32x4.add(a2, a3)))
      more = f32x4.add(more, f32x4.add(f32x4.add(b0, b1), f32x4.add(b2, b3)))
      a0 = f32x4.splat(0)
      a1 = a0
      a2 = a0
      a3 = a0
      b0 = a0
      b1 = a0
      b2 = a0
      b3 = a0
      stop = w + 2 * BLOCK
    }
    let v = v128.load_splat<f32>(x)
    a0 = madd(v, floats(v128.load16x4_s(w), bits, scale), a0)
    b0 = madd(v, floats(v128.load16x4_s(w, 8), bits, scale), b0)
    v = v128.load_splat<f32>(x, 4)
    a1 = madd(v, floats(v128.load16x4_s(w, 16), bits, scale), a1)
    b1 = madd(v, floats(v128.load16x4_s(w, 24), bits, scale), b1)
    v = v128.load_splat<f32>(x, 8)
    a2 = madd(v, floats(v128.load16x4_s(w, 32), bits, scale), a2)
    b2 = madd(v, floats(v128.load16x4_s(w, 40), bits, scale), b2)
    v = v128.load_splat<f32>(x, 12)
    a3 = madd(v, floats(v128.load16x4_s(w, 48), bits, scale), a3)
    b3 = madd(v, floats(v128.load16x4_s(w, 56), bits, scale), b3)
    x += 16
  }
  for (let i = inner & 3; i > 0; i--) {
    const v = v128.load_splat<f32>(x)
    a0 = madd(v, floats(v128.load16x4_s(w), bits, scale), a0)
    b0 = madd(v, floats(v128.load16x4_s(w, 8), bits, scale), b0)
    x += 4
    w += 16
  }
  a0 = f32x4.add(total, f32x4.add(f32x4.add(a0, a1), f32x4.add(a2, a3)))
  b0 = f32x4.add(more, f32x4.add(f32x4.add(b0, b1), f32x4.add(b2, b3)))
  finishOne(y, r, a0, b0, slope, columns, e)
}

/** Floats from four halves with their signs extended; exact, subnormal ones too. */
function floats(halves: v128, bits: v128, scale: v128): v128 {
  return f32x4.mul(v128.and(i32x4.shl(halves, 13), bits), scale)
}

function widenPanel(halves: usize, panel: usize, inner: u32): void {
  const bits = v128.load32_splat(HALF_BITS)
  const scale = v128.load32_splat(HALF_SCALE)
  const end = halves + ((<usize>inner) << 4)
  for (; halves < end; halves += 16, panel += 32) {
    v128.store(panel, floats(v128.load16x4_s(halves), bits, scale))
    v128.store(panel, floats(v128.load16x4_s(halves, 8), bits, scale), 16)
  }
}

@unmanaged
export class MatmulParams {
  rows: u32
  inner: u32
  columns: u32
  d0: u32
  d1: u32
  x0: u32
  x1: u32
  w0: u32
  w1: u32
  y0: u32
  y1: u32
  xRow: u32
  wRow: u32
  wColumn: u32
  yRow: u32
  residual: u32
  act: u32
  alpha: f32
  beta: f32
  tiles: u32
}

export function matmul(p: MatmulParams, x: usize, w: usize, y: usize, scratch: usize): void {
  const e = changetype<Epilogue>(changetype<usize>(p) + offsetof<MatmulParams>('residual'))
  const packed = scratch
  const bytes = <usize>((p.columns + PANEL - 1) / PANEL) * PANEL * p.inner * 4
  const zeros = packed + bytes
  const tables = zeros + PANEL * 4
  memory.fill(zeros, 0, PANEL * 4)
  const products = p.d0 * p.d1
  const least = worth((p.rows * p.inner * p.columns) >> 1)
  const first = firstOf(products, least)
  const last = lastOf(products, least)
  for (let at = first; at < last; at++) {
    const i = at / p.d1
    const j = at % p.d1
    if (at == first || p.w0 != 0 || p.w1 != 0) pack(p, w + <usize>(i * p.w0 + j * p.w1) * 4, packed)
    matmulPanels(
      p,
      x + <usize>(i * p.x0 + j * p.x1) * 4,
      packed,
      y + <usize>(i * p.y0 + j * p.y1) * 4,
      zeros,
      tables,
      e
    )
  }
}

/** One panel at a time, because the bias is the same eight zeros for all. */
function matmulPanels(
  p: MatmulParams,
  x: usize,
  packed: usize,
  y: usize,
  zeros: usize,
  tables: usize,
  e: Epilogue
): void {
  for (let first: u32 = 0; first < p.columns; first += PANEL) {
    const width = min(p.columns - first, PANEL)
    const panel = packed + <usize>first * p.inner * 4
    const to = y + first * 4
    rows(
      x,
      p.xRow,
      to,
      p.yRow,
      to,
      p.yRow,
      p.rows,
      panel,
      zeros,
      zeros,
      p.inner,
      width,
      p.tiles,
      tables,
      e,
      (p.rows & 3) == 1
    )
  }
}

/** A matrix of any strides into panels of 8 columns, the last one padded with zeros. */
function pack(p: MatmulParams, w: usize, packed: usize): void {
  let to = packed
  for (let first: u32 = 0; first < p.columns; first += PANEL) {
    const width = min(p.columns - first, PANEL)
    for (let k: u32 = 0; k < p.inner; k++) {
      let from = w + <usize>(k * p.wRow + first * p.wColumn) * 4
      for (let column: u32 = 0; column < PANEL; column++) {
        store<f32>(to, column < width ? load<f32>(from) : 0)
        from += <usize>p.wColumn * 4
        to += 4
      }
    }
  }
}
