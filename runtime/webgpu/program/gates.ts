import { fewRows, gatedGemm, gemm, rectifiedGemm } from '../../../shaders/dense/dense.js'
import type { Shader } from '../../../shaders/dispatch.js'
import { binary } from '../../../shaders/elementwise/elementwise.js'
import { scaleShift } from '../../../shaders/norm/normalize.js'
import { type Argument, type Dim, evaluate, type Header, resultsOf } from '../../file/index.js'
import type { GpuCall } from './call.js'

/** The product of two numbers (shaders/elementwise/binary.wgsl), and the activation that cuts to a range. */
const times = 2
const clip = 1

/** What every element of an image goes through by its channel. */
interface Gate {
  readonly x: Argument
  /** A factor for each channel, and what is added to the product. */
  readonly factors: readonly Argument[]
  readonly y: Argument
  /** Pixels, how far they are apart in `x` and in `y`, and their channels. */
  readonly rows: Dim | undefined
  readonly from: Dim | undefined
  readonly to: Dim | undefined
  readonly channels: Dim | undefined
  /** A matrix product of what comes of it. */
  readonly shader: Shader
}

/**
 * Leaves out calls that multiply all channels of an image by a gate (squeeze-and-excitation; Hu et al. 2018, arXiv 1709.01507,
 * section 3) or normalise and rectify them (in front of a convolution; Huang et al. 2017, arXiv 1608.06993, section 3)
 * where a matrix product alone reads what they make: it does that to what it loads, and what they would have read and written once
 * more is not moved. Files with golden data keep them, since each of their layers is to be seen.
 */
export function withGates(header: Header, calls: readonly GpuCall[]): GpuCall[] {
  if (header.golden) return [...calls]
  const results = new Set(resultsOf(header).map(({ storage }) => storage))
  const smallest = Object.fromEntries(header.free.map(name => [name, 1]))
  const touches = ({ call }: GpuCall, index: number) =>
    call.arguments.some(argument => argument.space === 'storage' && argument.index === index)
  const writes = ({ call }: GpuCall, index: number) =>
    call.arguments.some(({ space, access, index: own }) => space === 'storage' && access !== 'read' && own === index)
  const gated = new Map<GpuCall, Gate>()
  const kept = calls.filter((call, at) => {
    const found = gateOf(call) ?? normOf(call)
    if (!found || results.has(found.y.index)) return true
    const later = calls.slice(at + 1)
    const readers = later.filter(other => touches(other, found.y.index))
    const [reader] = readers
    if (readers.length !== 1 || !isProductOf(reader, found)) return true
    if (evaluate(found.rows!, smallest) <= fewRows) return true
    // The reader too: a residual's place is its output's.
    const until = later.slice(0, later.indexOf(reader) + 1)
    const read = [found.x, ...found.factors].filter(({ space }) => space === 'storage')
    if (until.some(other => read.some(({ index }) => writes(other, index)))) return true
    gated.set(reader, found)
    return false
  })
  return kept.map(call => {
    const found = gated.get(call)
    return found ? withGate(call, found) : call
  })
}

const fieldOf = ({ call, fields }: GpuCall, name: string): Dim | undefined => call.parameters[fields.indexOf(name)]

const areAll = (call: GpuCall, name: string, axes: readonly number[], wanted: Dim | undefined) =>
  axes.every(axis => fieldOf(call, `${name}${axis}`) === wanted)

const argumentOf = ({ call, fields, letters }: GpuCall, name: string) =>
  call.arguments[fields.indexOf(`${name}At`) - letters.length]

/** Which operand of a product of two is a gate for the other, if all pixels lie behind one another. */
function gateOf(call: GpuCall): Gate | undefined {
  if (call.shader !== binary || fieldOf(call, 'kind') !== times || fieldOf(call, 'act') !== 0) return undefined
  if (!areAll(call, 'd', [0, 1, 2, 3], 1) || !areAll(call, 'y', [5], 1)) return undefined
  const [rows, channels, to] = ['d4', 'd5', 'y4'].map(name => fieldOf(call, name))
  const of = (image: string, gate: string): Gate | undefined => {
    const isGate = areAll(call, gate, [0, 1, 2, 3, 4], 0) && areAll(call, gate, [5], 1)
    const [x, factor, y] = [image, gate, 'y'].map(name => argumentOf(call, name))
    const inArena = [x, factor, y].every(({ space }) => space === 'storage')
    if (!isGate || !inArena || !areAll(call, image, [5], 1)) return undefined
    return { x, factors: [factor], y, rows, from: fieldOf(call, `${image}4`), to, channels, shader: gatedGemm }
  }
  return of('a', 'b') ?? of('b', 'a')
}

/** A product and a sum with constants of each channel, and of these what is above 0: what of it is not, convolutions take up. */
function normOf(call: GpuCall): Gate | undefined {
  if (call.shader !== scaleShift || !areAll(call, 'k', [0, 1, 2], 1)) return undefined
  const [act, alpha, beta] = ['act', 'alpha', 'beta'].map(name => fieldOf(call, name))
  if (act !== clip || alpha !== 0 || beta !== Number.POSITIVE_INFINITY) return undefined
  const [x, scale, shift, y] = ['x', 'scale', 'shift', 'y'].map(name => argumentOf(call, name))
  const factors = [scale, shift]
  if (factors.some(({ space, offset }) => space !== 'constant' || offset !== 0)) return undefined
  if (x.space !== 'storage' || y.space !== 'storage') return undefined
  const [rows, from, to, channels] = ['k3', 'x3', 'y3', 'channels'].map(name => fieldOf(call, name))
  return { x, factors, y, rows, from, to, channels, shader: rectifiedGemm }
}

/** Whether `reader` is a product of just the rows that a gate's call makes. */
function isProductOf(reader: GpuCall, { y, rows, to, channels }: Gate): boolean {
  if (reader.shader !== gemm) return false
  const x = argumentOf(reader, 'x')
  const same = [
    [x.index, y.index],
    [x.offset, y.offset],
    [fieldOf(reader, 'rows'), rows],
    [fieldOf(reader, 'inner'), channels],
    [fieldOf(reader, 'xRow'), to]
  ]
  const others = reader.call.arguments.filter(argument => argument !== x)
  return (
    same.every(([a, b]) => a !== undefined && JSON.stringify(a) === JSON.stringify(b)) &&
    others.every(({ space, index }) => space !== 'storage' || index !== y.index)
  )
}

function withGate(reader: GpuCall, { x, factors, from, shader }: Gate): GpuCall {
  const own = argumentOf(reader, 'x')
  const read = reader.call.arguments.map(argument => (argument === own ? x : argument))
  const parameters = reader.call.parameters.map((parameter, i) => (reader.fields[i] === 'xRow' ? from! : parameter))
  return { ...reader, call: { ...reader.call, parameters, arguments: [...read, ...factors] }, shader }
}
