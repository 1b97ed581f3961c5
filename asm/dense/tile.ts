import { activate, CLIP, clip, HARD_SWISH, hardSwish, PRELU } from '../elementwise/activation'
import { Epilogue, RESIDUAL_AFTER, RESIDUAL_BEFORE } from '../elementwise/epilogue'
import { madd } from '../madd'
import { statics } from '../thread'

/**
 * The micro-kernel under every dense product: 4 rows x 8 columns in registers. Rows are read where they lie, through
 * a table of addresses, so neither im2col nor packing of activations is needed (indirect convolution, Dukhan 2019,
 * arXiv 1907.02129); weights come in panels of 8 columns, row by row of the inner dimension.
 *
 * A tile's table, in 32-bit words:
 *   0..3   output addresses of the four rows, at column 0
 *   4..7   residual addresses
 *   8      number of segments
 *   9      where the segments are: behind this head, or behind that of a tile in front
 *   10     bytes that inputs lie behind the segments' addresses
 *   12..   per segment: four input addresses, length in floats, bytes of weights to skip before it
 * A tile at the edge repeats its last row; the repeats store the same numbers once more.
 */
export const TABLE_HEAD: u32 = 12 * 4
export const SEGMENT: u32 = 6 * 4
export const PANEL: u32 = 8

/**
 * Bytes of a panel's weights whose products are summed by themselves, 128 rows: errors of long sums grow with their root
 * of n, those of sums of blocks with the roots of both (Higham 1993, "The accuracy of floating point summation", section 3).
 * Blocks begin where the panel does, whatever segments a tile has, so that they are the same in every thread's slice.
 */
export const BLOCK: usize = 128 * 32

/** What a tile does to its sums while they are in registers: bounds, hard swish, a residual in front of them. */
export function isInline(e: Epilogue): bool {
  return (e.act <= CLIP || e.act == HARD_SWISH) && e.residual <= RESIDUAL_BEFORE
}

/**
 * Whether an activation is worth a pass of its own over rows that are still in the cache: curves cost less in a loop
 * over a row than one vector at a time. What comes behind the activation forbids it.
 */
export function isLate(e: Epilogue): bool {
  return e.act > PRELU && e.act != HARD_SWISH && e.residual != RESIDUAL_AFTER
}

/**
 * One tile times one panel. Inputs are read `shift` bytes behind the table's addresses, which is how groups share
 * tables; `columns` of the panel's 8 are stored `at` bytes behind the rows' addresses.
 */
