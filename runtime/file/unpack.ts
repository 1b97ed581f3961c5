import { fromHalves } from '../base/index.js'
import { type Held, type Packing, storedLength } from './program.js'

/** The elements that the file holds of a constant, from their bytes: one where all are the same. */
export function elementsOf(stored: Held, { buffer, byteOffset, byteLength }: Uint8Array): Float32Array {
  if (stored === 'i8') return Float32Array.from(new Int8Array(buffer, byteOffset, byteLength))
  if (stored === 'f16') return fromHalves(new Uint16Array(buffer, byteOffset, byteLength / 2))
  return new Float32Array(buffer, byteOffset, byteLength / 4)
}

/** All elements of a constant in the file's order. */
export function allElements(section: Packing & { readonly stored: Held }, bytes: Uint8Array): Float32Array {
  const elements = elementsOf(section.stored, bytes)
  const count = storedLength(section)
  return elements.length === count ? elements : new Float32Array(count).fill(elements[0])
}

/**
 * Writes the file's elements of a constant to memory, padding the last panel of every group with zeros; one element stands for
 * all that there are.
 */
export function unpackInto<T extends Float32Array | Uint16Array>(
  memory: T | Float64Array,
  packing: Packing,
  stored: T
): void {
  const { groups, rows, columns, panel } = packing
  const isOne = stored.length === 1
  const put = (from: number, count: number, to: number) => {
    if (isOne) memory.fill(stored[0], to, to + count)
    else memory.set(stored.subarray(from, from + count), to)
  }
  const rest = panel ? columns % panel : 0
  if (rest === 0) {
    put(0, storedLength(packing), 0)
    return
  }
  const whole = (columns - rest) * rows
  let from = 0
  let to = 0
  for (let group = 0; group < groups; group++) {
    put(from, whole, to)
    from += whole
    to += whole
    for (let row = 0; row < rows; row++) {
      put(from, rest, to)
      memory.fill(0, to + rest, to + panel)
      from += rest
      to += panel
    }
  }
}
