/**
 * WebAssembly modules as their sections, with as much of the binary format as is changed around Binaryen: the kernels'
 * memory, and data, of which models have more than Binaryen should have to copy.
 */
export interface Section {
  readonly id: number
  readonly bytes: Uint8Array
}

export const ids = { custom: 0, import: 2, memory: 5, export: 7, data: 11, dataCount: 12 } as const

/** The order in which sections stand, where it is not that of their numbers. */
const rank = (id: number) => (id === ids.dataCount ? 9.5 : id)

export const pageBytes = 65536

/** Bytes of a segment of data, and where they go; without an address they stay aside until they are asked for. */
export interface Segment {
  readonly at?: number
  readonly bytes: Uint8Array
}

export class Bytes {
  private readonly parts: Uint8Array[] = []
  length = 0

  add(...parts: (Uint8Array | number[])[]): this {
    for (const part of parts) {
      this.parts.push(part instanceof Uint8Array ? part : Uint8Array.from(part))
      this.length += part.length
    }
    return this
  }

  /** An unsigned number in LEB128. */
  number(value: number): this {
    return this.add(leb(value))
  }

  /** Bytes behind their number. */
  counted(bytes: Uint8Array): this {
    return this.number(bytes.length).add(bytes)
  }

  finish(): Uint8Array {
    const all = new Uint8Array(this.length)
    let at = 0
    for (const part of this.parts) {
      all.set(part, at)
      at += part.length
    }
    return all
  }
}

function leb(value: number): number[] {
  const low = value % 128
  return value < 128 ? [low] : [low + 128, ...leb(Math.floor(value / 128))]
}

/** A signed number of 32 bits. */
export function signedLeb(value: number): number[] {
  const low = value & 127
  const rest = value >> 7
  return rest === (low & 64 ? -1 : 0) ? [low] : [low | 128, ...signedLeb(rest)]
}

class Reader {
  at = 0
  constructor(readonly bytes: Uint8Array) {}

  get done(): boolean {
    return this.at >= this.bytes.length
  }

  byte(): number {
    if (this.done) throw new RangeError('the module ends too soon')
    return this.bytes[this.at++]
  }

  number(): number {
    let value = 0
    for (let factor = 1; ; factor *= 128) {
      const byte = this.byte()
      value += (byte & 127) * factor
      if (byte < 128) return value
    }
  }

  take(count: number): Uint8Array {
    if (!(this.at + count <= this.bytes.length)) throw new RangeError('the module ends too soon')
    return this.bytes.subarray(this.at, (this.at += count))
  }
}

const preamble = [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00]

/** Throws RangeError for what is cut short. */
export function sectionsOf(module: Uint8Array): Section[] {
  const reader = new Reader(module)
  reader.take(preamble.length)
  const sections: Section[] = []
  while (!reader.done) sections.push({ id: reader.byte(), bytes: reader.take(reader.number()) })
  return sections
}

export function moduleOf(sections: readonly Section[]): Uint8Array {
  const bytes = new Bytes().add(preamble)
  for (const { id, bytes: own } of sections) bytes.add([id]).counted(own)
  return bytes.finish()
}

/** The sections with some replaced, each where it belongs. */
export function withSections(sections: readonly Section[], changed: readonly Section[]): Section[] {
  const kept = sections.filter(({ id }) => id === ids.custom || !changed.some(each => each.id === id))
  for (const each of changed) {
    const at = kept.findIndex(({ id }) => id !== ids.custom && rank(id) > rank(each.id))
    kept.splice(at < 0 ? kept.length : at, 0, each)
  }
  return kept
}

/** A memory of so many pages, which never grows unless it may. */
export function memorySection(pages: number, grows = false): Section {
  const bytes = new Bytes().add([1, grows ? 0 : 1]).number(pages)
  return { id: ids.memory, bytes: (grows ? bytes : bytes.number(pages)).finish() }
}

