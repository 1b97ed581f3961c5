// Mutations of a decoded .cairn header, written back with right digests, so that these hide nothing.

import { digest } from '../../runtime/base/digest.js'
import { Writer } from '../../runtime/file/codec.js'
import { type Dim, type Operation, operations } from '../../runtime/file/dims.js'
import { assemble, decodeHeader, header as headerCodec } from '../../runtime/file/format.js'
import type { Header } from '../../runtime/file/header.js'
import type { Random } from '../support/random.js'

type Writable<T> = T extends number | string
  ? T
  : T extends readonly (infer U)[]
    ? Writable<U>[]
    : { -readonly [K in keyof T]: Writable<T[K]> }

type Plain = Writable<Omit<Header, never>>
type Mutation = (header: Plain, random: Random, body: Uint8Array) => void

const numbers = [-1, 0, 1, 2, 3, 4, 7, 8, 12, 16, 63, 255, 4096, 65536, 2 ** 20, 2 ** 24, 2 ** 28, 2 ** 30, 2 ** 31 - 1]
const large = [2 ** 31, 2 ** 32 - 1, 2 ** 32, 2 ** 32 + 1, 2 ** 33, 2 ** 40, 2 ** 53 - 1, -4, -65536, -(2 ** 31)]
const fractions = [0.5, -0.5, 1e30, -1e30, 1e-30, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 24 + 0.5]
const names = ['', 'N', 'H', 'x', '__proto__', 'toString', 'a\nb', 'digest', 'enter', 'x'.repeat(5000)]

/** A number near the old one, or far from it. */
function other(value: number, random: Random): number {
  const near = [value + 1, value - 1, value * 2, Math.floor(value / 2), value + 4, value * 1000, -value]
  return random.pick(random.chance(0.5) ? near : random.chance(0.7) ? numbers : large)
}

function whole(value: number, random: Random): number {
  const made = other(value, random)
  return Number.isSafeInteger(made) ? made : 0
}

function dim(value: Dim | Writable<Dim>, random: Random, free: readonly string[]): Dim {
  const name = random.pick([...free, 'N', 'ghost'])
  const a = value as Dim
  const op = random.pick(Object.keys(operations) as Operation[])
  const operands = Array.from({ length: operations[op].length }, (_, i) => (i ? random.pick([0, -1, 3, a]) : a))
  const made: Dim[] = [
    { terms: [] },
    { terms: [{ factor: whole(1, random), atoms: [{ op: 'free', name }] }] },
    { terms: [{ factor: 1, atoms: [{ op, of: operands }] }] },
    { terms: [{ factor: random.pick(fractions), atoms: [{ op: 'f32', of: [a] }] }] },
    random.pick(fractions)
  ]
  if (random.chance(0.2)) return random.pick(made)
  if (typeof a === 'number') return other(a, random)
  const copy = structuredClone(a) as Writable<typeof a>
  if (copy.terms.length) random.pick(copy.terms).factor = whole(1, random)
  return copy as Dim
}

function one<T>(list: readonly T[], random: Random, change: (item: T, index: number) => void): void {
  if (!list.length) return
  const at = random.int(0, list.length - 1)
  change(list[at], at)
}

/** An entry twice, away, or in another's place. */
function shuffle<T>(list: T[], random: Random): void {
  one(list, random, (item, at) => {
    const how = random.int(0, 2)
    if (how === 0) list.splice(at, 1)
    else if (how === 1) list.splice(random.int(0, list.length), 0, item)
    else list[random.int(0, list.length - 1)] = item
  })
}

/** The bytes that go with a constant's shape. */
function sizeOf({ groups, rows, columns, stored }: Plain['constants'][number]): number {
  const bytes = groups * rows * columns * (stored === 'f16' ? 2 : 4)
  return Number.isSafeInteger(bytes) ? bytes : 0
}

const callsOf = ({ setup, calls }: Plain) => [...setup, ...calls]

