/** IEEE 754 binary16, as bits. */

const word = new Float32Array(1)
const bits = new Uint32Array(word.buffer)

export function halfToFloat(half: number): number {
  const sign = half & 0x8000 ? -1 : 1
  const exponent = (half >> 10) & 31
  const fraction = half & 1023
  if (exponent === 31) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY
  return sign * (exponent ? 2 ** (exponent - 15) * (1 + fraction / 1024) : (2 ** -14 * fraction) / 1024)
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
  if (magnitude < 0x38800000) {
    // A subnormal half counts units of 2^-24.
    const units = Math.abs(word[0]) * 2 ** 24
    const low = Math.floor(units)
    const up = units - low > 0.5 || (units - low === 0.5 && low % 2 === 1)
    return sign | (low + Number(up))
  }
  const rounded = magnitude + 0xfff + ((magnitude >>> 13) & 1)
  return sign | ((rounded - 0x38000000) >>> 13)
}