export function tile(
  table: usize,
  shift: usize,
  w: usize,
  bias: usize,
  slope: usize,
  at: usize,
  columns: u32,
  e: Epilogue
): void {
  let a0 = v128.load(bias)
  let b0 = v128.load(bias, 16)
  let a1 = a0
  let b1 = b0
  let a2 = a0
  let b2 = b0
  let a3 = a0
  let b3 = b0
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
          a1 = f32x4.add(a1, v128.load(totals, 32))
          b1 = f32x4.add(b1, v128.load(totals, 48))
          a2 = f32x4.add(a2, v128.load(totals, 64))
          b2 = f32x4.add(b2, v128.load(totals, 80))
          a3 = f32x4.add(a3, v128.load(totals, 96))
          b3 = f32x4.add(b3, v128.load(totals, 112))
        }
        v128.store(totals, a0)
        v128.store(totals, b0, 16)
        v128.store(totals, a1, 32)
        v128.store(totals, b1, 48)
        v128.store(totals, a2, 64)
        v128.store(totals, b2, 80)
        v128.store(totals, a3, 96)
        v128.store(totals, b3, 112)
        a0 = f32x4.splat(0)
        b0 = a0
        a1 = a0
        b1 = a0
        a2 = a0
        b2 = a0
        a3 = a0
        b3 = a0
        do stop += BLOCK
        while (w >= stop)
      }
      const to = min(end, stop)
      for (; w < to; w += 32) {
        const p = v128.load(w)
        const q = v128.load(w, 16)
        let x = v128.load_splat<f32>(x0)
        a0 = madd(x, p, a0)
        b0 = madd(x, q, b0)
        x = v128.load_splat<f32>(x1)
        a1 = madd(x, p, a1)
        b1 = madd(x, q, b1)
        x = v128.load_splat<f32>(x2)
        a2 = madd(x, p, a2)
        b2 = madd(x, q, b2)
        x = v128.load_splat<f32>(x3)
        a3 = madd(x, p, a3)
        b3 = madd(x, q, b3)
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
    a1 = f32x4.add(a1, v128.load(totals, 32))
    b1 = f32x4.add(b1, v128.load(totals, 48))
    a2 = f32x4.add(a2, v128.load(totals, 64))
    b2 = f32x4.add(b2, v128.load(totals, 80))
    a3 = f32x4.add(a3, v128.load(totals, 96))
    b3 = f32x4.add(b3, v128.load(totals, 112))
  }
  const y0 = <usize>load<u32>(table) + at
  const y1 = <usize>load<u32>(table, 4) + at
  const y2 = <usize>load<u32>(table, 8) + at
  const y3 = <usize>load<u32>(table, 12) + at
  if (isInline(e) && (columns == PANEL || e.residual == 0)) {
    if (e.residual) {
      const r0 = <usize>load<u32>(table, 16) + at
      const r1 = <usize>load<u32>(table, 20) + at
      const r2 = <usize>load<u32>(table, 24) + at
      const r3 = <usize>load<u32>(table, 28) + at
      a0 = f32x4.add(a0, v128.load(r0))
      b0 = f32x4.add(b0, v128.load(r0, 16))
      a1 = f32x4.add(a1, v128.load(r1))
      b1 = f32x4.add(b1, v128.load(r1, 16))
      a2 = f32x4.add(a2, v128.load(r2))
      b2 = f32x4.add(b2, v128.load(r2, 16))
      a3 = f32x4.add(a3, v128.load(r3))
      b3 = f32x4.add(b3, v128.load(r3, 16))
    }
    if (e.act) {
      const alpha = f32x4.splat(e.alpha)
      const beta = f32x4.splat(e.beta)
      if (e.act == CLIP) {
        a0 = clip(a0, alpha, beta)
        b0 = clip(b0, alpha, beta)
        a1 = clip(a1, alpha, beta)
        b1 = clip(b1, alpha, beta)
        a2 = clip(a2, alpha, beta)
        b2 = clip(b2, alpha, beta)
        a3 = clip(a3, alpha, beta)
        b3 = clip(b3, alpha, beta)
      } else {
        a0 = hardSwish(a0, alpha, beta)
        b0 = hardSwish(b0, alpha, beta)
        a1 = hardSwish(a1, alpha, beta)
        b1 = hardSwish(b1, alpha, beta)
        a2 = hardSwish(a2, alpha, beta)
        b2 = hardSwish(b2, alpha, beta)
        a3 = hardSwish(a3, alpha, beta)
        b3 = hardSwish(b3, alpha, beta)
      }
    }
    if (columns == PANEL) {
      v128.store(y0, a0)
      v128.store(y0, b0, 16)
      v128.store(y1, a1)
      v128.store(y1, b1, 16)
      v128.store(y2, a2)
      v128.store(y2, b2, 16)
      v128.store(y3, a3)
      v128.store(y3, b3, 16)
      return
    }
    storeColumns(y0, a0, b0, columns)
    storeColumns(y1, a1, b1, columns)
    storeColumns(y2, a2, b2, columns)
    storeColumns(y3, a3, b3, columns)
    return
  }
  // Repeated rows must see the residual before it is overwritten in place, so all are read before any is stored.
  if (e.residual) {
    const residuals = statics()
    loadResiduals(table, residuals, at, columns)
    if (e.residual == RESIDUAL_BEFORE) {
      a0 = f32x4.add(a0, v128.load(residuals))
      b0 = f32x4.add(b0, v128.load(residuals, 16))
      a1 = f32x4.add(a1, v128.load(residuals, 32))
      b1 = f32x4.add(b1, v128.load(residuals, 48))
      a2 = f32x4.add(a2, v128.load(residuals, 64))
      b2 = f32x4.add(b2, v128.load(residuals, 80))
      a3 = f32x4.add(a3, v128.load(residuals, 96))
      b3 = f32x4.add(b3, v128.load(residuals, 112))
    }
  }
  const plain = f32x4.splat(e.alpha)
  const p = e.act == PRELU ? v128.load(slope) : plain
  const q = e.act == PRELU ? v128.load(slope, 16) : plain
  finish(y0, a0, b0, p, q, 0, columns, e)
  finish(y1, a1, b1, p, q, 32, columns, e)
  finish(y2, a2, b2, p, q, 64, columns, e)
  finish(y3, a3, b3, p, q, 96, columns, e)
}

function loadResiduals(table: usize, residuals: usize, at: usize, columns: u32): void {
  for (let row: usize = 0; row < 4; row++) {
    const from = <usize>load<u32>(table + row * 4, 16) + at
    memory.copy(residuals + row * 32, from, columns * 4)
  }
}

