import { fewRows, gatedGemm, gemm } from '../../../shaders/dense/dense.js'
import { binary } from '../../../shaders/elementwise/elementwise.js'
import { type Argument, type Dim, type Header, resultsOf } from '../../file/index.js'
import type { GpuCall } from './call.js'

/** The product of two numbers (shaders/elementwise/binary.wgsl). */
const times = 2

/** A factor for each channel of one image (squeeze-and-excitation; Hu et al. 2018, arXiv 1709.01507, section 3) and what it multiplies. */
interface Gate {
  readonly x: Argument
  readonly gate: Argument
  readonly y: Argument
}

/**
 * Leaves out calls that multiply all channels of an image by a gate where a matrix product alone reads what they make: it multiplies
 * what it loads, and what they would have read and written once more is not moved. Files with golden data keep them, since
 * each of their layers is to be seen.
 */
export function withGates(header: Header, calls: readonly GpuCall[]): GpuCall[] {
  if (header.golden) return [...calls]
  const results = new Set(resultsOf(header).map(({ storage }) => storage))
  const touches = ({ call }: GpuCall, index: number) =>
    call.arguments.some(argument => argument.space === 'storage' && argument.index === index)
  const writes = ({ call }: GpuCall, index: number) =>
    call.arguments.some(({ space, access, index: own }) => space === 'storage' && access !== 'read' && own === index)
  const gated = new Map<GpuCall, Gate>()
  const kept = calls.filter((call, at) => {
    const found = gateOf(call)
    if (!found || results.has(found.y.index)) return true
    const later = calls.slice(at + 1)
    const readers = later.filter(other => touches(other, found.y.index))
    const [reader] = readers
    if (readers.length !== 1 || !isProductOf(reader, call, found)) return true
    // The reader too: a residual's place is its output's.
    const until = later.slice(0, later.indexOf(reader) + 1)
    if (until.some(other => writes(other, found.x.index) || writes(other, found.gate.index))) return true
    gated.set(reader, found)
    return false
  })
  return kept.map(call => {
    const found = gated.get(call)
    return found ? withGate(call, found) : call
  })
}

const fieldOf = ({ call, fields }: GpuCall, name: string): Dim | undefined => call.parameters[fields.indexOf(name)]

const argumentOf = ({ call, fields, letters }: GpuCall, name: string) =>
  call.arguments[fields.indexOf(`${name}At`) - letters.length]

/** Which operand of a product of two is a gate for the other, if all pixels lie behind one another. */
function gateOf(call: GpuCall): Gate | undefined {
  if (call.shader !== binary || fieldOf(call, 'kind') !== times || fieldOf(call, 'act') !== 0) return undefined
  const are = (name: string, axes: readonly number[], wanted: Dim | undefined) =>
    axes.every(axis => fieldOf(call, `${name}${axis}`) === wanted)
  if (!are('d', [0, 1, 2, 3], 1) || !are('y', [5], 1)) return undefined
  const of = (image: string, gate: string): Gate | undefined => {
    const isGate = are(gate, [0, 1, 2, 3, 4], 0) && are(gate, [5], 1)
    const isImage = are(image, [5], 1) && are(image, [4], fieldOf(call, 'y4'))
    const [x, factor, y] = [image, gate, 'y'].map(name => argumentOf(call, name))
    const inArena = [x, factor, y].every(({ space }) => space === 'storage')
    return isGate && isImage && inArena ? { x, gate: factor, y } : undefined
  }
  return of('a', 'b') ?? of('b', 'a')
}

/** Whether `reader` is a product of more than a few rows, which are all that `call` makes. */
function isProductOf(reader: GpuCall, call: GpuCall, { y }: Gate): boolean {
  if (reader.shader !== gemm) return false
  const x = argumentOf(reader, 'x')
  const rows = fieldOf(reader, 'rows')
  const same = [
    [x.index, y.index],
    [x.offset, y.offset],
    [rows, fieldOf(call, 'd4')],
    [fieldOf(reader, 'inner'), fieldOf(call, 'd5')],
    [fieldOf(reader, 'xRow'), fieldOf(call, 'y4')]
  ]
  const others = reader.call.arguments.filter(argument => argument !== x)
  return (
    same.every(([a, b]) => typeof a === 'number' && a === b) &&
    Number(rows) > fewRows &&
    others.every(({ space, index }) => space !== 'storage' || index !== y.index)
  )
}

function withGate(reader: GpuCall, { x, gate }: Gate): GpuCall {
  const own = argumentOf(reader, 'x')
  const read = reader.call.arguments.map(argument => (argument === own ? x : argument))
  const call = { ...reader.call, arguments: [...read, gate] }
  return { ...reader, call, shader: gatedGemm }
}
