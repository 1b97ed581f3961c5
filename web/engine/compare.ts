import type { Output } from './protocol.js'

/** How far two devices' outputs lie apart: the largest error, and that over the largest number of the second. */
export interface Difference {
  readonly name: string
  readonly absolute: number
  readonly relative: number
}

export function difference({ name, data }: Output, other: Output): Difference {
  if (data.length !== other.data.length)
    return { name, absolute: Number.POSITIVE_INFINITY, relative: Number.POSITIVE_INFINITY }
  let [absolute, largest] = [0, 0]
  for (let i = 0; i < data.length; i++) {
    const error = Object.is(data[i], other.data[i]) ? 0 : Math.abs(data[i] - other.data[i])
    absolute = Math.max(absolute, Number.isNaN(error) ? Number.POSITIVE_INFINITY : error)
    if (Number.isFinite(other.data[i])) largest = Math.max(largest, Math.abs(other.data[i]))
  }
  return { name, absolute, relative: absolute && absolute / largest }
}