export const cairnMutations: Readonly<Record<string, Mutation>> = {
  'a parameter': (header, random) =>
    one(callsOf(header), random, ({ parameters }) =>
      one(parameters, random, (value, at) => (parameters[at] = dim(value, random, header.free) as Writable<Dim>))
    ),
  'several parameters': (header, random) => {
    for (let times = 6; times > 0; times--) cairnMutations['a parameter'](header, random, new Uint8Array())
  },
  'the offset of an argument': (header, random) =>
    one(callsOf(header), random, call =>
      one(
        call.arguments,
        random,
        argument => (argument.offset = dim(argument.offset, random, header.free) as Writable<Dim>)
      )
    ),
  'the buffer of an argument': (header, random) =>
    one(callsOf(header), random, call =>
      one(call.arguments, random, argument => {
        if (random.chance(0.5)) argument.index = random.chance(0.8) ? random.int(0, 12) : whole(argument.index, random)
        if (random.chance(0.4)) argument.space = random.pick(['constant', 'derived', 'storage'])
        if (random.chance(0.4)) argument.access = random.pick(['read', 'write', 'scratch'])
      })
    ),
  'the arguments of a call': (header, random) => one(callsOf(header), random, call => shuffle(call.arguments, random)),
  'the kernel of a call': (header, random) =>
    one(
      callsOf(header),
      random,
      call => (call.kernel = random.chance(0.7) ? random.int(0, header.kernels.length) : whole(call.kernel, random))
    ),
  'the name of a kernel': (header, random) =>
    one(
      header.kernels,
      random,
      kernel =>
        (kernel.name = random.pick([
          ...names,
          ...header.kernels.map(({ name }) => name),
          'unary',
          'conv',
          'gemm',
          'matmul',
          'pool'
        ]))
    ),
  'the fields of a kernel': (header, random) =>
    one(header.kernels, random, kernel => {
      const at = random.int(0, kernel.fields.length)
      kernel.fields =
        kernel.fields.slice(0, at) + random.pick(['u', 'i', 'f', 'x', '', 'uu']) + kernel.fields.slice(at + 1)
    }),
  'the number of parameters': (header, random) =>
    one(callsOf(header), random, call => shuffle(call.parameters, random)),
  'the order of calls': (header, random) => shuffle(header.calls, random),
  'setup calls': (header, random) => {
    if (random.chance(0.5)) shuffle(header.setup, random)
    else one(header.calls, random, call => header.setup.push(call))
  },
  'setup calls among the calls': (header, random) => one(header.setup, random, call => header.calls.push(call)),
  'the size of a storage': (header, random) =>
    one(header.storages, random, (size, at) => (header.storages[at] = dim(size, random, header.free) as Writable<Dim>)),
  storages: (header, random) => shuffle(header.storages, random),
  'the length of what is derived': (header, random) => {
    if (random.chance(0.3)) header.derived.push(random.pick([...numbers, ...large]))
    one(header.derived, random, (length, at) => (header.derived[at] = whole(length, random)))
  },
  states: (header, random) => {
    if (random.chance(0.5)) header.states.push({ name: random.pick(names), shape: [random.pick(numbers)] })
    else one(header.states, random, state => (state.shape = [random.pick([...numbers, ...large])]))
  },
  'the size of a constant': (header, random) =>
    one(header.constants, random, section => {
      const key = random.pick(['groups', 'rows', 'columns', 'panel', 'offset', 'bytes'] as const)
      section[key] = whole(section[key], random)
      if (random.chance(0.6)) section.bytes = sizeOf(section)
    }),
  'the shape of a constant of the same size': (header, random) =>
    one(header.constants, random, section => {
      const elements = section.groups * section.rows * section.columns
      const shapes = [
        [1, 1, elements],
        [elements, 1, 1],
        [1, elements, 1]
      ]
      ;[section.groups, section.rows, section.columns] = random.pick(shapes)
      section.panel = random.pick([0, 1, 3, 8, 2 ** 20, 2 ** 30])
    }),
  'a constant of nothing': (header, random) => {
    const [groups, rows, columns] = random.pick([
      [2 ** 32, 2 ** 32, 0],
      [2 ** 32, 0, 1],
      [0, 2 ** 32, 8],
      [0, 0, 0]
    ])
    one(header.constants, random, section => {
      Object.assign(section, { groups, rows, columns, panel: random.pick([0, 8]), bytes: 0 })
    })
  },
  'how a constant is held': (header, random) =>
    one(header.constants, random, section => {
      section.stored = random.pick(['f32', 'f16'])
      section.kept = random.pick(['f32', 'f16'])
      if (random.chance(0.5)) section.bytes = sizeOf(section)
    }),
  'the place of a constant': (header, random, body) =>
    one(header.constants, random, section => {
      section.offset = random.pick([
        section.offset + 16,
        section.offset - 16,
        0,
        body.length,
        2 ** 31,
        2 ** 32 - 16,
        8,
        -16
      ])
    }),
  'the digest of a constant': (header, random) =>
    one(header.constants, random, section => (section.digest = random.pick([section.digest ^ 1, 0, -1, 2 ** 40]))),
  constants: (header, random) => shuffle(header.constants, random),
  'a port': (header, random) =>
    one([...header.inputs, ...header.outputs], random, port => {
      const how = random.int(0, 4)
      if (how === 0) port.name = random.pick(names)
      else if (how === 1) port.dtype = random.pick(['float32', 'int64', 'bool', 'float16', 'text', '__proto__'])
      else if (how === 2)
        port.storage = random.chance(0.7) ? random.int(0, header.storages.length) : whole(port.storage, random)
      else if (how === 3) port.offset = dim(port.offset, random, header.free) as Writable<Dim>
      else one(port.shape, random, (size, at) => (port.shape[at] = dim(size, random, header.free) as Writable<Dim>))
    }),
  'the rank of a port': (header, random) =>
    one([...header.inputs, ...header.outputs], random, ({ shape }) => shuffle(shape, random)),
  ports: (header, random) => shuffle(random.pick([header.inputs, header.outputs]), random),
  'free dimensions': (header, random) => {
    if (random.chance(0.5)) header.free.push(random.pick(names))
    else shuffle(header.free, random)
  },
  constraints: (header, random) =>
    header.constraints.push({
      a: dim(1, random, header.free) as Writable<Dim>,
      b: random.pick([1, 2, 0]),
      where: random.pick(names)
    })
}

