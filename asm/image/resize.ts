/**
 * Resizing along one axis of any tensor, tap by tap over whole rows, and along both axes of images at once for nearest
 * and linear. Coordinates are rounded to single precision where onnxruntime rounds, so that ties fall alike.
 */
import { gather, scatter } from '../lanes'
import { tripsOf } from '../loops'
import { firstOf, lastOf, worth } from '../thread'

@unmanaged
export class ResizeAxisParams {
  mode: u32
  coordinates: u32
  rounding: u32
  excludeOutside: u32
  antialias: u32
  cubic: f32
  outside: f32
  xSize: u32
  ySize: u32
  scale: f32
  from: f32
  to: f32
  xStep: u32
  yStep: u32
  k0: u32
  k1: u32
  k2: u32
  k3: u32
  x0: u32
  x1: u32
  x2: u32
  x3: u32
  y0: u32
  y1: u32
  y2: u32
  y3: u32
}

const NEAREST: u32 = 0
const LINEAR: u32 = 1

const HALF_PIXEL_SYMMETRIC: u32 = 1
const PYTORCH_HALF_PIXEL: u32 = 2
const ALIGN_CORNERS: u32 = 3
const ASYMMETRIC: u32 = 4
const TF_HALF_PIXEL_FOR_NN: u32 = 5
const TF_CROP_AND_RESIZE: u32 = 6

const ROUND_PREFER_FLOOR: u32 = 0
const ROUND_PREFER_CEIL: u32 = 1
const FLOOR: u32 = 2

export function resizeAxis(p: ResizeAxisParams, x: usize, y: usize): void {
  const scale = scaleOf(p.scale, p.xSize, p.ySize)
  const spread: f32 = p.antialias && scale < 1 ? 1 / scale : 1
  const least = worth(max(p.mode, 1) * 2 * tripsOf(4, changetype<usize>(p) + offsetof<ResizeAxisParams>('k0')))
  const last = lastOf(p.ySize, least)
  for (let i = firstOf(p.ySize, least); i < last; i++) {
    const to = y + ((i * p.yStep) << 2)
    if (p.coordinates == TF_CROP_AND_RESIZE) {
      const at = cropped(p, <f32>i)
      if (at < 0 || at > <f32>(p.xSize - 1)) fill(p, to)
      else resample(p, x, to, at, spread)
    } else {
      resample(p, x, to, coordinate(p.coordinates, <f32>i, scale, <f32>p.xSize, <f32>p.ySize), spread)
    }
  }
}

function scaleOf(given: f32, from: u32, to: u32): f32 {
  return given == 0 ? <f32>to / <f32>from : given
}

function cropped(p: ResizeAxisParams, i: f32): f32 {
  const last = <f32>p.xSize - 1
  if (p.ySize == 1) return 0.5 * (p.from + p.to) * last
  return p.from * last + (i * (p.to - p.from) * last) / (<f32>p.ySize - 1)
}

function coordinate(mode: u32, i: f32, scale: f32, size: f32, out: f32): f32 {
  if (scale == 1) return i
  if (mode == ASYMMETRIC) return i / scale
  if (mode == ALIGN_CORNERS) return out > 1 ? (i * (size - 1)) / (out - 1) : 0
  const centre = (i + 0.5) / scale
  if (mode == TF_HALF_PIXEL_FOR_NN) return centre
  if (mode == PYTORCH_HALF_PIXEL) return out > 1 ? centre - 0.5 : 0
  if (mode == HALF_PIXEL_SYMMETRIC) {
    const offset = (size / 2) * (1 - out / (scale * size))
    return <f32>(<f64>offset + (<f64>i + 0.5) / <f64>scale - 0.5)
  }
  return centre - 0.5
}

function nearest(rounding: u32, at: f32, size: u32): u32 {
  let index: f32
  if (rounding == ROUND_PREFER_FLOOR) index = ceil<f32>(at - 0.5)
  else if (rounding == ROUND_PREFER_CEIL) index = floor<f32>(at + 0.5)
  else index = rounding == FLOOR ? floor<f32>(at) : ceil<f32>(at)
  return clamped(<i32>index, size)
}

function clamped(index: i32, size: u32): u32 {
  return <u32>min(max(index, 0), <i32>size - 1)
}

