import { bytesOf, digest, FormatError, toHalves } from '../base/index.js'
import { checkHeader } from './check-header.js'
import { type Codec, Cursor, f32, f64, int, lazy, list, optional, struct, text, Writer } from './codec.js'
import { type Atom, type Dim, type Operation, operations, type Term } from './dims.js'
import type { Draw, Expected, Golden } from './expected.js'
import type { CairnFile, Header, Section } from './header.js'
import { type Constant, type Cut, type Held, type Program, storedLength, widthOf } from './program.js'
import { BytesSource, checkLength, type Source } from './source.js'

/**
 * The .cairn file, specified in docs/format.md: four bytes `CARN`, version, header length, header digest; the header;
 * then the constants' sections, each on a multiple of 16 bytes and with a digest of its own. The tables below are the
 * one description of the header that both `encode` and `decode` follow.
 */
export const magic = 0x4e524143
export const version = 5
const preamble = 16
const alignment = 16
export type Summary = Pick<
  Header,
  'arena' | 'arenaLowerBound' | 'nodesBefore' | 'nodesAfter' | 'batchNormsFolded' | 'operators' | 'golden'
>

/** Numbers that are not whole are parameters of single precision. */
const dim: Codec<Dim> = {
  write(w, value) {
    if (typeof value !== 'number') {
      w.byte(2)
      list(term).write(w, value.terms)
    } else if (Number.isSafeInteger(value) && !Object.is(value, -0)) {
      w.byte(0)
      int.write(w, value)
    } else {
      w.byte(1)
      f32.write(w, value)
    }
  },
  read(r) {
    const kind = r.byte()
    if (kind === 0) return int.read(r)
    if (kind === 1) return f32.read(r)
    if (kind === 2) return { terms: list(term).read(r) }
    throw new FormatError(`dimension of kind ${kind}`)
  }
}

/** Factors of sizes are whole, those of floats seldom. */
const factor: Codec<number> = {
  write(w, value) {
    w.byte(Number.isSafeInteger(value) ? 0 : 1)
    if (Number.isSafeInteger(value)) int.write(w, value)
    else f64.write(w, value)
  },
  read(r) {
    const kind = r.byte()
    if (kind > 1) throw new FormatError(`factor of kind ${kind}`)
    return kind ? f64.read(r) : int.read(r)
  }
}

/** The byte of an atom is 0 for a free dimension, or the position here and 1. */
const atomKinds: readonly Operation[] = [
  'div',
  'min',
  'max',
  'less',
  'equal',
  'where',
  'over',
  'floor',
  'trunc',
  'round',
  'sqrt',
  'f32',
  'f64'
]

/** Dimensions nest a few levels; what nests deeper is not a dimension. */
const deepest = 64
let depth = 0

const atom: Codec<Atom> = {
  write(w, value) {
    if (value.op === 'free') {
      w.byte(0)
      text.write(w, value.name)
    } else {
      w.byte(1 + atomKinds.indexOf(value.op))
      for (const operand of value.of) dim.write(w, precise(operand))
    }
  },
  read(r) {
    if (++depth > deepest) depth = fail(`dimension nested deeper than ${deepest}`)
    const value = readAtom(r)
    depth--
    return value
  }
}

/** An operand that single precision would change, as a polynomial. */
const precise = (value: Dim): Dim =>
  typeof value !== 'number' || Number.isSafeInteger(value) ? value : { terms: [{ factor: value, atoms: [] }] }

function fail(what: string): never {
  depth = 0
  throw new FormatError(what)
}

function readAtom(r: Cursor): Atom {
  const kind = r.byte()
  if (kind === 0) return { op: 'free', name: text.read(r) }
  const op = atomKinds[kind - 1]
  if (op === undefined) throw new FormatError('dimension with an unknown operation')
  return { op, of: Array.from({ length: operations[op].length }, () => dim.read(r)) }
}

const term: Codec<Term> = lazy(() => struct<Term>({ factor, atoms: list(atom) }))

const choice = <T extends string>(...names: readonly T[]): Codec<T> => ({
  write: (w, value) => w.byte(names.indexOf(value)),
  read(r) {
    const name = names[r.byte()]
    if (name === undefined) throw new FormatError(`a choice other than ${names.join(', ')}`)
    return name
  }
})

