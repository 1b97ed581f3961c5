/**
 * Instance and group normalisation, channels innermost. Two passes find the mean and then the variance around it:
 * sixteen pixels at a time are summed by channel in f32 and carried into f64. A third pass writes the output; what the
 * mean lost when it was rounded to f32 comes back with the shift.
 */
import { activate, CLIP, clip, lowerBound, upperBound } from '../elementwise/activation'
import { gather, scatter } from '../lanes'
import { endOfRun } from '../loops'
import { firstOf, lastOf, worth } from '../thread'

@unmanaged
export class GroupNormParams {
  batch: u32
  channels: u32
  groups: u32
  perGroup: u32
  epsilon: f32
  p0: u32
  p1: u32
  p2: u32
  xBatch: u32
  x0: u32
  x1: u32
  x2: u32
  yBatch: u32
  y0: u32
  y1: u32
  y2: u32
  act: u32
  alpha: f32
  beta: f32
}

/** Pixels that are summed in f32 before the sum is carried into f64. */
const CHUNK: u32 = 16

/**
 * `work` holds, by channel: the f64 sums, then means, factors and shifts. Threads divide the channels of all images, in
 * blocks of whole groups that begin at a multiple of four.
 */
export function groupNorm(p: GroupNormParams, x: usize, scale: usize, bias: usize, work: usize, y: usize): void {
  const width = p.channels / p.groups
  let unit = width
  while (unit & 3) unit += width
  while (unit < 16) unit += unit
  const blocks = (p.channels + unit - 1) / unit
  const items = p.batch * blocks
  const least = worth(3 * p.p0 * p.p1 * p.p2 * unit)
  const last = lastOf(items, least)
  for (let i = firstOf(items, least); i < last; ) {
    const end = endOfRun(i, blocks, last)
    const n = i / blocks
    const c0 = (i % blocks) * unit
    const c1 = min(c0 + (end - i) * unit, p.channels)
    normaliseChannels(p, c0, c1, x + ((n * p.xBatch) << 2), scale, bias, work, y + ((n * p.yBatch) << 2))
    i = end
  }
}

/** The channels c0 .. c1-1 of one image. */
function normaliseChannels(
  p: GroupNormParams,
  c0: u32,
  c1: u32,
  x: usize,
  scale: usize,
  bias: usize,
  work: usize,
  y: usize
): void {
  const row = ((p.channels + 3) & ~3) << 2
  const means = work + 2 * row
  const factors = means + row
  const shifts = factors + row
  const width = p.channels / p.groups
  const count = <f64>p.p0 * <f64>p.p1 * <f64>p.p2 * <f64>width
  sumPixels(p, c0, c1, x, work, 0)
  for (let first = c0; first < c1; first += width) {
    const mean = sumOfGroup(work, first, width) / count
    const rounded = <f32>mean
    for (let c = first; c < first + width; c++) {
      store<f32>(means + (c << 2), rounded)
      store<f32>(shifts + (c << 2), <f32>(<f64>rounded - mean))
    }
  }
  sumPixels(p, c0, c1, x, work, means)
  for (let first = c0; first < c1; first += width) {
    const variance = sumOfGroup(work, first, width) / count
    const deviation = <f32>(1 / Math.sqrt(variance + <f64>p.epsilon))
    for (let c = first; c < first + width; c++) {
      const own = (p.perGroup ? first / width : c) << 2
      const factor = deviation * load<f32>(scale + own)
      store<f32>(factors + (c << 2), factor)
      store<f32>(shifts + (c << 2), load<f32>(shifts + (c << 2)) * factor + load<f32>(bias + own))
    }
  }
  normalise(p, c0, c1, x, means, factors, shifts, y)
}

function sumOfGroup(sums: usize, first: u32, width: u32): f64 {
  let sum: f64 = 0
  for (let c = first; c < first + width; c++) sum += load<f64>(sums + (c << 3))
  return sum
}

/** By channel, the sum of the elements, or with `means` of their squared distances from the mean. */
function sumPixels(p: GroupNormParams, c0: u32, c1: u32, x: usize, sums: usize, means: usize): void {
  memory.fill(sums + (c0 << 3), 0, ((c1 - c0 + 3) & ~3) << 3)
  const step = p.x2 << 2
  for (let i0: u32 = 0; i0 < p.p0; i0++) {
    for (let i1: u32 = 0; i1 < p.p1; i1++) {
      let from = x + ((i0 * p.x0 + i1 * p.x1) << 2)
      for (let i2: u32 = 0; i2 < p.p2; i2 += CHUNK) {
        const pixels = min(p.p2 - i2, CHUNK)
        for (let c = c0; c < c1; c += 4) {
          const left = c1 - c
          const sum = means
            ? squaresOf(from + (c << 2), step, pixels, left, gather(means + (c << 2), 4, left))
            : sumOf(from + (c << 2), step, pixels, left)
          const at = sums + (c << 3)
          v128.store(at, f64x2.add(v128.load(at), f64x2.promote_low_f32x4(sum)))
          v128.store(at + 16, f64x2.add(v128.load(at + 16), f64x2.promote_low_f32x4(i64x2.shuffle(sum, sum, 1, 1))))
        }
        from += pixels * step
      }
    }
  }
}

function sumOf(at: usize, step: usize, pixels: u32, left: u32): v128 {
  let sum = f32x4.splat(0)
  if (left >= 4) for (let i = pixels; i > 0; i--, at += step) sum = f32x4.add(sum, v128.load(at))
  else for (let i = pixels; i > 0; i--, at += step) sum = f32x4.add(sum, gather(at, 4, left))
  return sum
}

function squaresOf(at: usize, step: usize, pixels: u32, left: u32, mean: v128): v128 {
  let sum = f32x4.splat(0)
  for (let i = pixels; i > 0; i--, at += step) {
    const distance = f32x4.sub(left >= 4 ? v128.load(at) : gather(at, 4, left), mean)
    sum = f32x4.add(sum, f32x4.mul(distance, distance))
  }
  return sum
}

function normalise(
  p: GroupNormParams,
  c0: u32,
  c1: u32,
  x: usize,
  means: usize,
  factors: usize,
  shifts: usize,
  y: usize
): void {
  const curved = p.act > CLIP
  const low = lowerBound(p.act, p.alpha)
  const high = upperBound(p.act, p.beta)
  const bytes = (c1 & ~3) << 2
  const left = c1 & 3
  for (let i0: u32 = 0; i0 < p.p0; i0++) {
    for (let i1: u32 = 0; i1 < p.p1; i1++) {
      let from = x + ((i0 * p.x0 + i1 * p.x1) << 2)
      let to = y + ((i0 * p.y0 + i1 * p.y1) << 2)
      for (let i2 = p.p2; i2 > 0; i2--, from += p.x2 << 2, to += p.y2 << 2) {
        let c: usize = c0 << 2
        for (; c < bytes; c += 16) {
          let v = f32x4.mul(f32x4.sub(v128.load(from + c), v128.load(means + c)), v128.load(factors + c))
          v = f32x4.add(v, v128.load(shifts + c))
          if (curved) v = activate(p.act, v, f32x4.splat(p.alpha), f32x4.splat(p.beta))
          v128.store(to + c, clip(v, low, high))
        }
        if (!left) continue
        let v = f32x4.sub(gather(from + c, 4, left), gather(means + c, 4, left))
        v = f32x4.add(f32x4.mul(v, gather(factors + c, 4, left)), gather(shifts + c, 4, left))
        scatter(to + c, 4, activate(p.act, v, f32x4.splat(p.alpha), f32x4.splat(p.beta)), left)
      }
    }
  }
}
