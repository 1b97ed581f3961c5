/**
 * Scale and shift by channel, and local response normalisation, channels innermost. Activations up to a bound are
 * taken along in the loop, any other is called for.
 */
import { activateRow, CLIP, clip, lowerBound, upperBound } from '../elementwise/activation'
import { exp, log } from '../elementwise/math'
import { gather, scatter } from '../lanes'
import { endOfRun, offsetOf, tripsOf } from '../loops'
import { firstOf, lastOf, worth } from '../thread'

@unmanaged
export class ScaleShiftParams {
  channels: u32
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
  act: u32
  alpha: f32
  beta: f32
}

export function scaleShift(p: ScaleShiftParams, x: usize, scale: usize, shift: usize, y: usize): void {
  const sizes = changetype<usize>(p) + offsetof<ScaleShiftParams>('k0')
  const pixels = tripsOf(4, sizes)
  const least = worth(p.channels)
  const last = lastOf(pixels, least)
  for (let i = firstOf(pixels, least); i < last; ) {
    const end = endOfRun(i, p.k3, last)
    let from = x + offsetOf(i, 4, sizes, sizes + 16)
    let to = y + offsetOf(i, 4, sizes, sizes + 32)
    const xStep = p.x3 << 2
    const yStep = p.y3 << 2
    for (; i < end; i += 2, from += 2 * xStep, to += 2 * yStep) {
      const two = i + 2 <= end
      scaleShiftPair(p, from, two ? from + xStep : from, scale, shift, to, two ? to + yStep : to)
    }
    i = end
  }
}

/** Two pixels, for which scales and shifts are loaded once; a last one may be both. */
function scaleShiftPair(
  p: ScaleShiftParams,
  x: usize,
  next: usize,
  scale: usize,
  shift: usize,
  y: usize,
  nextY: usize
): void {
  const low = lowerBound(p.act, p.alpha)
  const high = upperBound(p.act, p.beta)
  const bytes = (p.channels & ~3) << 2
  let c: usize = 0
  for (; c < bytes; c += 16) {
    const a = v128.load(scale + c)
    const b = v128.load(shift + c)
    const v = f32x4.add(f32x4.mul(v128.load(x + c), a), b)
    const w = f32x4.add(f32x4.mul(v128.load(next + c), a), b)
    v128.store(y + c, clip(v, low, high))
    v128.store(nextY + c, clip(w, low, high))
  }
  const left = p.channels & 3
  if (left) {
    const a = gather(scale + c, 4, left)
    const b = gather(shift + c, 4, left)
    const v = f32x4.add(f32x4.mul(gather(x + c, 4, left), a), b)
    const w = f32x4.add(f32x4.mul(gather(next + c, 4, left), a), b)
    scatter(y + c, 4, clip(v, low, high), left)
    scatter(nextY + c, 4, clip(w, low, high), left)
  }
  if (p.act <= CLIP) return
  activateRow(p.act, p.alpha, p.beta, y, y, p.channels)
  if (nextY != y) activateRow(p.act, p.alpha, p.beta, nextY, nextY, p.channels)
}

@unmanaged
export class LrnParams {
  channels: u32
  size: u32
  alpha: f32
  beta: f32
  bias: f32
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

export function lrn(p: LrnParams, x: usize, y: usize): void {
  const sizes = changetype<usize>(p) + offsetof<LrnParams>('k0')
  const pixels = tripsOf(4, sizes)
  const least = worth(p.channels * (p.size + 4))
  const last = lastOf(pixels, least)
  for (let i = firstOf(pixels, least); i < last; ) {
    const end = endOfRun(i, p.k3, last)
    let from = x + offsetOf(i, 4, sizes, sizes + 16)
    let to = y + offsetOf(i, 4, sizes, sizes + 32)
    for (; i < end; i++, from += p.x3 << 2, to += p.y3 << 2) lrnPixel(p, from, to)
  }
}

function lrnPixel(p: LrnParams, x: usize, y: usize): void {
  const before = (p.size - 1) >> 1
  const first = min((before + 3) & ~3, p.channels)
  // From here on the windows of four channels reach beyond the last; sizes may be any number.
  const end = p.size <= p.channels && p.channels + before > p.size + 2 ? p.channels + before - p.size - 2 : 0
  lrnEdge(p, x, y, 0, first)
  const inner = first < end ? lrnInner(p, x, y, first, end) : first
  lrnEdge(p, x, y, inner, p.channels)
}

/** Channels from `c` to `end`, some of whose windows reach beyond the channels. */
function lrnEdge(p: LrnParams, x: usize, y: usize, c: u32, end: u32): void {
  for (; c < end; c += 4) {
    const first = <i32>(c - ((p.size - 1) >> 1))
    let sum = f32x4.splat(squares(p, x, first))
    sum = f32x4.replace_lane(sum, 1, squares(p, x, first + 1))
    sum = f32x4.replace_lane(sum, 2, squares(p, x, first + 2))
    sum = f32x4.replace_lane(sum, 3, squares(p, x, first + 3))
    const base = f32x4.add(f32x4.splat(p.bias), f32x4.mul(f32x4.splat(p.alpha), sum))
    const left = p.channels - c
    const v = gather(x + (c << 2), 4, left)
    scatter(y + (c << 2), 4, f32x4.mul(v, response(base, p.beta)), left)
  }
}

/** Channels whose windows lie within the channels, from `c` on; says where it has ended, at `end` or up to three channels behind it. */
function lrnInner(p: LrnParams, x: usize, y: usize, c: u32, end: u32): u32 {
  const bias = f32x4.splat(p.bias)
  const alpha = f32x4.splat(p.alpha)
  const before = (<usize>((p.size - 1) >> 1)) << 2
  const width = (<usize>p.size) << 2
  for (; c < end; c += 4) {
    const to = (<usize>c) << 2
    let sum = f32x4.splat(0)
    let at = x + to - before
    for (const last = at + width; at < last; at += 4) {
      const v = v128.load(at)
      sum = f32x4.add(sum, f32x4.mul(v, v))
    }
    const base = f32x4.add(bias, f32x4.mul(alpha, sum))
    v128.store(y + to, f32x4.mul(v128.load(x + to), response(base, p.beta)))
  }
  return c
}

/** 1 / base^beta */
function response(base: v128, beta: f32): v128 {
  if (beta == 0.75) {
    const root = f32x4.sqrt(base)
    return f32x4.div(f32x4.splat(1), f32x4.mul(root, f32x4.sqrt(root)))
  }
  return exp(f32x4.mul(f32x4.splat(-beta), log(base)))
}

function squares(p: LrnParams, x: usize, first: i32): f32 {
  const end = min(first + <i32>p.size, <i32>p.channels)
  let sum: f32 = 0
  for (let i = max(first, 0); i < end; i++) {
    const v = load<f32>(x + (i << 2))
    sum += v * v
  }
  return sum
}