function finish(y: usize, a: v128, b: v128, p: v128, q: v128, row: usize, columns: u32, e: Epilogue): void {
  const beta = f32x4.splat(e.beta)
  if (!isLate(e)) {
    a = activate(e.act, a, p, beta)
    b = activate(e.act, b, q, beta)
  }
  if (e.residual == RESIDUAL_AFTER) {
    const skip = statics() + row
    a = f32x4.add(a, v128.load(skip))
    b = f32x4.add(b, v128.load(skip, 16))
  }
  storeColumns(y, a, b, columns)
}

/** Stores the first `columns` (1 to 8) of two vectors. */
export function storeColumns(y: usize, a: v128, b: v128, columns: u32): void {
  if (columns >= 4) {
    v128.store(y, a)
    a = b
    y += 16
    columns -= 4
    if (columns == 4) {
      v128.store(y, a)
      return
    }
  }
  if (columns & 2) {
    v128.store64_lane(y, a, 0)
    a = i8x16.shuffle(a, a, 8, 9, 10, 11, 12, 13, 14, 15, 8, 9, 10, 11, 12, 13, 14, 15)
    y += 8
  }
  if (columns & 1) v128.store32_lane(y, a, 0)
}

/**
 * One row times one panel, for matrix-vector products: four inner positions at a time into eight accumulators, so
 * that additions do not wait for each other.
 */
export function rowTile(
  table: usize,
  shift: usize,
  w: usize,
  bias: usize,
  slope: usize,
  at: usize,
  columns: u32,
  e: Epilogue
): void {
  let a0 = v128.load(bias)
  let b0 = v128.load(bias, 16)
  let a1 = f32x4.splat(0)
  let b1 = a1
  let a2 = a1
  let b2 = a1
  let a3 = a1
  let b3 = a1
  // Four sums at a time: a block of each.
  let stop = w + 4 * BLOCK
  let total = a1
  let more = a1
  shift += <usize>load<u32>(table, 40)
  let segment = <usize>load<u32>(table, 36)
  const last = segment + <usize>load<u32>(table, 32) * SEGMENT
  for (; segment < last; segment += SEGMENT) {
    let x = <usize>load<u32>(segment) + shift
    w += <usize>load<u32>(segment, 20)
    const length = load<u32>(segment, 16)
    const whole = w + ((<usize>(length & ~3)) << 5)
    for (; w < whole; w += 128) {
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
        stop = w + 4 * BLOCK
      }
      let v = v128.load_splat<f32>(x)
      a0 = madd(v, v128.load(w), a0)
      b0 = madd(v, v128.load(w, 16), b0)
      v = v128.load_splat<f32>(x, 4)
      a1 = madd(v, v128.load(w, 32), a1)
      b1 = madd(v, v128.load(w, 48), b1)
      v = v128.load_splat<f32>(x, 8)
      a2 = madd(v, v128.load(w, 64), a2)
      b2 = madd(v, v128.load(w, 80), b2)
      v = v128.load_splat<f32>(x, 12)
      a3 = madd(v, v128.load(w, 96), a3)
      b3 = madd(v, v128.load(w, 112), b3)
      x += 16
    }
    for (let i = length & 3; i > 0; i--) {
      const v = v128.load_splat<f32>(x)
      a0 = madd(v, v128.load(w), a0)
      b0 = madd(v, v128.load(w, 16), b0)
      x += 4
      w += 32
    }
  }
  a0 = f32x4.add(total, f32x4.add(f32x4.add(a0, a1), f32x4.add(a2, a3)))
  b0 = f32x4.add(more, f32x4.add(f32x4.add(b0, b1), f32x4.add(b2, b3)))
  finishOne(<usize>load<u32>(table) + at, <usize>load<u32>(table, 16) + at, a0, b0, slope, columns, e)
}

/** The epilogue of one row's sums, but for an activation that is late. */
export function finishOne(y: usize, r: usize, a: v128, b: v128, slope: usize, columns: u32, e: Epilogue): void {
  if (e.residual) {
    const residuals = statics()
    memory.copy(residuals, r, columns * 4)
    if (e.residual == RESIDUAL_BEFORE) {
      a = f32x4.add(a, v128.load(residuals))
      b = f32x4.add(b, v128.load(residuals, 16))
    }
  }
  const plain = f32x4.splat(e.alpha)
  const p = e.act == PRELU ? v128.load(slope) : plain
  const q = e.act == PRELU ? v128.load(slope, 16) : plain
  finish(y, a, b, p, q, 0, columns, e)
}
