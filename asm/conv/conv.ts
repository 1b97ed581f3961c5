import { FEW, fewTile, LANES, onePixels, packFew } from '../dense/narrow'
import { activateRows, panels } from '../dense/panels'
import { PANEL, SEGMENT, TABLE_HEAD } from '../dense/tile'
import { PRELU } from '../elementwise/activation'
import { Epilogue } from '../elementwise/epilogue'
import { firstOf, lastOf, statics, worth } from '../thread'
import { columnPixels, isColumns } from './conv-columns'
import { isPacked, packedPixels } from './conv-packed'
import { ConvParams, isFlat } from './conv-params'

/** Output positions that one walk covers: from `first` in steps of `step`, per axis. */
@unmanaged
class Grid {
  firstD: u32
  firstH: u32
  firstW: u32
  stepD: u32
  stepH: u32
  stepW: u32
  countD: u32
  countH: u32
  countW: u32
}

/** One of the four output positions of the tile whose table is being written. */
@unmanaged
class Pixel {
  d: i32
  h: i32
  w: i32
}

/** Where the grid and the pixels lie behind the thread's statics. */
const GRID: usize = 256
const PIXELS: usize = 320

export function conv(
  p: ConvParams,
  x: usize,
  w: usize,
  bias: usize,
  slope: usize,
  r: usize,
  y: usize,
  scratch: usize
): void {
  const grid = changetype<Grid>(statics() + GRID)
  grid.firstD = 0
  grid.firstH = 0
  grid.firstW = 0
  grid.stepD = 1
  grid.stepH = 1
  grid.stepW = 1
  grid.countD = p.outD
  grid.countH = p.outH
  grid.countW = p.outW
  prepare(p, w, scratch)
  walk(p, grid, false, x, w, bias, slope, r, y, scratch)
}

/**
 * Output positions of equal remainder by the stride read the same kernel positions, so each remainder is one walk: its
 * tiles skip the weights that none of their positions use.
 */
export function convTranspose(
  p: ConvParams,
  x: usize,
  w: usize,
  bias: usize,
  slope: usize,
  r: usize,
  y: usize,
  scratch: usize
): void {
  const grid = changetype<Grid>(statics() + GRID)
  grid.stepD = p.strideD
  grid.stepH = p.strideH
  grid.stepW = p.strideW
  prepare(p, w, scratch)
  for (let d: u32 = 0; d < min(p.strideD, p.outD); d++)
    for (let h: u32 = 0; h < min(p.strideH, p.outH); h++)
      for (let v: u32 = 0; v < min(p.strideW, p.outW); v++) {
        grid.firstD = d
        grid.firstH = h
        grid.firstW = v
        grid.countD = (p.outD - d + p.strideD - 1) / p.strideD
        grid.countH = (p.outH - h + p.strideH - 1) / p.strideH
        grid.countW = (p.outW - v + p.strideW - 1) / p.strideW
        walk(p, grid, true, x, w, bias, slope, r, y, scratch)
      }
}

/** Filters that fill no panel, and channels that fill lanes (compiler/ops/conv/direct.ts: hasFewFilters). */
function hasFew(p: ConvParams): bool {
  // None at all are no few: a file may say so, and nothing is to be written then.
  return p.groups == 1 && p.filters - 1 < FEW && p.channels % LANES == 0
}

/** Whether each output of one filter is made of one pixel, and of nothing else. */
function isAlone(p: ConvParams, e: Epilogue): bool {
  if (p.kernelH * p.kernelW != 1 || !isFlat(p) || (p.padH | p.padW) != 0) return false
  // Where padding is behind the input, the last outputs are of none of its pixels.
  const isInside = <u64>(p.outH - 1) * p.strideH < p.inH && <u64>(p.outW - 1) * p.strideW < p.inW
  return isInside && e.residual == 0 && e.act != PRELU
}

