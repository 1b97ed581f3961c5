/** The updates at the end of a training step, each in one pass over its weights; see compiler/ops/elementwise/optimise.ts. */

import { gather, scatter } from '../lanes'
import { firstOf, lastOf, worth } from '../thread'
import { sign } from './activation'

@unmanaged
export class SgdParams {
  count: u32
  factor: f32
  momentum: f32
  nesterov: u32
  l1: f32
  l2: f32
  clip: f32
}

@unmanaged
export class AdamParams {
  count: u32
  factor: f32
  beta1: f32
  beta2: f32
  epsilon: f32
  l1: f32
  l2: f32
  decay: f32
  clip: f32
}

/** What the norm of all gradients leaves of a step; 0 where it is not finite. */
function shareOf(norm: f32, clip: f32): f32 {
  if (!(norm < Infinity)) return 0
  return clip > 0 && norm > clip ? clip / norm : 1
}

/** g * share + l2 * w + l1 * sign(w) */
function penalised(g: v128, w: v128, share: f32, l1: f32, l2: f32): v128 {
  let sum = f32x4.mul(g, f32x4.splat(share))
  if (l2 != 0) sum = f32x4.add(sum, f32x4.mul(f32x4.splat(l2), w))
  if (l1 != 0) sum = f32x4.add(sum, f32x4.mul(f32x4.splat(l1), sign(w)))
  return sum
}

export function sgd(p: SgdParams, g: usize, rate: usize, norm: usize, w: usize, m: usize): void {
  const share = shareOf(load<f32>(norm), p.clip)
  if (share == 0) return
  const blocks = (p.count + 3) / 4
  const least = worth(16)
  const step = f32x4.splat(load<f32>(rate) * p.factor)
  const momentum = f32x4.splat(p.momentum)
  const last = lastOf(blocks, least)
  for (let i = firstOf(blocks, least); i < last; i++) {
    const count = min<u32>(p.count - i * 4, 4)
    const at = (<usize>i) << 4
    const weights = gather(w + at, 4, count)
    const gradient = penalised(gather(g + at, 4, count), weights, share, p.l1, p.l2)
    const moved = f32x4.add(f32x4.mul(momentum, gather(m + at, 4, count)), gradient)
    scatter(m + at, 4, moved, count)
    const by = p.nesterov ? f32x4.add(gradient, f32x4.mul(momentum, moved)) : moved
    scatter(w + at, 4, f32x4.sub(weights, f32x4.mul(step, by)), count)
  }
}

export function adam(p: AdamParams, g: usize, rate: usize, norm: usize, w: usize, m: usize, v: usize): void {
  const share = shareOf(load<f32>(norm), p.clip)
  if (share == 0) return
  const blocks = (p.count + 3) / 4
  const least = worth(24)
  const step = f32x4.splat(load<f32>(rate) * p.factor)
  const first = f32x4.splat(load<f32>(rate, 4))
  const second = f32x4.splat(load<f32>(rate, 8))
  const beta1 = f32x4.splat(p.beta1)
  const beta2 = f32x4.splat(p.beta2)
  const rest1 = f32x4.splat(1 - p.beta1)
  const rest2 = f32x4.splat(1 - p.beta2)
  const epsilon = f32x4.splat(p.epsilon)
  const decay = f32x4.splat(p.decay)
  const last = lastOf(blocks, least)
  for (let i = firstOf(blocks, least); i < last; i++) {
    const count = min<u32>(p.count - i * 4, 4)
    const at = (<usize>i) << 4
    const weights = gather(w + at, 4, count)
    const gradient = penalised(gather(g + at, 4, count), weights, share, p.l1, p.l2)
    const mean = f32x4.add(f32x4.mul(beta1, gather(m + at, 4, count)), f32x4.mul(rest1, gradient))
    const square = f32x4.mul(gradient, gradient)
    const spread = f32x4.add(f32x4.mul(beta2, gather(v + at, 4, count)), f32x4.mul(rest2, square))
    scatter(m + at, 4, mean, count)
    scatter(v + at, 4, spread, count)
    const root = f32x4.add(f32x4.sqrt(f32x4.mul(spread, second)), epsilon)
    const by = f32x4.add(f32x4.div(f32x4.mul(mean, first), root), f32x4.mul(decay, weights))
    scatter(w + at, 4, f32x4.sub(weights, f32x4.mul(step, by)), count)
  }
}
