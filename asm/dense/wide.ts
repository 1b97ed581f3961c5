import { CLIP, clip, HARD_SWISH, hardSwish } from '../elementwise/activation'
import { Epilogue } from '../elementwise/epilogue'
import { madd } from '../madd'
import { statics } from '../thread'
import { BLOCK, finishOne, isInline, isLate, PANEL, SEGMENT } from './tile'

/**
 * Micro-kernels of the wide binary: as tile.ts and product.ts have them, of two panels at a time, in the same order of sums.
 * Engines that join operations on adjacent 16 bytes to such on 32 (V8's `--experimental-wasm-revectorize`) run them on
 * registers of 256 bits; elsewhere they would be slower than the others, for 16 columns do not fit registers of 128.
 */
export const WIDE: bool = isDefined(CAIRN_WIDE)

/** The fewest products of a sum that pay for its way through memory to the epilogue. */
export const DEEP: u32 = 32

/** One tile of four rows times two whole panels, `panel` bytes apart, as `tile` takes them. */
export function tilePair(
  table: usize,
  shift: usize,
  w: usize,
  panel: usize,
  bias: usize,
  slope: usize,
  at: usize,
  e: Epilogue
): void {
  let a0 = v128.load(bias)
  let b0 = v128.load(bias, 16)
  let c0 = v128.load(bias, 32)
  let d0 = v128.load(bias, 48)
  let a1 = a0
  let b1 = b0
  let c1 = c0
  let d1 = d0
  let a2 = a0
  let b2 = b0
  let c2 = c0
  let d2 = d0
  let a3 = a0
  let b3 = b0
  let c3 = c0
  let d3 = d0
  const totals = statics()
  const first = w + BLOCK
  let stop = first
  shift += <usize>load<u32>(table, 40)
  let segment = <usize>load<u32>(table, 36)
  const last = segment + <usize>load<u32>(table, 32) * SEGMENT
  while (segment < last) {
    let x0 = <usize>load<u32>(segment) + shift
    let x1 = <usize>load<u32>(segment, 4) + shift
    let x2 = <usize>load<u32>(segment, 8) + shift
    let x3 = <usize>load<u32>(segment, 12) + shift
    w += <usize>load<u32>(segment, 20)
    const end = w + ((<usize>load<u32>(segment, 16)) << 5)
    while (w < end) {
      if (w >= stop) {
        if (stop != first) {
          a0 = f32x4.add(a0, v128.load(totals))
          b0 = f32x4.add(b0, v128.load(totals, 16))
          c0 = f32x4.add(c0, v128.load(totals, 32))
          d0 = f32x4.add(d0, v128.load(totals, 48))
          a1 = f32x4.add(a1, v128.load(totals, 64))
          b1 = f32x4.add(b1, v128.load(totals, 80))
          c1 = f32x4.add(c1, v128.load(totals, 96))
          d1 = f32x4.add(d1, v128.load(totals, 112))
          a2 = f32x4.add(a2, v128.load(totals, 128))
          b2 = f32x4.add(b2, v128.load(totals, 144))
          c2 = f32x4.add(c2, v128.load(totals, 160))
          d2 = f32x4.add(d2, v128.load(totals, 176))
          a3 = f32x4.add(a3, v128.load(totals, 192))
          b3 = f32x4.add(b3, v128.load(totals, 208))
          c3 = f32x4.add(c3, v128.load(totals, 224))
          d3 = f32x4.add(d3, v128.load(totals, 240))
        }
        v128.store(totals, a0)
        v128.store(totals, b0, 16)
        v128.store(totals, c0, 32)
        v128.store(totals, d0, 48)
        v128.store(totals, a1, 64)
        v128.store(totals, b1, 80)
        v128.store(totals, c1, 96)
        v128.store(totals, d1, 112)
        v128.store(totals, a2, 128)
        v128.store(totals, b2, 144)
        v128.store(totals, c2, 160)
        v128.store(totals, d2, 176)
        v128.store(totals, a3, 192)
        v128.store(totals, b3, 208)
        v128.store(totals, c3, 224)
        v128.store(totals, d3, 240)
        a0 = f32x4.splat(0)
        b0 = a0
        c0 = a0
        d0 = a0
        a1 = a0
        b1 = a0
        c1 = a0
        d1 = a0
        a2 = a0
        b2 = a0
        c2 = a0
        d2 = a0
        a3 = a0
        b3 = a0
        c3 = a0
        d3 = a0
        do stop += BLOCK
        while (w >= stop)
      }
      const to = min(end, stop)
      for (; w < to; w += 32) {
        const p = v128.load(w)
        const q = v128.load(w, 16)
        const s = v128.load(w + panel)
        const t = v128.load(w + panel, 16)
        let v = v128.load_splat<f32>(x0)
        a0 = madd(v, p, a0)
        b0 = madd(v, q, b0)
        c0 = madd(v, s, c0)
        d0 = madd(v, t, d0)
        v = v128.load_splat<f32>(x1)
        a1 = madd(v, p, a1)
        b1 = madd(v, q, b1)
        c1 = madd(v, s, c1)
        d1 = madd(v, t, d1)
        v = v128.load_splat<f32>(x2)
        a2 = madd(v, p, a2)
        b2 = madd(v, q, b2)
        c2 = madd(v, s, c2)
        d2 = madd(v, t, d2)
        v = v128.load_splat<f32>(x3)
        a3 = madd(v, p, a3)
        b3 = madd(v, q, b3)
        c3 = madd(v, s, c3)
        d3 = madd(v, t, d3)
        x0 += 4
        x1 += 4
        x2 += 4
        x3 += 4
      }
    }
    segment += SEGMENT
  }
  if (stop != first) {
    a0 = f32x4.add(a0, v128.load(totals))
    b0 = f32x4.add(b0, v128.load(totals, 16))
    c0 = f32x4.add(c0, v128.load(totals, 32))
    d0 = f32x4.add(d0, v128.load(totals, 48))
    a1 = f32x4.add(a1, v128.load(totals, 64))
    b1 = f32x4.add(b1, v128.load(totals, 80))
    c1 = f32x4.add(c1, v128.load(totals, 96))
    d1 = f32x4.add(d1, v128.load(totals, 112))
    a2 = f32x4.add(a2, v128.load(totals, 128))
    b2 = f32x4.add(b2, v128.load(totals, 144))
    c2 = f32x4.add(c2, v128.load(totals, 160))
    d2 = f32x4.add(d2, v128.load(totals, 176))
    a3 = f32x4.add(a3, v128.load(totals, 192))
    b3 = f32x4.add(b3, v128.load(totals, 208))
    c3 = f32x4.add(c3, v128.load(totals, 224))
    d3 = f32x4.add(d3, v128.load(totals, 240))
  }
  v128.store(totals, a0)
  v128.store(totals, b0, 16)
  v128.store(totals, c0, 32)
  v128.store(totals, d0, 48)
  v128.store(totals, a1, 64)
  v128.store(totals, b1, 80)
  v128.store(totals, c1, 96)
  v128.store(totals, d1, 112)
  v128.store(totals, a2, 128)
  v128.store(totals, b2, 144)
  v128.store(totals, c2, 160)
  v128.store(totals, d2, 176)
  v128.store(totals, a3, 192)
  v128.store(totals, b3, 208)
  v128.store(totals, c3, 224)
  v128.store(totals, d3, 240)
  let before: usize = 0
  for (let row: usize = 0; row < 16; row += 4) {
    const y = <usize>load<u32>(table + row) + at
    // A repeated row is finished once, for its residual may lie in its place.
    if (y == before) return
    finishPair(totals + (row << 4), y, <usize>load<u32>(table + row, 16) + at, slope, e)
    before = y
  }
}

