/**
 * Layer normalisation of contiguous rows: one pass for the mean, one for the variance around it, one for the output.
 * Sums collect some vectors in f32 and carry them into f64.
 */
import { gather, scatter } from '../lanes'
import { endOfRun, offsetOf, tripsOf } from '../loops'
import { firstOf, lastOf, worth } from '../thread'

@unmanaged
export class LayerNormParams {
  count: u32
  biased: u32
  epsilon: f32
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

/** Vectors that a sum collects in f32 before it carries into f64. */
const CHUNK: u32 = 16

export function layerNorm(p: LayerNormParams, x: usize, scale: usize, bias: usize, y: usize): void {
  const sizes = changetype<usize>(p) + offsetof<LayerNormParams>('k0')
  const rows = tripsOf(4, sizes)
  const least = worth(3 * p.count)
  const last = lastOf(rows, least)
  for (let i = firstOf(rows, least); i < last; ) {
    const end = endOfRun(i, p.k3, last)
    let from = x + offsetOf(i, 4, sizes, sizes + 16)
    let to = y + offsetOf(i, 4, sizes, sizes + 32)
    for (; i < end; i++, from += p.x3 << 2, to += p.y3 << 2) layerNormRow(p, from, scale, bias, to)
  }
}

function layerNormRow(p: LayerNormParams, x: usize, scale: usize, bias: usize, y: usize): void {
  const exact = sumOf(x, p.count) / <f64>p.count
  const mean = <f32>exact
  const variance = squaresOf(x, p.count, mean) / <f64>p.count
  const deviation = f32x4.splat(<f32>(1 / Math.sqrt(variance + <f64>p.epsilon)))
  const means = f32x4.splat(mean)
  const rest = f32x4.splat(<f32>(exact - <f64>mean))
  const bytes = (p.count & ~3) << 2
  let i: usize = 0
  for (; i < bytes; i += 16) {
    let v = normal(v128.load(x + i), means, rest, deviation)
    v = f32x4.mul(v, v128.load(scale + i))
    if (p.biased) v = f32x4.add(v, v128.load(bias + i))
    v128.store(y + i, v)
  }
  const left = p.count & 3
  if (left) {
    let v = normal(gather(x + i, 4, left), means, rest, deviation)
    v = f32x4.mul(v, gather(scale + i, 4, left))
    if (p.biased) v = f32x4.add(v, gather(bias + i, 4, left))
    scatter(y + i, 4, v, left)
  }
}

/** `rest` is what the mean lost when it was rounded to f32. */
function normal(x: v128, mean: v128, rest: v128, deviation: v128): v128 {
  return f32x4.mul(f32x4.sub(f32x4.sub(x, mean), rest), deviation)
}

function sumOf(at: usize, count: u32): f64 {
  let total = f64x2.splat(0)
  let vectors = count >> 2
  while (vectors > 0) {
    const chunk = min(vectors, CHUNK)
    vectors -= chunk
    let sum = f32x4.splat(0)
    for (let i = chunk; i > 0; i--, at += 16) sum = f32x4.add(sum, v128.load(at))
    total = f64x2.add(total, halves(sum))
  }
  let rest: f64 = 0
  for (let i = count & 3; i > 0; i--, at += 4) rest += load<f32>(at)
  return f64x2.extract_lane(total, 0) + f64x2.extract_lane(total, 1) + rest
}

function squaresOf(at: usize, count: u32, mean: f32): f64 {
  const means = f32x4.splat(mean)
  let total = f64x2.splat(0)
  let vectors = count >> 2
  while (vectors > 0) {
    const chunk = min(vectors, CHUNK)
    vectors -= chunk
    let sum = f32x4.splat(0)
    for (let i = chunk; i > 0; i--, at += 16) {
      const distance = f32x4.sub(v128.load(at), means)
      sum = f32x4.add(sum, f32x4.mul(distance, distance))
    }
    total = f64x2.add(total, halves(sum))
  }
  let rest: f64 = 0
  for (let i = count & 3; i > 0; i--, at += 4) {
    const distance = load<f32>(at) - mean
    rest += <f64>distance * <f64>distance
  }
  return f64x2.extract_lane(total, 0) + f64x2.extract_lane(total, 1) + rest
}

/** Lanes 0 and 2, 1 and 3 added in f64. */
function halves(v: v128): v128 {
  return f64x2.add(f64x2.promote_low_f32x4(v), f64x2.promote_low_f32x4(i64x2.shuffle(v, v, 1, 1)))
}
