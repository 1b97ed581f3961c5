import { PANEL, storeColumns } from '../dense/tile'
import { CLIP, clip, lowerBound, PRELU, upperBound } from '../elementwise/activation'
import { activatePixels, Epilogue } from '../elementwise/epilogue'
import { madd } from '../madd'
import { statics } from '../thread'
import { ConvParams, isFlat } from './conv-params'

/**
 * Convolutions three columns wide, of few channels: groups of 2 to 16, images, heads of few filters. A tile is eight
 * neighbouring outputs times four filters. For each kernel row and channel three vectors of weights stay in registers while
 * the ten input columns pass, each of which is broadcast once for the three sums that read it.
 */

/** Outputs of a tile, and the input columns that they read. */
const SIDE: u32 = 8
const READ: u32 = SIDE + 2

/** Channels of a group up to which runs of memory are so short that tables of them cost more. */
const MOST: u32 = 32

/** `room` is the floats of scratch, where the addresses of a tile have to fit. */
export function isColumns(p: ConvParams, e: Epilogue, room: u32): bool {
  if (p.kernelW != 3 || p.strideW * p.dilationW != 1 || !isFlat(p)) return false
  return p.channels <= MOST && room >= p.kernelH * READ && e.residual == 0 && e.act != PRELU
}

/** Positions `from` to `end` of one image; `table` is where the addresses go. */
export function columnPixels(
  p: ConvParams,
  e: Epilogue,
  x: usize,
  w: usize,
  bias: usize,
  y: usize,
  from: u32,
  end: u32,
  table: usize,
  zeros: usize
): void {
  const low = lowerBound(e.act, e.alpha)
  const high = upperBound(e.act, e.beta)
  const sums = statics()
  const channels = p.channels
  const filters = p.filters
  const yStep = (<usize>p.yW) << 2
  const step = (<usize>(channels * PANEL)) << 2
  const panel = step * p.kernelH * 3
  while (from < end) {
    const column = from % p.outW
    const row = from / p.outW
    const count = min(min(SIDE, p.outW - column), end - from)
    // Kernel rows outside have no addresses.
    let rows: u32 = 0
    let weights = w
    let to = table
    let h = <i32>(row * p.strideH - p.padH)
    for (let kh = p.kernelH; kh > 0; kh--, h += <i32>p.dilationH) {
      if (<u32>h >= p.inH) {
        if (rows == 0) weights += step * 3
        continue
      }
      rows++
      for (let i: u32 = 0; i < READ; i++, to += 4) {
        const v = column + i - p.padW
        store<u32>(to, v < p.inW ? <u32>(x + ((<usize>(<u32>h * p.xH + v * p.xW)) << 2)) : <u32>zeros)
      }
    }
    const first = y + ((<usize>(row * p.yH + column * p.yW)) << 2)
    let out = first
    let b = bias
    let shift: usize = 0
    for (let g = p.groups; g > 0; g--, shift += (<usize>channels) << 2)
      for (let f: u32 = 0; f < filters; f += PANEL, b += PANEL * 4, weights += panel)
        for (let half: usize = 0; half < PANEL && f + <u32>half < filters; half += 4) {
          const width = min(filters - f - <u32>half, 4)
          if (count == SIDE && width == 4) {
            eight(table, shift, weights + (half << 2), step, rows, b + (half << 2), low, high, out, yStep)
          } else {
            eight(table, shift, weights + (half << 2), step, rows, b + (half << 2), low, high, sums, 16)
            let to = out
            for (let i: usize = 0; i < <usize>count; i++, to += yStep) {
              const v = v128.load(sums + (i << 4))
              storeColumns(to, v, v, width)
            }
          }
          out += width << 2
        }
    if (e.act > CLIP) activatePixels(e, first, yStep, count, p.groups * filters)
    from += count
  }
}

/** Eight outputs of four filters of one group, whose inputs lie `shift` bytes behind the table's addresses. */
function eight(
  table: usize,
  shift: usize,
  w: usize,
  step: usize,
  rows: u32,
  bias: usize,
  low: v128,
  high: v128,
  y: usize,
  yStep: usize
): void {
  let a0 = v128.load(bias)
  let a1 = a0
  let a2 = a0
  let a3 = a0
  let a4 = a0
  let a5 = a0
  let a6 = a0
  let a7 = a0
  for (; rows > 0; rows--, table += READ * 4, w += 2 * step) {
    let from = shift
    for (const end = w + step; w < end; w += PANEL * 4, from += 4) {
      const p = v128.load(w)
      const q = v128.load(w + step)
      const r = v128.load(w + 2 * step)
      let v = v128.load_splat<f32>(<usize>load<u32>(table) + from)
      a0 = madd(v, p, a0)
      v = v128.load_splat<f32>(<usize>load<u32>(table, 4) + from)
      a0 = madd(v, q, a0)
      a1 = madd(v, p, a1)
      v = v128.load_splat<f32>(<usize>load<u32>(table, 8) + from)
      a0 = madd(v, r, a0)
      a1 = madd(v, q, a1)
      a2 = madd(v, p, a2)
      v = v128.load_splat<f32>(<usize>load<u32>(table, 12) + from)
      a1 = madd(v, r, a1)
      a2 = madd(v, q, a2)
      a3 = madd(v, p, a3)
      v = v128.load_splat<f32>(<usize>load<u32>(table, 16) + from)
      a2 = madd(v, r, a2)
      a3 = madd(v, q, a3)
      a4 = madd(v, p, a4)
      v = v128.load_splat<f32>(<usize>load<u32>(table, 20) + from)
      a3 = madd(v, r, a3)
      a4 = madd(v, q, a4)
      a5 = madd(v, p, a5)
      v = v128.load_splat<f32>(<usize>load<u32>(table, 24) + from)
      a4 = madd(v, r, a4)
      a5 = madd(v, q, a5)
      a6 = madd(v, p, a6)
      v = v128.load_splat<f32>(<usize>load<u32>(table, 28) + from)
      a5 = madd(v, r, a5)
      a6 = madd(v, q, a6)
      a7 = madd(v, p, a7)
      v = v128.load_splat<f32>(<usize>load<u32>(table, 32) + from)
      a6 = madd(v, r, a6)
      a7 = madd(v, q, a7)
      v = v128.load_splat<f32>(<usize>load<u32>(table, 36) + from)
      a7 = madd(v, r, a7)
    }
  }
  v128.store(y, clip(a0, low, high))
  y += yStep
  v128.store(y, clip(a1, low, high))
  y += yStep
  v128.store(y, clip(a2, low, high))
  y += yStep
  v128.store(y, clip(a3, low, high))
  y += yStep
  v128.store(y, clip(a4, low, high))
  y += yStep
  v128.store(y, clip(a5, low, high))
  y += yStep
  v128.store(y, clip(a6, low, high))
  y += yStep
  v128.store(y, clip(a7, low, high))
}
