/** Regions of images in bins, of which samples between pixels are averaged or the largest taken, four channels at a time. */
import { gather, scatter } from '../lanes'
import { firstOf, lastOf, worth } from '../thread'

@unmanaged
export class RoiAlignParams {
  mode: u32
  half: u32
  ratio: u32
  scale: f32
  images: u32
  regions: u32
  channels: u32
  n0: u32
  n1: u32
  m0: u32
  m1: u32
  x0: u32
  x1: u32
  x2: u32
  r0: u32
  r1: u32
  i0: u32
  y0: u32
  y1: u32
  y2: u32
}

const AVG: u32 = 0

const MOST_SAMPLES: f32 = 4096

export function roiAlign(p: RoiAlignParams, x: usize, rois: usize, images: usize, y: usize): void {
  const rows = p.regions * p.m0
  const least = worth(16 * p.m1 * p.channels)
  const last = lastOf(rows, least)
  for (let i = firstOf(rows, least); i < last; i++) {
    const region = i / p.m0
    const corners = rois + ((region * p.r0) << 2)
    const image = min(max(<i32>load<f32>(images + ((region * p.i0) << 2)), 0), <i32>p.images - 1)
    const to = y + ((region * p.y0 + (i % p.m0) * p.y1) << 2)
    alignRow(p, x + ((image * p.x0) << 2), corners, i % p.m0, to)
  }
}

/** A row of a region's bins. */
function alignRow(p: RoiAlignParams, image: usize, corners: usize, row: u32, to: usize): void {
  const step = p.r1 << 2
  const left = begin(p, load<f32>(corners))
  const top = begin(p, load<f32>(corners + step))
  const width = extent(p, left, load<f32>(corners + 2 * step))
  const height = extent(p, top, load<f32>(corners + 3 * step))
  const across = samples(p, width / <f32>p.m1)
  const down = samples(p, height / <f32>p.m0)
  for (let column: u32 = 0; column < p.m1; column++, to += p.y2 << 2) {
    clear(to, p.channels)
    let fresh = true
    for (let i: u32 = 0; i < down; i++) {
      const v = place(top, height / <f32>p.m0, row, i, down)
      for (let j: u32 = 0; j < across; j++, fresh = false) {
        sample(p, image, v, place(left, width / <f32>p.m1, column, j, across), to, fresh)
      }
    }
    if (p.mode == AVG) divide(to, p.channels, <f32>max(down * across, 1))
  }
}

function begin(p: RoiAlignParams, corner: f32): f32 {
  return corner * p.scale - (p.half ? 0.5 : 0)
}

function extent(p: RoiAlignParams, from: f32, corner: f32): f32 {
  const length = begin(p, corner) - from
  return p.half ? length : max<f32>(length, 1)
}

/** Along a side of a bin. */
function samples(p: RoiAlignParams, size: f32): u32 {
  const count = p.ratio ? <f32>p.ratio : ceil<f32>(size)
  return count > 0 && count <= MOST_SAMPLES ? <u32>count : 0
}

function place(from: f32, size: f32, bin: u32, i: u32, count: u32): f32 {
  return from + <f32>bin * size + ((<f32>i + 0.5) * size) / <f32>count
}

/** Adds the pixels around a place by their weights, or takes the larger of them and what there is. */
function sample(p: RoiAlignParams, image: usize, v: f32, u: f32, to: usize, fresh: bool): void {
  const inside = v >= -1 && v <= <f32>p.n0 && u >= -1 && u <= <f32>p.n1
  if (!inside) {
    if (p.mode != AVG)
      for (let left = <i32>p.channels; left > 0; left -= 4, to += 16) keep(to, f32x4.splat(0), left, fresh)
    return
  }
  const down = min<f32>(max<f32>(v, 0), <f32>(p.n0 - 1))
  const along = min<f32>(max<f32>(u, 0), <f32>(p.n1 - 1))
  const row = <u32>down
  const column = <u32>along
  const low = down - <f32>row
  const right = along - <f32>column
  let from = image + ((row * p.x1 + column * p.x2) << 2)
  const nextRow: usize = row + 1 < p.n0 ? (<usize>p.x1) << 2 : 0
  const nextColumn: usize = column + 1 < p.n1 ? (<usize>p.x2) << 2 : 0
  const w0 = f32x4.splat((1 - low) * (1 - right))
  const w1 = f32x4.splat((1 - low) * right)
  const w2 = f32x4.splat(low * (1 - right))
  const w3 = f32x4.splat(low * right)
  for (let left = <i32>p.channels; left > 0; left -= 4, from += 16, to += 16) {
    const a = f32x4.mul(w0, gather(from, 4, left))
    const b = f32x4.mul(w1, gather(from + nextColumn, 4, left))
    const c = f32x4.mul(w2, gather(from + nextRow, 4, left))
    const d = f32x4.mul(w3, gather(from + nextRow + nextColumn, 4, left))
    if (p.mode == AVG) {
      const sum = f32x4.add(f32x4.add(a, b), f32x4.add(c, d))
      scatter(to, 4, f32x4.add(gather(to, 4, left), sum), left)
    } else {
      keep(to, f32x4.max(f32x4.max(a, b), f32x4.max(c, d)), left, fresh)
    }
  }
}

function keep(to: usize, v: v128, count: u32, fresh: bool): void {
  scatter(to, 4, fresh ? v : f32x4.max(gather(to, 4, count), v), count)
}

function clear(to: usize, channels: u32): void {
  memory.fill(to, 0, channels << 2)
}

function divide(to: usize, channels: u32, by: f32): void {
  for (let left = <i32>channels; left > 0; left -= 4, to += 16) {
    scatter(to, 4, f32x4.div(gather(to, 4, left), f32x4.splat(by)), left)
  }
}
