/** What loading does with a constant's bytes: their digest, and half precision to single. */

const PRIME_1: u32 = 2654435761
const PRIME_2: u32 = 2246822519

/**
 * Digest of `words` 32-bit words against damage: sixteen interleaved lanes of add, rotate and multiply by five, which
 * keep pace with memory, then a mix in the manner of xxHash32 (Collet 2012). runtime/base/digest.ts computes the same.
 */
export function digest(at: usize, words: u32): u32 {
  let a = i32x4(0, 1, 2, 3)
  let b = i32x4(4, 5, 6, 7)
  let c = i32x4(8, 9, 10, 11)
  let d = i32x4(12, 13, 14, 15)
  const end = at + ((<usize>(words & ~15)) << 2)
  for (; at < end; at += 64) {
    a = step(a, v128.load(at))
    b = step(b, v128.load(at, 16))
    c = step(c, v128.load(at, 32))
    d = step(d, v128.load(at, 48))
  }
  let hash = mixLanes(mixLanes(mixLanes(mixLanes(words, a), b), c), d)
  for (let i = words & 15; i > 0; i--, at += 4) hash = mix(hash, load<u32>(at))
  hash ^= hash >> 15
  hash *= PRIME_2
  return hash ^ (hash >> 13)
}

function step(lanes: v128, words: v128): v128 {
  const sum = i32x4.add(lanes, words)
  const turned = v128.or(i32x4.shl(sum, 13), i32x4.shr_u(sum, 19))
  return i32x4.add(i32x4.add(turned, i32x4.shl(turned, 2)), i32x4.splat(0x38495ab5))
}

function mixLanes(hash: u32, lanes: v128): u32 {
  hash = mix(hash, i32x4.extract_lane(lanes, 0))
  hash = mix(hash, i32x4.extract_lane(lanes, 1))
  hash = mix(hash, i32x4.extract_lane(lanes, 2))
  return mix(hash, i32x4.extract_lane(lanes, 3))
}

function mix(hash: u32, word: u32): u32 {
  return rotl<u32>(hash + word * PRIME_1, 17) * PRIME_2
}

/** `count` IEEE 754 halves at `from` to floats at `to`. */
export function widen(from: usize, to: usize, count: u32): void {
  for (let i: u32 = 0; i < count; i++) {
    const bits = <u32>load<u16>(from)
    const magnitude = bits & 0x7fff
    // Shifted into place a half reads as a float that is 2^112 too small, subnormals included.
    let value = reinterpret<f32>(magnitude << 13) * reinterpret<f32>((<u32>(127 + 112)) << 23)
    if (magnitude >= 0x7c00) value = reinterpret<f32>((magnitude << 13) | 0x7f800000)
    store<u32>(to, reinterpret<u32>(value) | ((bits & 0x8000) << 16))
    from += 2
    to += 4
  }
}
