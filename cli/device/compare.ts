import type { Values } from './onnxruntime.js'

export interface Difference {
  readonly name: string
  readonly dims: readonly number[]
  /** Largest absolute error, and that over the reference's largest absolute value. */
  readonly absolute: number
  readonly relative: number
  readonly largest: number
  /** Set when the shapes differ, which makes the errors infinite. */
  readonly expected?: readonly number[]
}

/** Elementwise; NaN agrees with NaN and an infinity with itself only. */
export function compare(name: string, ours: Values, reference: Values): Difference {
  const { dims } = ours
  const infinite = { absolute: Number.POSITIVE_INFINITY, relative: Number.POSITIVE_INFINITY }
  if (dims.join() !== reference.dims.join())
    return { name, dims, ...infinite, largest: Number.NaN, expected: reference.dims }
  if (reference.data.length && reference.data.every(value => Number.isNaN(value)))
    return { name, dims, ...infinite, largest: Number.NaN }
  let absolute = 0
  let largest = 0
  for (let i = 0; i < reference.data.length; i++) {
    const [a, b] = [ours.data[i], reference.data[i]]
    if (Number.isFinite(b)) largest = Math.max(largest, Math.abs(b))
    if (Object.is(a, b)) continue
    const error = Math.abs(a - b)
    absolute = Math.max(absolute, Number.isNaN(error) ? Number.POSITIVE_INFINITY : error)
  }
  return { name, dims, absolute, relative: absolute === 0 ? 0 : absolute / largest, largest }
}