/** One group of six rows times two whole panels, `panel` bytes apart, as `sixRows` takes them. */
export function sixPair(
  x: usize,
  w: usize,
  panel: usize,
  inner: u32,
  bias: usize,
  slope: usize,
  y: usize,
  step: usize,
  r: usize,
  rStep: usize,
  e: Epilogue
): void {
  let a0 = v128.load(bias)
  let b0 = v128.load(bias, 16)
  let c0 = v128.load(bias, 32)
  let d0 = v128.load(bias, 48)
  let a1 = a0
  let b1 = b0
  let c1 = c0
  let d1 = d0
  let a2 = a0
  let b2 = b0
  let c2 = c0
  let d2 = d0
  let a3 = a0
  let b3 = b0
  let c3 = c0
  let d3 = d0
  let a4 = a0
  let b4 = b0
  let c4 = c0
  let d4 = d0
  let a5 = a0
  let b5 = b0
  let c5 = c0
  let d5 = d0
  const totals = statics()
  const end = w + ((<usize>inner) << 5)
  const first = w + BLOCK
  for (let stop = first; ; stop += BLOCK) {
    for (const to = min(stop, end); w < to; w += 32) {
      const p = v128.load(w)
      const q = v128.load(w, 16)
      const s = v128.load(w + panel)
      const t = v128.load(w + panel, 16)
      let v = v128.load_splat<f32>(x)
      a0 = madd(v, p, a0)
      b0 = madd(v, q, b0)
      c0 = madd(v, s, c0)
      d0 = madd(v, t, d0)
      v = v128.load_splat<f32>(x, 4)
      a1 = madd(v, p, a1)
      b1 = madd(v, q, b1)
      c1 = madd(v, s, c1)
      d1 = madd(v, t, d1)
      v = v128.load_splat<f32>(x, 8)
      a2 = madd(v, p, a2)
      b2 = madd(v, q, b2)
      c2 = madd(v, s, c2)
      d2 = madd(v, t, d2)
      v = v128.load_splat<f32>(x, 12)
      a3 = madd(v, p, a3)
      b3 = madd(v, q, b3)
      c3 = madd(v, s, c3)
      d3 = madd(v, t, d3)
      v = v128.load_splat<f32>(x, 16)
      a4 = madd(v, p, a4)
      b4 = madd(v, q, b4)
      c4 = madd(v, s, c4)
      d4 = madd(v, t, d4)
      v = v128.load_splat<f32>(x, 20)
      a5 = madd(v, p, a5)
      b5 = madd(v, q, b5)
      c5 = madd(v, s, c5)
      d5 = madd(v, t, d5)
      x += 24
    }
    if (stop > first) {
      a0 = f32x4.add(a0, v128.load(totals))
      b0 = f32x4.add(b0, v128.load(totals, 16))
      c0 = f32x4.add(c0, v128.load(totals, 32))
      d0 = f32x4.add(d0, v128.load(totals, 48))
      a1 = f32x4.add(a1, v128.load(totals, 64))
      b1 = f32x4.add(b1, v128.load(totals, 80))
      c1 = f32x4.add(c1, v128.load(totals, 96))
      d1 = f32x4.add(d1, v128.load(totals, 112))
      a2 = f32x4.add(a2, v128.load(totals, 128))
      b2 = f32x4.add(b2, v128.load(totals, 144))
      c2 = f32x4.add(c2, v128.load(totals, 160))
      d2 = f32x4.add(d2, v128.load(totals, 176))
      a3 = f32x4.add(a3, v128.load(totals, 192))
      b3 = f32x4.add(b3, v128.load(totals, 208))
      c3 = f32x4.add(c3, v128.load(totals, 224))
      d3 = f32x4.add(d3, v128.load(totals, 240))
      a4 = f32x4.add(a4, v128.load(totals, 256))
      b4 = f32x4.add(b4, v128.load(totals, 272))
      c4 = f32x4.add(c4, v128.load(totals, 288))
      d4 = f32x4.add(d4, v128.load(totals, 304))
      a5 = f32x4.add(a5, v128.load(totals, 320))
      b5 = f32x4.add(b5, v128.load(totals, 336))
      c5 = f32x4.add(c5, v128.load(totals, 352))
      d5 = f32x4.add(d5, v128.load(totals, 368))
    }
    v128.store(totals, a0)
    v128.store(totals, b0, 16)
    v128.store(totals, c0, 32)
    v128.store(totals, d0, 48)
    v128.store(totals, a1, 64)
    v128.store(totals, b1, 80)
    v128.store(totals, c1, 96)
    v128.store(totals, d1, 112)
    v128.store(totals, a2, 128)
    v128.store(totals, b2, 144)
    v128.store(totals, c2, 160)
    v128.store(totals, d2, 176)
    v128.store(totals, a3, 192)
    v128.store(totals, b3, 208)
    v128.store(totals, c3, 224)
    v128.store(totals, d3, 240)
    v128.store(totals, a4, 256)
    v128.store(totals, b4, 272)
    v128.store(totals, c4, 288)
    v128.store(totals, d4, 304)
    v128.store(totals, a5, 320)
    v128.store(totals, b5, 336)
    v128.store(totals, c5, 352)
    v128.store(totals, d5, 368)
    if (stop >= end) break
    a0 = f32x4.splat(0)
    b0 = a0
    c0 = a0
    d0 = a0
    a1 = a0
    b1 = a0
    c1 = a0
    d1 = a0
    a2 = a0
    b2 = a0
    c2 = a0
    d2 = a0
    a3 = a0
    b3 = a0
    c3 = a0
    d3 = a0
    a4 = a0
    b4 = a0
    c4 = a0
    d4 = a0
    a5 = a0
    b5 = a0
    c5 = a0
    d5 = a0
  }
  for (let row: usize = 0; row < 6; row++, y += step, r += rStep) finishPair(totals + row * 64, y, r, slope, e)
}