/** Behind the tables: what is read where a window is outside, and few filters in lanes. */
function prepare(p: ConvParams, w: usize, scratch: usize): void {
  const taps = p.kernelD * p.kernelH * p.kernelW
  const zeros = scratch + p.tiles * (TABLE_HEAD + taps * SEGMENT)
  const bytes = p.groups * p.channels * 4
  memory.fill(zeros, 0, bytes)
  if (hasFew(p)) packFew(w, taps * p.channels, p.filters, zeros + <usize>bytes)
}

function walk(
  p: ConvParams,
  grid: Grid,
  transposed: bool,
  x: usize,
  w: usize,
  bias: usize,
  slope: usize,
  r: usize,
  y: usize,
  scratch: usize
): void {
  const e = changetype<Epilogue>(changetype<usize>(p) + offsetof<ConvParams>('residual'))
  const taps = p.kernelD * p.kernelH * p.kernelW
  const inner = taps * p.channels
  const stride = TABLE_HEAD + taps * SEGMENT
  const zeros = scratch + p.tiles * stride
  const few = hasFew(p)
  const lanes = zeros + <usize>p.channels * 4
  const padded = ((p.filters + PANEL - 1) / PANEL) * PANEL
  const pixels = grid.countD * grid.countH * grid.countW
  const least = worth(2 * inner * padded * p.groups)
  const fours = (p.batch * pixels + 3) >> 2
  const end = min(lastOf(fours, least) << 2, p.batch * pixels)
  const room = (p.tiles * stride) >> 2
  const alone = few && p.filters == 1 && p.yW == 1 && !transposed && isAlone(p, e)
  const packed = !transposed && isPacked(p, e, room)
  // Where windows are packed for many filters, that is the smaller cost.
  const columns = !transposed && !few && isColumns(p, e, room) && !(packed && p.channels * PANEL <= p.filters)
  for (let from = firstOf(fours, least) << 2; from < end; ) {
    // Blocks end with an image.
    const n = from / pixels
    const first = from - n * pixels
    const xn = x + <usize>n * p.xN * 4
    const yn = y + <usize>n * p.yN * 4
    if (columns || packed) {
      const behind = min(first + (end - from), pixels)
      if (columns) columnPixels(p, e, xn, w, bias, yn, first, behind, scratch, zeros)
      else packedPixels(p, e, xn, w, bias, yn, first, behind, scratch, room)
      from += behind - first
      continue
    }
    const last = min(first + min(p.tiles * 4, end - from), pixels) - 1
    const rn = r + <usize>n * p.rN * 4
    if (alone) {
      const row = first / p.outW
      const column = first - row * p.outW
      const count = min(p.outW - column, end - from)
      if (count >= 4) {
        const at = xn + ((<usize>(row * p.strideH * p.xH + column * p.strideW * p.xW)) << 2)
        onePixels(at, (p.strideW * p.xW) << 2, yn + ((<usize>(row * p.yH + column)) << 2), count, lanes, inner, bias, e)
        from += count
        continue
      }
    }
    writeTables(p, grid, transposed, scratch, stride, first, last, xn, rn, yn, zeros)
    if (few) {
      for (let t = first; t <= last; t += 4)
        fewTile(scratch + <usize>((t - first) >> 2) * stride, lanes, inner, bias, slope, p.filters, e)
      activateRows(scratch, stride, last - first + 1, 0, p.filters, e)
    } else
      for (let g: u32 = 0; g < p.groups; g++)
        panels(
          scratch,
          stride,
          last - first + 1,
          <usize>g * p.channels * 4,
          w + <usize>g * padded * inner * 4,
          bias + g * padded * 4,
          slope + g * padded * 4,
          <usize>g * p.filters * 4,
          inner,
          p.filters,
          e,
          pixels == 1,
          (p.channels & 1) == 0
        )
    from += last - first + 1
  }
}

