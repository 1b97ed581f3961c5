// Comparison of tensors: the largest absolute error over the reference's largest magnitude.
import type { Named, Numbers } from './onnx/oracle.js'

export const tolerance = 1e-4

/** The error of one output; infinite where shapes, types or non-finite elements differ. Whole numbers compare exactly. */
export function errorOf(actual: Numbers, expected: Numbers, floor = 0): { error: number; what: string } {
  if (actual.dtype !== expected.dtype) return wrong(`is ${actual.dtype}, not ${expected.dtype}`)
  if (actual.dims.join() !== expected.dims.join()) return wrong(`has dims [${actual.dims}], not [${expected.dims}]`)
  const exact = !expected.dtype.startsWith('float')
  let largest = 0
  let worst = 0
  let at = -1
  let differing = 0
  for (let i = 0; i < expected.data.length; i++) {
    const [got, want] = [actual.data[i], expected.data[i]]
    if (Object.is(got, want) || got === want) {
      if (Number.isFinite(want)) largest = Math.max(largest, Math.abs(want))
      continue
    }
    if (!Number.isFinite(got) || !Number.isFinite(want)) return wrong(`element ${i} is ${got}, not ${want}`)
    largest = Math.max(largest, Math.abs(want))
    differing++
    if (Math.abs(got - want) > worst) {
      worst = Math.abs(got - want)
      at = i
    }
  }
  if (at < 0) return { error: 0, what: '' }
  const error = exact ? Number.POSITIVE_INFINITY : worst / (Math.max(largest, floor) || 1)
  const what = `element ${at} of ${expected.data.length} is ${actual.data[at]}, not ${expected.data[at]} (${differing} differ, error ${error.toExponential(1)})`
  return { error, what }
}

const wrong = (what: string) => ({ error: Number.POSITIVE_INFINITY, what })

/** Throws unless every output agrees; returns the worst error. A reference below `floor` counts as that large. */
export function assertClose(actual: Named, expected: Named, limit = tolerance, floor = 0): number {
  const [own, wanted] = [Object.keys(actual).sort(), Object.keys(expected).sort()]
  if (own.join() !== wanted.join()) throw new Error(`outputs are ${own}, not ${wanted}`)
  let worst = 0
  for (const name of wanted) {
    const { error, what } = errorOf(actual[name], expected[name], floor)
    if (error > limit) throw new Error(`output "${name}" ${what}; allowed ${limit}`)
    worst = Math.max(worst, error)
  }
  return worst
}

/** A reference of some size that is the same number everywhere would let most mistakes pass. */
export function isTelling({ data }: Numbers): boolean {
  return data.length < 8 || Array.from(data).some(value => value !== data[0])
}

export function sameBits(a: ArrayBufferView, b: ArrayBufferView): boolean {
  const bytes = (data: ArrayBufferView) => new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
  return Buffer.compare(bytes(a), bytes(b)) === 0
}