/** The import section without its memory, which the module then has to have itself. */
export function withoutMemoryImport({ id, bytes }: Section): Section {
  const reader = new Reader(bytes)
  const kept: Uint8Array[] = []
  for (let count = reader.number(); count > 0; count--) {
    const begin = reader.at
    reader.take(reader.number())
    reader.take(reader.number())
    const kind = reader.byte()
    if (kind === 2) for (let numbers = reader.byte() & 1 ? 2 : 1; numbers > 0; numbers--) reader.number()
    else if (kind === 0) reader.number()
    else throw new RangeError(`an import of kind ${kind}`)
    if (kind === 0) kept.push(bytes.subarray(begin, reader.at))
  }
  return {
    id,
    bytes: new Bytes()
      .number(kept.length)
      .add(...kept)
      .finish()
  }
}

/** Segments whose addresses are constants. */
export function segmentsOf({ bytes }: Section): Segment[] {
  const reader = new Reader(bytes)
  return Array.from({ length: reader.number() }, () => {
    const kind = reader.number()
    if (kind === 1) return { bytes: reader.take(reader.number()) }
    if (kind !== 0 || reader.byte() !== 0x41) throw new RangeError('a segment without a constant address')
    const at = reader.number()
    reader.byte()
    return { at, bytes: reader.take(reader.number()) }
  })
}

export function dataSections(segments: readonly Segment[]): Section[] {
  const data = new Bytes().number(segments.length)
  for (const { at, bytes } of segments)
    data.add(at === undefined ? [1] : [0, 0x41, ...signedLeb(at | 0), 0x0b]).counted(bytes)
  const count = { id: ids.dataCount, bytes: new Bytes().number(segments.length).finish() }
  return [count, { id: ids.data, bytes: data.finish() }]
}

export function customSection(name: string, contents: Uint8Array): Section {
  return { id: ids.custom, bytes: new Bytes().counted(new TextEncoder().encode(name)).add(contents).finish() }
}

/** Names of what a module exports; throws RangeError for one that is cut short. */
export function exportsOf(module: Uint8Array): string[] {
  const section = sectionsOf(module).find(({ id }) => id === ids.export)
  if (!section) return []
  const reader = new Reader(section.bytes)
  return Array.from({ length: reader.number() }, () => {
    const name = new TextDecoder().decode(reader.take(reader.number()))
    reader.byte()
    reader.number()
    return name
  })
}

/** What a custom section of that name holds, in a module of which the rest may be missing. */
export function customOf(module: Uint8Array, name: string): Uint8Array | undefined {
  const reader = new Reader(module)
  try {
    reader.take(preamble.length)
    while (!reader.done) {
      const id = reader.byte()
      const section = new Reader(reader.take(reader.number()))
      if (id !== ids.custom) continue
      if (new TextDecoder().decode(section.take(section.number())) === name) return section.bytes.subarray(section.at)
    }
  } catch {
    // Cut short, or no module: it has no such section.
  }
  return undefined
}

/** Segments by their addresses, of which those that lie one behind the other are one. */
export function joined(
  segments: readonly (Segment & { readonly at: number })[]
): (Segment & { readonly at: number })[] {
  const runs: { at: number; end: number; parts: (Segment & { readonly at: number })[] }[] = []
  for (const segment of [...segments].sort((a, b) => a.at - b.at)) {
    const last = runs.at(-1)
    const end = segment.at + segment.bytes.length
    if (last && segment.at - last.end < worthwhile) {
      last.parts.push(segment)
      last.end = end
    } else runs.push({ at: segment.at, end, parts: [segment] })
  }
  return runs.map(({ at, end, parts }) => {
    if (parts.length === 1) return parts[0]
    const bytes = new Uint8Array(end - at)
    for (const part of parts) bytes.set(part.bytes, part.at - at)
    return { at, bytes }
  })
}

/** What is in memory at first is 0: zeros of some length, and at the ends of segments, need no bytes of the file. */
export function withoutZeros({ at, bytes }: Segment & { readonly at: number }): Segment[] {
  const kept: Segment[] = []
  let begin = 0
  const keep = (end: number) => {
    if (end > begin) kept.push({ at: at + begin, bytes: bytes.subarray(begin, end) })
  }
  for (let i = 0; i < bytes.length; ) {
    if (bytes[i]) {
      i++
      continue
    }
    const zeros = i
    while (i < bytes.length && !bytes[i]) i++
    if (i - zeros < worthwhile && i < bytes.length && zeros > begin) continue
    keep(zeros)
    begin = i
  }
  keep(bytes.length)
  return kept
}

/** Zeros that take more of the file than another segment does. */
const worthwhile = 16
