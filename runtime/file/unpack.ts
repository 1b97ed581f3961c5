import { fromHalves } from '../base/index.js'
import type { Held, Packing } from './program.js'

/** A constant's elements, from the bytes that the file holds of it. */
export function elementsOf(stored: Held, { buffer, byteOffset, byteLength }: Uint8Array): Float32Array {
  if (stored === 'i8') return Float32Array.from(new Int8Array(buffer, byteOffset, byteLength))
  if (stored === 'f16') return fromHalves(new Uint16Array(buffer, byteOffset, byteLength / 2))
  return new Float32Array(buffer, byteOffset, byteLength / 4)
}

/** Writes the file's elements of a constant to memory, padding the last panel of every group with zeros. */
export function unpackInto<T extends Float32Array | Uint16Array>(
  memory: T | Float64Array,
  packing: Packing,
  stored: T
): void {
  const { groups, rows, columns, panel } = packing
  const rest = panel ? columns % panel : 0
  if (rest === 0) {
    memory.set(stored)
    return
  }
  const whole = (columns - rest) * rows
  let from = 0
  let to = 0
  for (let group = 0; group < groups; group++) {
    memory.set(stored.subarray(from, from + whole), to)
    from += whole
    to += whole
    for (let row = 0; row < rows; row++) {
      memory.set(stored.subarray(from, from + rest), to)
      memory.fill(0, to + rest, to + panel)
      from += rest
      to += panel
    }
  }
}
