/** Dropout by a hash of index, seed and salt; see compiler/ops/elementwise/dropout.ts. */
import { firstOf, lastOf, worth } from '../thread'

@unmanaged
export class DropoutParams {
  count: u32
  salt: u32
  threshold: u32
  scale: f32
}

export function dropout(p: DropoutParams, x: usize, seed: usize, y: usize): void {
  const key = finalise(finalise(<u32>load<f32>(seed)) ^ p.salt)
  const least = worth(8)
  const last = lastOf(p.count, least)
  for (let i = firstOf(p.count, least); i < last; i++) {
    const kept = finalise((i * 0x9e3779b9) ^ key) >> 1 >= p.threshold
    store<f32>(y + (i << 2), kept ? load<f32>(x + (i << 2)) * p.scale : 0)
  }
}

/** The finaliser of MurmurHash3 (Appleby 2011). */
function finalise(bits: u32): u32 {
  bits ^= bits >> 16
  bits *= 0x85ebca6b
  bits ^= bits >> 13
  bits *= 0xc2b2ae35
  return bits ^ (bits >> 16)
}
