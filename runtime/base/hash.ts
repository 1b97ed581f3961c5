/** A bijection of 32 bits under which each bit of the argument turns half of the result's. */
export function finalise(word: number): number {
  let z = Math.imul(word ^ (word >>> 16), 0x21f0aaad)
  z = Math.imul(z ^ (z >>> 15), 0x735a2d97)
  return (z ^ (z >>> 15)) >>> 0
}
