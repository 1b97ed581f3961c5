import type { Feeds, InferenceSession } from '../../runtime/index.js'
import { toNumbers } from './numbers.js'

/** Rounding of single precision near one, which outputs close to zero must not look better than. */
const rounding = 2 ** -23

/** Outputs that do not react at all are saturated (a softmax of zeros and a one) and compare well whatever is wrong. */
const dead = 1e-9

/** How much the outputs of two sessions differ, against their size; without bounds where they find other numbers of rows. */
export async function difference(a: InferenceSession, b: InferenceSession, feeds: Feeds): Promise<number> {
  const [left, right] = [await a.run(feeds), await b.run(feeds)]
  return Math.max(...a.outputNames.map(name => relativeChange(toNumbers(left[name]), toNumbers(right[name]))))
}

function relativeChange(a: Float64Array, b: Float64Array): number {
  if (a.length !== b.length) return Number.POSITIVE_INFINITY
  let change = 0
  let largest = 0
  for (let i = 0; i < a.length; i++) {
    change = Math.max(change, Math.abs(a[i] - b[i]))
    largest = Math.max(largest, Math.abs(a[i]))
  }
  return change > dead * largest ? Math.max(change, rounding) / largest : Number.POSITIVE_INFINITY
}
