/**
 * Pixels of an image at the places that a grid names: of each axis up to four positions with their weights, kept in this
 * thread's memory, then the products of both over the channels, four at a time.
 */
import { loadLanes, scatter } from '../lanes'
import { firstOf, lastOf, statics, worth } from '../thread'

@unmanaged
export class GridSampleParams {
  mode: u32
  padding: u32
  corners: u32
  batch: u32
  channels: u32
  n0: u32
  n1: u32
  m0: u32
  m1: u32
  x0: u32
  x1: u32
  x2: u32
  g0: u32
  g1: u32
  g2: u32
  g3: u32
  y0: u32
  y1: u32
  y2: u32
}

const NEAREST: u32 = 0
const LINEAR: u32 = 1

const IN_PIXELS: u32 = 2

const ZEROS: u32 = 0
const BORDER: u32 = 1

/** Bytes of an axis' taps, an offset and a weight each. */
const TAPS: usize = 32

export function gridSample(p: GridSampleParams, x: usize, grid: usize, y: usize): void {
  const rows = p.batch * p.m0
  const taps: u32 = p.mode == NEAREST ? 1 : p.mode == LINEAR ? 4 : 16
  const least = worth(p.m1 * (p.channels * taps + 32))
  const last = lastOf(rows, least)
  for (let i = firstOf(rows, least); i < last; i++) {
    const image = x + (((i / p.m0) * p.x0) << 2)
    let place = grid + (((i / p.m0) * p.g0 + (i % p.m0) * p.g1) << 2)
    let to = y + (((i / p.m0) * p.y0 + (i % p.m0) * p.y1) << 2)
    for (let j: u32 = 0; j < p.m1; j++, place += p.g2 << 2, to += p.y2 << 2) {
      const down = findTaps(p, load<f32>(place + (p.g3 << 2)), p.n0, p.x1, statics())
      const along = findTaps(p, load<f32>(place), p.n1, p.x2, statics() + TAPS)
      sample(image, down, along, to, p.channels)
    }
  }
}

/** The sum of the taps' products, for all channels of a pixel. */
function sample(image: usize, down: u32, along: u32, to: usize, channels: u32): void {
  const rowTaps = statics()
  const columnTaps = rowTaps + TAPS
  for (let left = <i32>channels; left > 0; left -= 4, image += 16, to += 16) {
    let sum = f32x4.splat(0)
    for (let r: u32 = 0; r < down; r++) {
      const row = image + load<u32>(rowTaps + (r << 3))
      const weight = load<f32>(rowTaps + (r << 3), 4)
      for (let c: u32 = 0; c < along; c++) {
        const from = row + load<u32>(columnTaps + (c << 3))
        const share = f32x4.splat(weight * load<f32>(columnTaps + (c << 3), 4))
        sum = f32x4.add(sum, f32x4.mul(share, loadLanes(from, min(left, 4))))
      }
    }
    scatter(to, 4, sum, left)
  }
}

/** Offsets in bytes and weights of what an axis has near a place between -1 and 1; returns how many. */
function findTaps(p: GridSampleParams, place: f32, size: u32, step: u32, taps: usize): u32 {
  const end = <f32>size
  const low: f32 = p.corners ? 0 : -0.5
  const high = p.corners ? end - 1 : end - 0.5
  let at: f32 = p.corners ? ((place + 1) / 2) * (end - 1) : ((place + 1) * end - 1) / 2
  if (p.corners == IN_PIXELS) at = place
  if (p.mode == NEAREST) at = nearest(at)
  if (!(at >= low && at <= high)) {
    if (p.padding == BORDER && p.mode <= LINEAR) at = min<f32>(max<f32>(at, 0), end - 1)
    else if (p.padding > BORDER) at = reflected(at, low, high)
  }
  const whole = floor<f32>(at)
  if (p.mode == NEAREST) return addTap(p, whole, 1, size, step, taps, 0)
  const part = at - whole
  if (p.mode == LINEAR) {
    const one = addTap(p, whole, 1 - part, size, step, taps, 0)
    return addTap(p, whole + 1, part, size, step, taps, one)
  }
  let count = addTap(p, whole - 1, far(part + 1), size, step, taps, 0)
  count = addTap(p, whole, near(part), size, step, taps, count)
  count = addTap(p, whole + 1, near(1 - part), size, step, taps, count)
  return addTap(p, whole + 2, far(2 - part), size, step, taps, count)
}

/** Adds a position unless it counts for zero; returns how many there are then. */
function addTap(p: GridSampleParams, at: f32, weight: f32, size: u32, step: u32, taps: usize, count: u32): u32 {
  const end = <f32>size
  let inside = at
  if (!(at >= 0 && at < end)) {
    if (p.padding == ZEROS || at != at) return count
    if (p.padding != BORDER) inside = reflected(at, p.corners ? 0 : -0.5, p.corners ? end - 1 : end - 0.5)
  }
  const index = <u32>min<f32>(max<f32>(inside, 0), end - 1)
  store<u32>(taps + (count << 3), (index * step) << 2)
  store<f32>(taps + (count << 3), weight, 4)
  return count + 1
}

/** `at` folded back at the borders until it is between them. */
function reflected(at: f32, low: f32, high: f32): f32 {
  const range = high - low
  if (range == 0) return low
  const below = at < low
  const beyond = below ? low - at : at - high
  if (!(beyond > 0)) return at
  const folds = floor<f32>(beyond / range)
  const rest = beyond - folds * range
  const even = folds / 2 == floor<f32>(folds / 2)
  return below == even ? low + rest : high - rest
}

/** Keys' cubic convolution with a = -3/4, up to a distance of 1 and from there to 2. */
function near(z: f32): f32 {
  return (1.25 * z - 2.25) * z * z + 1
}

function far(z: f32): f32 {
  return ((-0.75 * z + 3.75) * z - 6) * z + 3
}