const port = struct<Program['inputs'][number]>({ name: text, dtype: text, shape: list(dim), storage: int, offset: dim })

const call = struct<Program['calls'][number]>({
  kernel: int,
  node: text,
  parameters: list(dim),
  arguments: list(
    struct<Program['calls'][number]['arguments'][number]>({
      space: choice('constant', 'derived', 'storage'),
      index: int,
      offset: dim,
      access: choice('read', 'write', 'scratch')
    })
  )
})

const golden = struct<Golden>({
  seed: int,
  sizes: list(int),
  inputs: list(struct<Draw>({ low: f32, step: f32, levels: int })),
  layers: list(struct<Expected>({ count: int, norm: f64, limit: f64, sums: list(f64) }))
})

/** Bytes that golden data adds to a file. */
export function goldenBytes(data: Golden): number {
  const writer = new Writer()
  golden.write(writer, data)
  return writer.finish().length
}

/** The description of the header, behind which sections follow. */
export const header: Codec<Header> = struct<Header>({
  name: text,
  parameters: int,
  macs: dim,
  arena: int,
  arenaLowerBound: int,
  nodesBefore: int,
  nodesAfter: int,
  batchNormsFolded: int,
  operators: list(text),
  free: list(text),
  inputs: list(port),
  outputs: list(port),
  counts: list(
    struct<Program['counts'][number]>({
      storage: int,
      offset: dim,
      cuts: list(struct<Cut>({ output: int, axis: int }))
    })
  ),
  faults: list(struct<Program['faults'][number]>({ storage: int, offset: dim, of: text, axis: int, size: dim })),
  constraints: list(struct<Program['constraints'][number]>({ a: dim, b: dim, where: text })),
  kernels: list(struct<Program['kernels'][number]>({ name: text, fields: text })),
  storages: list(dim),
  narrow: list(int),
  derived: list(int),
  states: list(struct<Program['states'][number]>({ name: text, shape: list(int) })),
  constants: list(
    struct<Section>({
      name: text,
      stored: choice('f32', 'f16', 'i8'),
      kept: choice('f32', 'f16', 'i8'),
      groups: int,
      rows: int,
      columns: int,
      panel: int,
      offset: int,
      bytes: int,
      digest: int
    })
  ),
  setup: list(call),
  calls: list(call),
  golden: optional(golden)
})

const align = (at: number) => Math.ceil(at / alignment) * alignment

export function encode(program: Program, summary: Summary): Uint8Array {
  const payloads = program.constants.map(sectionOf)
  let offset = 0
  const constants = program.constants.map((constant, i): Section => {
    const { data: _, ...rest } = constant
    const section = {
      ...rest,
      name: '',
      offset,
      bytes: payloads[i].length,
      digest: digest(payloads[i])
    }
    offset = align(offset + payloads[i].length)
    return section
  })
  const writer = new Writer()
  header.write(writer, { ...program, ...summary, constants })
  const body = new Uint8Array(offset)
  constants.forEach((section, i) => body.set(payloads[i], section.offset))
  return assemble(writer.finish(), body)
}

/** A file of an encoded header and the sections behind its base. */
export function assemble(head: Uint8Array, body: Uint8Array): Uint8Array {
  const base = align(preamble + head.length)
  const file = new Uint8Array(base + body.length)
  const view = new DataView(file.buffer)
  view.setUint32(0, magic, true)
  view.setUint32(4, version, true)
  view.setUint32(8, head.length, true)
  view.setUint32(12, digest(head), true)
  file.set(head, preamble)
  file.set(body, base)
  return file
}

/** Reads and checks a file's header and extents; the sections' digests are checked when they are loaded. */
export function decode(given: Uint8Array): CairnFile {
  const bytes = bytesOf(given)
  if (!bytes) throw new FormatError('a file is given as its bytes; a Uint8Array and an ArrayBuffer are allowed')
  const { header, length } = decodeHead(bytes)
  checkLength(bytes.length, length)
  return { header, source: new BytesSource(bytes), length }
}