function filter(mode: u32, distance: f32, a: f32): f32 {
  const z = abs<f32>(distance)
  if (mode == LINEAR) return max<f32>(1 - z, 0)
  if (z < 1) return ((a + 2) * z - (a + 3)) * z * z + 1
  return z < 2 ? ((z - 5) * z + 8) * z * a - 4 * a : 0
}

function resample(p: ResizeAxisParams, x: usize, to: usize, at: f32, spread: f32): void {
  const radius = <f32>p.mode * spread
  const first = <i32>ceil<f32>(at - radius)
  const last = <i32>floor<f32>(at + radius)
  let total: f32 = 0
  if (p.mode != NEAREST) for (let i = first; i <= last; i++) total += weight(p, i, at, spread)
  if (total == 0) {
    addRows(p, x + ((nearest(p.rounding, at, p.xSize) * p.xStep) << 2), to, 1, true)
    return
  }
  let fresh = true
  for (let i = first; i <= last; i++) {
    const w = weight(p, i, at, spread)
    if (w == 0) continue
    addRows(p, x + ((clamped(i, p.xSize) * p.xStep) << 2), to, w / total, fresh)
    fresh = false
  }
}

function weight(p: ResizeAxisParams, index: i32, at: f32, spread: f32): f32 {
  if (p.excludeOutside && <u32>index >= p.xSize) return 0
  return filter(p.mode, (<f32>index - at) / spread, p.cubic)
}

/** Adds w * x to y, or puts it there, for all elements beside the axis. */
function addRows(p: ResizeAxisParams, x: usize, y: usize, w: f32, fresh: bool): void {
  const weights = f32x4.splat(w)
  const xBeside = p.x3 << 2
  const yBeside = p.y3 << 2
  for (let i0: u32 = 0; i0 < p.k0; i0++) {
    for (let i1: u32 = 0; i1 < p.k1; i1++) {
      for (let i2: u32 = 0; i2 < p.k2; i2++) {
        let from = x + ((i0 * p.x0 + i1 * p.x1 + i2 * p.x2) << 2)
        let to = y + ((i0 * p.y0 + i1 * p.y1 + i2 * p.y2) << 2)
        for (let left = <i32>p.k3; left > 0; left -= 4, from += xBeside << 2, to += yBeside << 2) {
          let v = f32x4.mul(gather(from, xBeside, left), weights)
          if (!fresh) v = f32x4.add(v, gather(to, yBeside, left))
          scatter(to, yBeside, v, left)
        }
      }
    }
  }
}

function fill(p: ResizeAxisParams, y: usize): void {
  for (let i0: u32 = 0; i0 < p.k0; i0++) {
    for (let i1: u32 = 0; i1 < p.k1; i1++) {
      for (let i2: u32 = 0; i2 < p.k2; i2++) {
        let to = y + ((i0 * p.y0 + i1 * p.y1 + i2 * p.y2) << 2)
        for (let i3: u32 = 0; i3 < p.k3; i3++, to += p.y3 << 2) store<f32>(to, p.outside)
      }
    }
  }
}

@unmanaged
export class ResizePlaneParams {
  mode: u32
  coordinates: u32
  rounding: u32
  batch: u32
  channels: u32
  x0: u32
  x1: u32
  y0: u32
  y1: u32
  scale0: f32
  scale1: f32
  xBatch: u32
  i0: u32
  i1: u32
  yBatch: u32
  o0: u32
  o1: u32
}