/** The tables of the tiles that cover positions `first` to `last` of the walk, `stride` bytes apart. */
function writeTables(
  p: ConvParams,
  grid: Grid,
  transposed: bool,
  table: usize,
  stride: usize,
  first: u32,
  last: u32,
  x: usize,
  r: usize,
  y: usize,
  zeros: usize
): void {
  const extent = <i32>((p.kernelW - 1) * p.dilationW + 3 * p.strideW + 1)
  let column = first % grid.countW
  let wasInside = false
  for (; first <= last; first += 4, table += stride) {
    const left = <i32>(column * p.strideW - p.padW)
    const inside =
      !transposed && first + 3 <= last && column + 3 < grid.countW && left >= 0 && left + extent <= <i32>p.inW
    if (inside && wasInside && column >= 4) shiftTable(p, table - stride, table)
    else writeTable(p, grid, transposed, inside, table, first, last, x, r, y, zeros)
    wasInside = inside
    column += 4
    while (column >= grid.countW) column -= grid.countW
  }
}

/** The table of the next four neighbours, whose windows lie inside the input's columns as those of the table `from` do. */
function shiftTable(p: ConvParams, from: usize, table: usize): void {
  const yStep = p.yW << 4
  const rStep = p.rW << 4
  for (let i: usize = 0; i < 16; i += 4) {
    store<u32>(table + i, load<u32>(from + i) + yStep)
    store<u32>(table + i, load<u32>(from + i, 16) + rStep, 16)
  }
  store<u32>(table, load<u32>(from, 32), 32)
  store<u32>(table, load<u32>(from, 36), 36)
  store<u32>(table, load<u32>(from, 40) + ((p.strideW * p.xW) << 4), 40)
}

/**
 * The table of the tile that begins at position `first` of the walk; positions behind `last` repeat it. `inside` says that its
 * four positions are neighbours whose windows lie inside the input's columns.
 */
function writeTable(
  p: ConvParams,
  grid: Grid,
  transposed: bool,
  inside: bool,
  table: usize,
  first: u32,
  last: u32,
  x: usize,
  r: usize,
  y: usize,
  zeros: usize
): void {
  store<u32>(table, <u32>(table + TABLE_HEAD), 36)
  store<u32>(table, 0, 40)
  let column = first % grid.countW
  let row = first / grid.countW
  let h = row % grid.countH
  let d = row / grid.countH
  const dense = !transposed && p.dilationW == 1 && p.xW == p.channels
  if (dense && inside && p.kernelD == 1) {
    const depth = d * p.strideD - p.padD
    if (depth < p.inD) {
      writeRuns(p, table, h, <i32>(column * p.strideW - p.padW), x + <usize>(depth * p.xD) * 4)
      const to = y + <usize>(d * p.yD + h * p.yH + column * p.yW) * 4
      const skip = r + <usize>(d * p.rD + h * p.rH + column * p.rW) * 4
      for (let i: u32 = 0; i < 4; i++) {
        store<u32>(table + (i << 2), <u32>(to + ((i * p.yW) << 2)))
        store<u32>(table + (i << 2), <u32>(skip + ((i * p.rW) << 2)), 16)
      }
      return
    }
  }
  const pixels = statics() + PIXELS
  for (let i: u32 = 0; i < 4; i++) {
    const od = grid.firstD + d * grid.stepD
    const oh = grid.firstH + h * grid.stepH
    const ow = grid.firstW + column * grid.stepW
    const pixel = changetype<Pixel>(pixels + i * offsetof<Pixel>())
    pixel.d = transposed ? <i32>(od + p.padD) : <i32>(od * p.strideD - p.padD)
    pixel.h = transposed ? <i32>(oh + p.padH) : <i32>(oh * p.strideH - p.padH)
    pixel.w = transposed ? <i32>(ow + p.padW) : <i32>(ow * p.strideW - p.padW)
    store<u32>(table + (i << 2), <u32>(y + <usize>(od * p.yD + oh * p.yH + ow * p.yW) * 4))
    store<u32>(table + (i << 2), <u32>(r + <usize>(od * p.rD + oh * p.rH + ow * p.rW) * 4), 16)
    if (first + i >= last || ++column < grid.countW) continue
    column = 0
    if (++h < grid.countH) continue
    h = 0
    d++
  }
  const runs = dense && insideColumns(p, pixels)
  const tapBytes = p.channels * PANEL * 4
  let segment = table + TABLE_HEAD
  let skip: u32 = 0
  for (let kd: u32 = 0; kd < p.kernelD; kd++)
    for (let kh: u32 = 0; kh < p.kernelH; kh++)
      for (let kw: u32 = 0; kw < p.kernelW; kw++) {
        let inside: u32 = 0
        for (let i: u32 = 0; i < 4; i++) {
          const pixel = changetype<Pixel>(pixels + i * offsetof<Pixel>())
          const d = coordinate(transposed, pixel.d, kd * p.dilationD, p.strideD, p.inD)
          const h = coordinate(transposed, pixel.h, kh * p.dilationH, p.strideH, p.inH)
          const v = coordinate(transposed, pixel.w, kw * p.dilationW, p.strideW, p.inW)
          const hit = (d | h | v) >= 0
          inside += u32(hit)
          store<u32>(
            segment + i * 4,
            hit ? <u32>(x + <usize>(<u32>d * p.xD + <u32>h * p.xH + <u32>v * p.xW) * 4) : <u32>zeros
          )
        }
        if (inside == 0) {
          skip += tapBytes
          continue
        }
        const run = runs && kw == 0 && inside == 4
        store<u32>(segment, run ? p.channels * p.kernelW : p.channels, 16)
        store<u32>(segment, skip, 20)
        skip = 0
        segment += SEGMENT
        if (run) break
      }
  store<u32>(table, <u32>(segment - table - TABLE_HEAD) / SEGMENT, 32)
}

