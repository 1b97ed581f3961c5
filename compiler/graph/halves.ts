import { isHalf } from '../../runtime/base/index.js'
import type { Elements } from './graph.js'

/** The least number that halves hold with all eleven bits; below it they are whole units. */
const leastNormal = 2 ** -14
const unit = 2 ** -24
/** What rounding costs a normal half at most. */
const usual = 2 ** -11

/** Whether every number is one that halves hold: what came from a float16 model and was not computed with. */
export function areHalves(data: Float32Array): boolean {
  const bits = new Uint32Array(data.buffer, data.byteOffset, data.length)
  return bits.every((word, i) => {
    const exponent = (word >>> 23) & 255
    // Infinities and NaN, and zeros.
    if (exponent === 255 || (word & 0x7fffffff) === 0) return true
    if (exponent < 113) return Number.isInteger(data[i] / unit)
    return exponent <= 142 && (word & 0x1fff) === 0
  })
}

/**
 * Why constants are better not stored as halves, or undefined where they are: one beyond the range would become
 * infinite, and of numbers that are all tiny, little or nothing would be left. Values that are not finite stay what they are.
 */
export function lostAsHalves(data: Elements): string | undefined {
  let beyond = 0
  let largest = 0
  let zeros = 0
  let squares = 0
  let lost = 0
  for (const value of data) {
    const size = Math.abs(Math.fround(value))
    if (!(size < Number.POSITIVE_INFINITY)) continue
    if (size > largest) largest = size
    if (!isHalf(size)) beyond++
    squares += size * size
    if (size >= leastNormal || size === 0) continue
    // The file rounds ties to even; the error is the same.
    const kept = Math.round(size / unit) * unit
    lost += (size - kept) ** 2
    if (kept === 0) zeros++
  }
  const of = `of ${data.length.toLocaleString('en-US')} numbers`
  if (beyond) return `${beyond} ${of} beyond ±65504, the largest half; the largest here is ${short(largest)}`
  const share = Math.sqrt(lost / squares)
  if (!(share > usual)) return undefined
  return `as halves they would lose ${(100 * share).toPrecision(2)} % (${zeros} ${of} would be 0; the largest is ${short(largest)})`
}

const short = (value: number) => String(Number(value.toPrecision(6)))