export function resizePlane(p: ResizePlaneParams, x: usize, y: usize): void {
  const scale0 = scaleOf(p.scale0, p.x0, p.y0)
  const scale1 = scaleOf(p.scale1, p.x1, p.y1)
  const rows = p.batch * p.y0
  const least = worth((p.mode == NEAREST ? 1 : 4) * p.y1 * p.channels)
  const last = lastOf(rows, least)
  for (let i = firstOf(rows, least); i < last; i++) {
    const image = x + (((i / p.y0) * p.xBatch) << 2)
    const o0 = i % p.y0
    const at0 = coordinate(p.coordinates, <f32>o0, scale0, <f32>p.x0, <f32>p.y0)
    let to = y + (((i / p.y0) * p.yBatch + o0 * p.o0) << 2)
    if (p.mode == NEAREST) {
      const row = image + ((nearest(p.rounding, at0, p.x0) * p.i0) << 2)
      for (let o1: u32 = 0; o1 < p.y1; o1++, to += p.o1 << 2) {
        const at1 = coordinate(p.coordinates, <f32>o1, scale1, <f32>p.x1, <f32>p.y1)
        copyPixel(row + ((nearest(p.rounding, at1, p.x1) * p.i1) << 2), to, p.channels)
      }
      continue
    }
    const inside0 = within(at0, p.x0)
    const above = <u32>inside0
    const down = inside0 - <f32>above
    const row = image + ((above * p.i0) << 2)
    const nextRow = down > 0 ? p.i0 << 2 : 0
    for (let o1: u32 = 0; o1 < p.y1; ) {
      const inside = columnOf(p, o1, scale1)
      const before = <u32>inside
      const along = inside - <f32>before
      // A neighbour between the same columns is done beside it.
      const beside = o1 + 1 < p.y1 ? columnOf(p, o1 + 1, scale1) : inside
      const alike = <u32>beside == before && beside > <f32>before == along > 0
      const next = alike && o1 + 1 < p.y1 ? p.o1 << 2 : 0
      const nextColumn = along > 0 ? p.i1 << 2 : 0
      blendPixels(
        row + ((before * p.i1) << 2),
        nextRow,
        nextColumn,
        down,
        along,
        next ? beside - <f32>before : along,
        to,
        next,
        p.channels
      )
      const done: u32 = next ? 2 : 1
      o1 += done
      to += (done * p.o1) << 2
    }
  }
}

function columnOf(p: ResizePlaneParams, i: u32, scale: f32): f32 {
  return within(coordinate(p.coordinates, <f32>i, scale, <f32>p.x1, <f32>p.y1), p.x1)
}

function within(at: f32, size: u32): f32 {
  return max<f32>(min<f32>(at, <f32>(size - 1)), 0)
}

function copyPixel(from: usize, to: usize, channels: u32): void {
  const end = from + ((channels & ~3) << 2)
  for (; from < end; from += 16, to += 16) v128.store(to, v128.load(from))
  for (let left = channels & 3; left > 0; left--, from += 4, to += 4) store<f32>(to, load<f32>(from))
}

/**
 * Linear between four pixels: `down` of the way to the next row, `along` of the way to the next column, and once more for the
 * output `next` bytes behind, or in the same place. A pixel without a share is not read, since 0 times infinity is NaN: the other
 * one has both halves.
 */
function blendPixels(
  at: usize,
  nextRow: u32,
  nextColumn: u32,
  down: f32,
  along: f32,
  further: f32,
  to: usize,
  next: u32,
  channels: u32
): void {
  const downs = f32x4.splat(nextRow ? down : 0.5)
  const ups = f32x4.splat(nextRow ? 1 - down : 0.5)
  const alongs = f32x4.splat(nextColumn ? along : 0.5)
  const backs = f32x4.splat(nextColumn ? 1 - along : 0.5)
  const furthers = f32x4.splat(nextColumn ? further : 0.5)
  const nearers = f32x4.splat(nextColumn ? 1 - further : 0.5)
  const end = at + ((channels & ~3) << 2)
  for (; at < end; at += 16, to += 16) {
    const low = at + nextRow
    const left = blend(v128.load(at), v128.load(low), ups, downs)
    const right = blend(v128.load(at + nextColumn), v128.load(low + nextColumn), ups, downs)
    v128.store(to, blend(left, right, backs, alongs))
    v128.store(to + next, blend(left, right, nearers, furthers))
  }
  const rest = channels & 3
  if (!rest) return
  const low = at + nextRow
  const left = blend(gather(at, 4, rest), gather(low, 4, rest), ups, downs)
  const right = blend(gather(at + nextColumn, 4, rest), gather(low + nextColumn, 4, rest), ups, downs)
  scatter(to, 4, blend(left, right, backs, alongs), rest)
  scatter(to + next, 4, blend(left, right, nearers, furthers), rest)
}

/** Not a + (b - a) * share, which is NaN where both are infinite. */
function blend(a: v128, b: v128, shareOfA: v128, shareOfB: v128): v128 {
  return f32x4.add(f32x4.mul(a, shareOfA), f32x4.mul(b, shareOfB))
}