/** The epilogue of one row's sums in 16 columns, but for an activation that is late. */
function finishPair(sums: usize, y: usize, r: usize, slope: usize, e: Epilogue): void {
  if (!isInline(e) && !isLate(e)) {
    // Not as two calls: engines would join what activations do, which they cannot (V8 of Node 24 ends then).
    for (let at: usize = 0; at < 64; at += 32)
      finishOne(
        y + at,
        r + at,
        v128.load(sums + at),
        v128.load(sums + at, 16),
        slope + at,
        min(16 - <u32>(at >> 2), PANEL),
        e
      )
    return
  }
  let a = v128.load(sums)
  let b = v128.load(sums, 16)
  let c = v128.load(sums, 32)
  let d = v128.load(sums, 48)
  if (e.residual) {
    a = f32x4.add(a, v128.load(r))
    b = f32x4.add(b, v128.load(r, 16))
    c = f32x4.add(c, v128.load(r, 32))
    d = f32x4.add(d, v128.load(r, 48))
  }
  const alpha = f32x4.splat(e.alpha)
  const beta = f32x4.splat(e.beta)
  if (e.act == CLIP) {
    a = clip(a, alpha, beta)
    b = clip(b, alpha, beta)
    c = clip(c, alpha, beta)
    d = clip(d, alpha, beta)
  } else if (e.act == HARD_SWISH) {
    a = hardSwish(a, alpha, beta)
    b = hardSwish(b, alpha, beta)
    c = hardSwish(c, alpha, beta)
    d = hardSwish(d, alpha, beta)
  }
  v128.store(y, a)
  v128.store(y, b, 16)
  v128.store(y, c, 32)
  v128.store(y, d, 48)
}
