import { CairnError, digest } from '../base/index.js'
import {
  type Argument,
  allElements,
  arrivals,
  type CairnFile,
  elementsOf,
  type Header,
  type Held,
  paddedLength,
  type Section,
  Spare,
  type Stored,
  unpackInto,
  widthOf
} from '../file/index.js'
import { blockBytes } from './pipelines.js'
import { type GpuCall, operandOf } from './program/call.js'
import { type GpuProgram, leastBytes, roundUp, type Widened } from './program/program.js'
import { usage } from './usage.js'

/**
 * The constants in buffers that shaders only read. One is enough unless the device binds less than the model has; then
 * calls are given one after the other to a bank as long as their constants fit, and what calls of two banks read is in both.
 */
export interface Banks {
  readonly sizes: readonly number[]
  /** The bank of each call. */
  readonly bankOf: readonly number[]
  /** Per bank, where each constant begins in it, in bytes. */
  readonly places: readonly ReadonlyMap<number, number>[]
  /** How each constant is held: in fewer bits than 32 only for the operand of a product. */
  readonly held: readonly Held[]
  /** Where what is derived from constants begins in its own buffer, in elements, which are as wide as activations. */
  readonly derivedAt: readonly number[]
  readonly derivedBytes: number
}

export interface Buffers {
  readonly banks: readonly GPUBuffer[]
  readonly derived: GPUBuffer | undefined
  /** The parameter blocks of all calls. */
  readonly parameters: GPUBuffer
}

export function planBanks(
  calls: readonly GpuCall[],
  { constants, derived }: Header,
  limit: number,
  element: Stored
): Banks {
  const held = heldAs(calls, constants)
  const bytesOf = (index: number) => roundUp(paddedLength(constants[index]) * widthOf(held[index]))
  const sizes: number[] = [leastBytes]
  const places: Map<number, number>[] = [new Map()]
  const bankOf = calls.map(({ call }) => {
    const wanted = [...new Set(call.arguments.filter(({ space }) => space === 'constant').map(({ index }) => index))]
    const missing = () => wanted.filter(index => !places[places.length - 1].has(index))
    const growth = () => missing().reduce((sum, index) => sum + bytesOf(index), 0)
    if (sizes[sizes.length - 1] + growth() > limit) {
      sizes.push(leastBytes)
      places.push(new Map())
      if (leastBytes + growth() > limit)
        throw new CairnError(
          `the weights of "${call.node}" take ${growth()} bytes; this device binds ${limit} at once (maxStorageBufferBindingSize)`
        )
    }
    const bank = places.length - 1
    for (const index of missing()) {
      places[bank].set(index, sizes[bank])
      sizes[bank] += bytesOf(index)
    }
    return bank
  })
  let derivedBytes = 0
  const derivedAt = derived.map(length => {
    const at = derivedBytes / widthOf(element)
    derivedBytes += roundUp(length * widthOf(element))
    return at
  })
  return { sizes, bankOf, places, held, derivedAt, derivedBytes }
}

/** How a product's operand is held: constants each their own way, what is derived from them as activations are. */
export const heldOf = ({ held }: Banks, operand: Argument | undefined, element: Stored): Held =>
  operand?.space === 'constant' ? held[operand.index] : operand?.space === 'derived' ? element : 'f32'

/** Halves stay halves, and bytes bytes, where nothing but products of such reads them. */
function heldAs(calls: readonly GpuCall[], constants: readonly Section[]): Held[] {
  const otherwise = new Set<number>()
  const narrow = new Set<number>()
  for (const each of calls) {
    const operand = operandOf(each)
    const kind = each.shader.bytes ? 'i8' : 'f16'
    for (const argument of each.call.arguments)
      if (argument.space === 'constant') {
        const { index } = argument
        const isNarrow = argument === operand && constants[index].stored === kind
        ;(isNarrow ? narrow : otherwise).add(index)
      }
  }
  return constants.map(({ stored }, i) => (narrow.has(i) && !otherwise.has(i) ? stored : 'f32'))
}