/** What a run does not read. */
export const harmless: Readonly<Record<string, Mutation>> = {
  'what is told of the model': (header, random) => {
    Object.assign(header, {
      name: random.pick(names),
      parameters: random.pick(numbers),
      arena: random.pick(large),
      macs: random.pick(fractions)
    })
    header.operators.push('x\ny')
  },
  'names of calls': header => callsOf(header).forEach((call, i) => (call.node = `other\n${i}`)),
  'names of constants': header => header.constants.forEach((section, i) => (section.name = `constant ${i}`)),
  'a constant that nobody reads': (header, random) =>
    one(header.constants, random, section => header.constants.push({ ...section }))
}

/** The header, whose offsets count from the base, and what lies behind that. */
export function split(file: Uint8Array): { header: Plain; body: Uint8Array } {
  const length = new DataView(file.buffer, file.byteOffset).getUint32(8, true)
  const base = Math.ceil((16 + length) / 16) * 16
  const decoded = structuredClone(decodeHeader(file)) as Plain
  for (const section of decoded.constants) section.offset -= base
  return { header: decoded, body: file.slice(base) }
}

/** Digests are right again where the sections are there; `keep` leaves them as they are. */
export function joined(header: Plain, body: Uint8Array, keep: boolean): Uint8Array {
  if (!keep)
    for (const section of header.constants) {
      const part = body.slice(Math.max(section.offset, 0), Math.max(section.offset + section.bytes, 0))
      if (part.length === section.bytes) section.digest = digest(part)
    }
  const writer = new Writer()
  headerCodec.write(writer, header as Header)
  return assemble(writer.finish(), body)
}

/** The same file with some bytes of its header changed and the digest of that made right. */
export function withHeaderBytes(file: Uint8Array, change: (head: Uint8Array) => Uint8Array): Uint8Array {
  const length = new DataView(file.buffer, file.byteOffset).getUint32(8, true)
  const base = Math.ceil((16 + length) / 16) * 16
  return assemble(change(file.slice(16, 16 + length)), file.slice(base))
}
