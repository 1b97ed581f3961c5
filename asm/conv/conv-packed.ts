import { ROWS, sixRows, spreadSix } from '../dense/product'
import { isInline, isLate, PANEL } from '../dense/tile'
import { DEEP, sixPair, WIDE } from '../dense/wide'
import { activatePixels, Epilogue } from '../elementwise/epilogue'
import { statics } from '../thread'
import { ConvParams, isFlat } from './conv-params'

/**
 * Convolutions whose kernel rows are short runs of memory, as of images with three channels: windows are packed in groups of
 * ROWS, interleaved, so that all panels of filters read them by one pointer, in place of a table of many short segments
 * (im2col of a few pixels at a time; Chellapilla et al. 2006).
 */

/** Floats of a kernel row from which on windows are read where they lie. */
const LONG_RUN: u32 = 48

/** Groups of a block. */
const GROUPS: u32 = 8

/** `room` is the floats of scratch, where one group has to fit. */
export function isPacked(p: ConvParams, e: Epilogue, room: u32): bool {
  if (ROWS < 6 || p.groups != 1 || !isFlat(p) || p.kernelH * p.kernelW == 1) return false
  if (room < p.kernelH * p.kernelW * p.channels * ROWS) return false
  if (p.channels * p.kernelW > LONG_RUN || p.filters < PANEL || e.residual) return false
  return p.xW == p.channels && p.dilationW == 1 && p.yH == p.outW * p.yW && (isInline(e) || isLate(e))
}

/** Positions `from` to `end` of one image; `room` is the floats of scratch. */
export function packedPixels(
  p: ConvParams,
  e: Epilogue,
  x: usize,
  w: usize,
  bias: usize,
  y: usize,
  from: u32,
  end: u32,
  scratch: usize,
  room: u32
): void {
  const inner = p.kernelH * p.kernelW * p.channels
  const group = (<usize>(inner * ROWS)) << 2
  const most = min(room / (inner * ROWS), GROUPS) * ROWS
  const step = (<usize>p.yW) << 2
  const next = (<usize>(inner * PANEL)) << 2
  for (; from < end; from += most) {
    const count = min(most, end - from)
    let column = from % p.outW
    let row = from / p.outW
    let to = scratch
    for (let i: u32 = 0; i < count; i++) {
      const h = <i32>(row * p.strideH - p.padH)
      const left = <i32>(column * p.strideW - p.padW)
      const last = left + <i32>((ROWS - 1) * p.strideW + p.kernelW)
      if (i % ROWS == 0 && i + ROWS <= count && column + ROWS < p.outW && left >= 0 && last <= <i32>p.inW) {
        to = packSix(p, x + ((<usize>(<u32>left * p.xW)) << 2), h, to)
        i += ROWS - 1
        column += ROWS
        continue
      }
      packWindow(p, x, h, left, to)
      to += (i + 1) % ROWS ? 4 : group - (ROWS - 1) * 4
      if (++column < p.outW) continue
      column = 0
      row++
    }
    const first = y + <usize>from * step
    for (let c: u32 = 0; c < p.filters; c += PANEL) {
      const pair = WIDE && inner >= DEEP && c + 2 * PANEL <= p.filters
      const o = (<usize>c) << 2
      const panel = w + o * <usize>inner
      const width = min(p.filters - c, PANEL)
      for (let i: u32 = 0; i < count; i += ROWS) {
        const from = scratch + <usize>(i / ROWS) * group
        const at = first + <usize>i * step + o
        const rows = min(count - i, ROWS)
        if (pair && rows == ROWS) {
          sixPair(from, panel, next, inner, bias + o, 0, at, step, at, 0, e)
          continue
        }
        sixPixels(from, panel, inner, bias + o, at, step, rows, width, e)
        if (pair) sixPixels(from, panel + next, inner, bias + o + PANEL * 4, at + PANEL * 4, step, rows, PANEL, e)
      }
      if (pair) c += PANEL
    }
    if (isLate(e)) activatePixels(e, first, step, count, p.filters)
  }
}

/** One group times one panel, of which `rows` and `columns` count; what does not is kept from y. */
function sixPixels(
  x: usize,
  w: usize,
  inner: u32,
  bias: usize,
  y: usize,
  step: usize,
  rows: u32,
  columns: u32,
  e: Epilogue
): void {
  if (rows == ROWS && columns == PANEL) {
    sixRows(x, w, inner, bias, y, step, y, 0, e)
    return
  }
  const whole = statics()
  sixRows(x, w, inner, bias, whole, PANEL * 4, whole, 0, e)
  for (let i: usize = 0; i < <usize>rows; i++) memory.copy(y + i * step, whole + i * PANEL * 4, columns * 4)
}

/** The windows of six neighbours that lie inside the input's columns; the first begins at row `h`, where `x` is its column of row 0. */
function packSix(p: ConvParams, x: usize, h: i32, to: usize): usize {
  const run = p.kernelW * p.channels
  const step = (<usize>(p.strideW * p.xW)) << 2
  for (let kh = p.kernelH; kh > 0; kh--, h += <i32>p.dilationH) {
    if (<u32>h < p.inH) to = spreadSix(x + ((<usize>(<u32>h * p.xH)) << 2), step, run, to)
    else {
      memory.fill(to, 0, run * ROWS * 4)
      to += <usize>run * ROWS * 4
    }
  }
  return to
}

/** The window that begins at row `h` and column `left`, zeros where it is outside: its elements ROWS floats apart. */
function packWindow(p: ConvParams, x: usize, h: i32, left: i32, to: usize): void {
  const pixel = (<usize>p.channels) << 2
  for (let kh = p.kernelH; kh > 0; kh--, h += <i32>p.dilationH)
    for (let v = left; v < left + <i32>p.kernelW; v++) {
      const inside = <u32>h < p.inH && <u32>v < p.inW
      const from = x + ((<usize>(<u32>h * p.xH + <u32>v * p.xW)) << 2)
      for (let at: usize = 0; at < pixel; at += 4, to += ROWS * 4) store<f32>(to, inside ? load<f32>(from + at) : 0)
    }
}
