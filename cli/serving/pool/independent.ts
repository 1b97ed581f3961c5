import { freeName, type Header } from '../../../runtime/file/index.js'
import { type InferenceSession, Tensor } from '../../../runtime/index.js'
import { bindDims, toNumbers, withRandom } from '../../model/index.js'

/** The free dimension that all inputs and outputs begin with, if there is one. */
export function batchOf({
  inputs,
  outputs,
  counts
}: Pick<Header, 'inputs' | 'outputs' | 'counts'>): string | undefined {
  const names = [...inputs, ...outputs].map(({ shape }) => (shape.length ? freeName(shape[0]) : undefined))
  return counts.length === 0 && names.every(name => name === names[0]) ? names[0] : undefined
}

/** More apart, in parts of a row's largest number, are not two roundings of the same sum. */
const tolerance = 1e-4

/** How much larger the second row is, so that ranges that are taken over the batch show in the first. */
const larger = 100

/**
 * Whether two rows together give what each gives alone: only then may those who ask at the same time share a run. Shapes
 * cannot tell it (a softmax over the batch has the same ones), so two random rows are tried, of
 * which one has by far the larger numbers.
 */
export async function rowsDoNotMix(session: InferenceSession, header: Header): Promise<boolean> {
  const batch = batchOf(header)
  if (batch === undefined) return false
  try {
    const bindings = { ...bindDims(header), [batch]: 1 }
    const rows = [1, 2].map(seed => withRandom({}, header.inputs, bindings, seed))
    rows[1] = Object.fromEntries(Object.entries(rows[1]).map(([name, tensor]) => [name, enlarged(tensor)]))
    const both = Object.fromEntries(header.inputs.map(({ name }) => [name, joined(rows.map(feeds => feeds[name]))]))
    const alone = [await session.run(rows[0]), await session.run(rows[1])]
    const together = await session.run(both)
    return Object.entries(together).every(([name, tensor]) => {
      const numbers = toNumbers(tensor)
      const half = numbers.length / 2
      return alone.every((results, row) => {
        const apart = toNumbers(results[name])
        return apart.length === half && areNear(apart, numbers.subarray(row * half, (row + 1) * half))
      })
    })
  } catch {
    // Sizes that it does not take, or indices that random numbers are not: it runs what each asks for by itself.
    return false
  }
}

function areNear(wanted: ArrayLike<number>, given: ArrayLike<number>): boolean {
  let [most, apart] = [0, 0]
  for (let i = 0; i < wanted.length; i++) {
    most = Math.max(most, Math.abs(wanted[i]))
    apart = Math.max(apart, Math.abs(given[i] - wanted[i]))
  }
  return apart <= tolerance * most
}

function enlarged(tensor: Tensor): Tensor {
  const { type, data, dims } = tensor
  if (!(data instanceof Float32Array || data instanceof Float64Array)) return tensor
  return new Tensor(type, data.map(x => larger * x) as typeof data, dims)
}

function joined([a, b]: readonly Tensor[]): Tensor {
  const data = new (a.data.constructor as new (length: number) => typeof a.data)(a.data.length + b.data.length)
  data.set(a.data as never)
  data.set(b.data as never, a.data.length)
  return new Tensor(a.type, data, [2, ...a.dims.slice(1)])
}
