import type { StandalonePort } from './metadata.js'
import type { Places } from './place.js'

/** NumPy's letter and bytes of an element; halves go out as single precision. */
const types: Readonly<Record<string, readonly [string, number]>> = {
  float64: ['f', 8],
  bool: ['b', 1],
  ...Object.fromEntries(
    [8, 16, 32, 64].flatMap(bits => [
      [`int${bits}`, ['i', bits / 8]],
      [`uint${bits}`, ['u', bits / 8]]
    ])
  )
}

export const elementOf = ({ type }: StandalonePort) => types[type] ?? ['f', 4]

/** Bytes of memory, and where they lie. */
export interface Table {
  readonly at: number
  readonly bytes: Uint8Array
}

/** Bytes of what asm/standalone/port.ts calls a port. */
export const portBytes = 24

/** Inputs and outputs as the module's functions know them: one behind the other, from `at` on. */
export function describePorts(ports: readonly StandalonePort[], places: Places): { at: number; tables: Table[] } {
  const axes = ports.map(axesOf)
  const axesAt = axes.map(words => places.take(words.length * 4))
  const at = places.take(ports.length * portBytes)
  const described = ports.flatMap((port, i) => {
    const [letter, width] = elementOf(port)
    return [port.at, port.length, letter.charCodeAt(0), width, port.shape.length, axesAt[i]]
  })
  const tables = axes.map((words, i) => ({ at: axesAt[i], bytes: bytesOf(words) }))
  return { at, tables: [...tables, { at, bytes: bytesOf(described) }] }
}

/** Texts one behind the other, and where each begins and how long it is. */
export function placeTexts(texts: readonly string[], places: Places): { lengths: [number, number][]; table: Table } {
  const lines = texts.map(text => new TextEncoder().encode(text))
  const bytes = Uint8Array.from(lines.flatMap(line => [...line]))
  const at = places.take(bytes.length)
  let next = at
  return { lengths: lines.map(({ length }) => [(next += length) - length, length]), table: { at, bytes } }
}

export const bytesOf = (words: readonly number[]) => new Uint8Array(Uint32Array.from(words).buffer)

const axesOf = ({ shape, cuts = [] }: StandalonePort) =>
  shape.flatMap((size, axis) => [size, cuts.find(([cut]) => cut === axis)?.[1] ?? 0])
