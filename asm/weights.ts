/** What loading does with a constant's bytes: their digest, and half precision to single. */

const PRIME_1: u32 = 2654435761
const PRIME_2: u32 = 2246822519

/**
 * Digest of `words` 32-bit words in four interleaved lanes of multiply and rotate (after xxHash32, Collet 2012);
 * runtime/digest.ts computes the same number.
 */
export function digest(at: usize, words: u32): u32 {
  const prime1 = i32x4.splat(PRIME_1)
  const prime2 = i32x4.splat(PRIME_2)
  let lanes = i32x4(<i32>PRIME_1, <i32>PRIME_2, 374761393, 668265263)
  const end = at + (<usize>(words & ~3) << 2)
  for (; at < end; at += 16) {
    const v = i32x4.add(lanes, i32x4.mul(v128.load(at), prime2))
    lanes = i32x4.mul(v128.or(i32x4.shl(v, 13), i32x4.shr_u(v, 19)), prime1)
  }
  let hash = words
  hash = mix(hash, i32x4.extract_lane(lanes, 0))
  hash = mix(hash, i32x4.extract_lane(lanes, 1))
  hash = mix(hash, i32x4.extract_lane(lanes, 2))
  hash = mix(hash, i32x4.extract_lane(lanes, 3))
  for (let i = words & 3; i > 0; i--, at += 4) hash = mix(hash, load<u32>(at))
  hash ^= hash >> 15
  hash *= PRIME_2
  return hash ^ (hash >> 13)
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
    let value = reinterpret<f32>(magnitude << 13) * reinterpret<f32>(<u32>(127 + 112) << 23)
    if (magnitude >= 0x7c00) value = reinterpret<f32>((magnitude << 13) | 0x7f800000)
    store<u32>(to, reinterpret<u32>(value) | ((bits & 0x8000) << 16))
    from += 2
    to += 4
  }
}
