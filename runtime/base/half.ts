/** IEEE 754 binary16, as bits. */

const word = new Float32Array(1)
const bits = new Uint32Array(word.buffer)

/** Shifted into a float's place a half reads 2^112 too small, subnormals included. */
export function halfToFloat(half: number): number {
  bits[0] = ((half & 0x8000) << 16) | ((half & 0x7fff) << 13)
  if ((half & 0x7fff) > 0x7c00) return Number.NaN
  return word[0] * ((half & 0x7c00) < 0x7c00 ? 2 ** 112 : Number.POSITIVE_INFINITY)
}

/** Whether the nearest half is finite. */
export const isHalf = (value: number): boolean => Math.abs(value) < 65520

/** The nearest half, ties to even; beyond the range to infinity. */
export function floatToHalf(value: number): number {
  word[0] = value
  const sign = (bits[0] >>> 16) & 0x8000
  const magnitude = bits[0] & 0x7fffffff
  if (magnitude > 0x7f800000) return sign | 0x7e00
  if (magnitude >= 0x477ff000) return sign | 0x7c00
  // A subnormal half counts units of 2^-24; from 2^52 on doubles are whole numbers, and sums round to even ones.
  if (magnitude < 0x38800000) return sign | (Math.abs(word[0]) * 2 ** 24 + 2 ** 52 - 2 ** 52)
  const rounded = magnitude + 0xfff + ((magnitude >>> 13) & 1)
  return sign | ((rounded - 0x38000000) >>> 13)
}

// Loops, because `from` and `map` with a function take twenty times as long.

export function fromHalves(halves: Uint16Array): Float32Array<ArrayBuffer> {
  const floats = new Float32Array(halves.length)
  for (let i = 0; i < floats.length; i++) floats[i] = halfToFloat(halves[i])
  return floats
}

/** The nearest halves; `room` of them, zeros behind the last. */
export function toHalves(values: ArrayLike<number>, room = values.length): Uint16Array<ArrayBuffer> {
  const halves = new Uint16Array(room)
  for (let i = 0; i < values.length; i++) halves[i] = floatToHalf(values[i])
  return halves
}