/** Writes the sections to their banks as they arrive. */
export async function uploadConstants(
  { header, source, length }: CairnFile,
  { slices, scales }: Pick<GpuProgram, 'slices' | 'scales'>,
  banks: Banks,
  buffers: readonly GPUBuffer[],
  queue: GPUQueue
): Promise<void> {
  const spare = new Spare()
  const widener = new Widener(scales)
  for await (const [index, bytes] of arrivals(source, header.constants, () => undefined, spare)) {
    const section = header.constants[index]
    if (digest(bytes) !== section.digest)
      throw new CairnError(`the section at byte ${section.offset} is damaged: its digest does not match`)
    const write = (placed: number, data: Uint8Array<ArrayBuffer>) =>
      banks.places.forEach((places, bank) => {
        const at = places.get(placed)
        if (at !== undefined) queue.writeBuffer(buffers[bank], at, data)
      })
    const own = slices
      .map((slice, i) => ({ ...slice, placed: header.constants.length + i }))
      .filter(s => s.of === index)
    const floats = widener.see(index, section, bytes)
    const data = floats
      ? resident({ ...section, ...scales.get(index)!.packing, stored: 'f32' }, 'f32', floats)
      : resident(section, banks.held[own[0]?.placed ?? index], bytes)
    write(index, data)
    for (const { placed, first, section: part } of own) {
      const width = widthOf(banks.held[placed])
      const from = first * section.rows * width
      write(placed, data.subarray(from, from + roundUp(paddedLength(part) * width)))
    }
    spare.give(bytes)
  }
  await source.end(length)
}

/** Multiplies weights by their scales as both arrive; scales stand before the weights in a file. */
class Widener {
  private readonly known = new Map<number, Float32Array>()
  private readonly wanted: ReadonlySet<number>

  constructor(private readonly scales: Widened['scales']) {
    this.wanted = new Set([...scales.values()].map(({ of }) => of))
  }

  /** Keeps scales; gives the floats, not padded yet, of whole numbers, and nothing of other constants. */
  see(index: number, section: Section, bytes: Uint8Array): Uint8Array | undefined {
    if (this.wanted.has(index)) this.known.set(index, allElements(section, bytes).slice())
    const own = this.scales.get(index)
    if (!own) return undefined
    const { groups, rows, columns, panel } = own.packing
    const factors = this.known.get(own.of)!
    const data = elementsOf('i8', bytes)
    let at = 0
    for (let g = 0; g < groups; g++)
      for (let first = 0; first < columns; first += panel)
        for (let row = 0; row < rows; row++)
          for (let c = first; c < Math.min(first + panel, columns); c++) data[at++] *= factors[g * columns + c]
    return new Uint8Array(data.buffer)
  }
}

/** The bytes of a section as shaders read them: padded, widened where they are not held as they are stored, in whole words. */
function resident(section: Section, held: Held, bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const length = paddedLength(section)
  const isDirect = section.stored === held && bytes.length === length * widthOf(held)
  if (isDirect && bytes.length % 4 === 0) return bytes as Uint8Array<ArrayBuffer>
  const words = new ArrayBuffer(Math.ceil((length * widthOf(held)) / 4) * 4)
  if (held === 'i8') new Uint8Array(words).set(bytes)
  else if (held === 'f16')
    unpackInto(
      new Uint16Array(words, 0, length),
      section,
      new Uint16Array(bytes.buffer, bytes.byteOffset, bytes.length / 2)
    )
  else unpackInto(new Float32Array(words), section, elementsOf(section.stored, bytes))
  return new Uint8Array(words)
}

export function createBuffers(device: GPUDevice, { sizes, derivedBytes }: Banks, calls: number): Buffers {
  const make = (label: string, size: number, flags: number) =>
    device.createBuffer({ label: `cairn ${label}`, size, usage: flags })
  return {
    banks: sizes.map((size, i) => make(`weights ${i}`, size, usage.storage | usage.copyTarget)),
    derived: derivedBytes ? make('derived weights', derivedBytes, usage.storage) : undefined,
    parameters: make('parameters', Math.max(calls, 1) * blockBytes, usage.uniform | usage.copyTarget)
  }
}