/** Segments of four neighbours whose windows lie inside the input's columns: a run for each kernel row inside. */
function writeRuns(p: ConvParams, table: usize, oh: u32, left: i32, x: usize): void {
  const step = (p.strideW * p.xW) << 2
  const length = p.channels * p.kernelW
  let segment = table + TABLE_HEAD
  let skip: u32 = 0
  let h = <i32>(oh * p.strideH - p.padH)
  for (let kh = p.kernelH; kh > 0; kh--, h += <i32>p.dilationH) {
    if (<u32>h >= p.inH) {
      skip += (length * PANEL) << 2
      continue
    }
    const from = <u32>(x + ((<usize>(<u32>h * p.xH + <u32>left * p.xW)) << 2))
    store<u32>(segment, from)
    store<u32>(segment, from + step, 4)
    store<u32>(segment, from + 2 * step, 8)
    store<u32>(segment, from + 3 * step, 12)
    store<u32>(segment, length, 16)
    store<u32>(segment, skip, 20)
    skip = 0
    segment += SEGMENT
  }
  store<u32>(table, <u32>(segment - table - TABLE_HEAD) / SEGMENT, 32)
}

/** Whether all four windows lie inside the input's columns, so that a kernel row is one run of memory. */
function insideColumns(p: ConvParams, pixels: usize): bool {
  for (let i: u32 = 0; i < 4; i++) {
    const v = changetype<Pixel>(pixels + i * offsetof<Pixel>()).w
    if (v < 0 || v + <i32>p.kernelW > <i32>p.inW) return false
  }
  return true
}

/** The input index that a kernel position reads, or -1 where there is none. */
function coordinate(transposed: bool, base: i32, offset: u32, stride: u32, size: u32): i32 {
  if (!transposed) {
    const at = base + <i32>offset
    return <u32>at < size ? at : -1
  }
  const at = base - <i32>offset
  if (at < 0 || <u32>at % stride != 0) return -1
  const index = <u32>at / stride
  return index < size ? <i32>index : -1
}