/** As `decode`, of what may still arrive. Throws FormatError or CairnError. */
export async function decodeSource(source: Source): Promise<CairnFile> {
  let head = await source.head(usualHead)
  if (head.length === usualHead) {
    const needed = preamble + new DataView(head.buffer, head.byteOffset).getUint32(8, true)
    if (needed > head.length) head = await source.head(needed)
  }
  const decoded = decodeHead(head)
  if (source.size !== undefined) checkLength(source.size, decoded.length)
  return { ...decoded, source }
}

/** Most headers are in the first bytes of this number. */
const usualHead = 65536

/** A file's header, checked, and the length of the whole, from its first bytes alone: enough to plan before the rest is here. */
export function decodeHead(bytes: Uint8Array): { header: Header; length: number } {
  const decoded = decodeHeader(bytes)
  checkHeader(decoded)
  const length = decoded.constants.reduce(
    (last, { offset, bytes: size }) => Math.max(last, align(offset + size)),
    sectionBase(bytes)
  )
  return { header: decoded, length }
}

/** The header alone, from the beginning of a file: enough to decide before the weights have arrived. */
export function decodeHeader(bytes: Uint8Array): Header {
  if (bytes.length < preamble) throw new FormatError(`file of ${bytes.length} bytes is too short to be a .cairn file`)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  if (view.getUint32(0, true) !== magic) throw new FormatError('not a .cairn file: it does not begin with CARN')
  const found = view.getUint32(4, true)
  if (found !== version)
    throw new FormatError(`file has format version ${found}; this runtime reads version ${version}`)
  const length = view.getUint32(8, true)
  if (preamble + length > bytes.length) throw new FormatError(`header of ${length} bytes is truncated`)
  const head = bytes.slice(preamble, preamble + length)
  if (digest(head) !== view.getUint32(12, true)) throw new FormatError('header is damaged: its digest does not match')
  const base = sectionBase(bytes)
  const decoded = readHeader(new Cursor(head))
  for (const section of decoded.constants) {
    const all = storedLength(section) * widthOf(section.stored)
    const isOne = isOneForAll(section.stored, all) && section.bytes === widthOf(section.stored)
    if ((section.bytes !== all && !isOne) || section.offset % alignment !== 0)
      throw new FormatError(`a section of ${section.bytes} bytes at ${section.offset} does not fit its constant`)
  }
  return { ...decoded, constants: decoded.constants.map(section => ({ ...section, offset: base + section.offset })) }
}

/** What does not parse is one kind of damage, whatever the reader stumbles over. */
function readHeader(cursor: Cursor): Header {
  depth = 0
  try {
    const decoded = header.read(cursor)
    if (cursor.done) return decoded
  } catch (error) {
    if (error instanceof FormatError) throw error
    throw new FormatError(`header cannot be read: ${(error as Error).message}`)
  }
  throw new FormatError('header has bytes behind its end')
}

function sectionBase(bytes: Uint8Array): number {
  const length = new DataView(bytes.buffer, bytes.byteOffset, bytes.length).getUint32(8, true)
  return align(preamble + length)
}

/** Whether one element may stand for all of a section, which are so many bytes: for fewer it is not worth it. */
const isOneForAll = (stored: Held, bytes: number) => stored !== 'i8' && bytes >= 65536

/** The bytes of a section: of many equal elements the first. */
function sectionOf(constant: Constant): Uint8Array {
  const { stored, data } = constant
  const isOne = isOneForAll(stored, data.length * widthOf(stored)) && areEqual(data)
  return payloadOf(isOne ? { ...constant, data: data.subarray(0, 1) } : constant)
}

/** Whether all elements have the bits of the first. */
export function areEqual(data: Float32Array): boolean {
  const bits = new Int32Array(data.buffer, data.byteOffset, data.length)
  return bits.every(word => word === bits[0])
}

/** All elements of a constant, in the precision in which the file stores them. */
export function payloadOf({ stored, data }: Constant): Uint8Array {
  const held = stored === 'i8' ? Int8Array.from(data) : stored === 'f16' ? toHalves(data) : data
  return new Uint8Array(held.buffer, held.byteOffset, held.byteLength)
}
