import type { Type } from '../../../runtime/index.js'
import { bytesEach, type Datatype, typeOf } from './datatypes.js'
import { invalid } from './errors.js'
import { Pieces } from './pieces.js'

/** A tensor as it travels: little-endian bytes in C order. */
export interface Wire {
  readonly type: Type
  readonly dims: readonly number[]
  readonly bytes: Uint8Array
}

/** One that has come. */
export interface Given extends Omit<Wire, 'bytes'> {
  readonly pieces: Pieces
}

/** An inference as both protocols ask for it. */
export interface Inference {
  readonly id: string | undefined
  readonly inputs: Readonly<Record<string, Given>>
  /** Names of the wanted outputs; all where none is named. */
  readonly outputs: readonly string[] | undefined
  /** Milliseconds that the client waits. */
  readonly timeout: number | undefined
}

/** Typed arrays are in the machine's own order, which is little-endian wherever Node runs the CPU path. */
const arrays = {
  BOOL: Uint8Array,
  UINT8: Uint8Array,
  UINT16: Uint16Array,
  UINT32: Uint32Array,
  UINT64: BigUint64Array,
  INT8: Int8Array,
  INT16: Int16Array,
  INT32: Int32Array,
  INT64: BigInt64Array,
  FP16: Uint16Array,
  FP32: Float32Array,
  FP64: Float64Array
} as const satisfies Record<Datatype, unknown>

const ranges: Readonly<Partial<Record<Datatype, readonly [number, number]>>> = {
  UINT8: [0, 2 ** 8 - 1],
  UINT16: [0, 2 ** 16 - 1],
  UINT32: [0, 2 ** 32 - 1],
  UINT64: [0, Number.MAX_SAFE_INTEGER],
  INT8: [-(2 ** 7), 2 ** 7 - 1],
  INT16: [-(2 ** 15), 2 ** 15 - 1],
  INT32: [-(2 ** 31), 2 ** 31 - 1],
  INT64: [Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER]
}

/** No tensor of the protocol has more axes. */
const mostAxes = 32

export function readShape(shape: unknown, of: string): number[] {
  const fits = (size: unknown) => typeof size === 'number' && Number.isSafeInteger(size) && size >= 0
  if (!Array.isArray(shape) || shape.length > mostAxes || !shape.every(fits))
    throw invalid(`${of} has shape ${short(shape)}; a list of up to ${mostAxes} whole numbers from 0 is allowed`)
  return shape
}

export const short = (value: unknown) => (JSON.stringify(value) ?? 'none').slice(0, 80)

const countOf = (dims: readonly number[]) => dims.reduce((a, b) => a * b, 1)

/** Bytes that are elements already; refuses others than the shape has. */
export function fromBytes(pieces: Pieces, datatype: Datatype, dims: readonly number[], of: string): Given {
  const wanted = countOf(dims) * bytesEach(datatype)
  if (pieces.length !== wanted)
    throw invalid(`${of} has ${pieces.length} bytes of data; ${datatype} of shape [${dims}] has ${wanted}`)
  if (datatype === 'BOOL' && pieces.some(byte => byte > 1)) throw invalid(`${of} has a BOOL that is neither 0 nor 1`)
  return { type: typeOf(datatype), dims, pieces }
}

/** JSON's numbers and booleans, flat or nested, as bytes. */
export function fromJson(data: unknown, datatype: Datatype, dims: readonly number[], of: string): Given {
  if (datatype === 'FP16') throw invalid(`${of}: FP16 has no form in JSON; send it as binary data`)
  if (!Array.isArray(data)) throw invalid(`${of} has no data; a list of numbers, or binary_data_size, is needed`)
  const count = countOf(dims)
  // No more than this is ever made, whatever the shape claims.
  const elements = flat(data, count, of)
  if (elements.length !== count) throw invalid(`${of} has ${elements.length} elements; shape [${dims}] has ${count}`)
  const array = new arrays[datatype](count)
  elements.forEach((element, i) => {
    array[i] = elementOf(element, datatype, of) as never
  })
  return { type: typeOf(datatype), dims, pieces: new Pieces([new Uint8Array(array.buffer)]) }
}

function flat(data: readonly unknown[], most: number, of: string): unknown[] {
  if (!data.some(Array.isArray)) return data as unknown[]
  const elements: unknown[] = []
  const visit = (list: readonly unknown[], depth: number) => {
    if (depth > mostAxes) throw invalid(`${of} has data nested deeper than ${mostAxes}`)
    for (const each of list) {
      if (Array.isArray(each)) visit(each, depth + 1)
      else elements.push(each)
      if (elements.length > most) throw invalid(`${of} has more elements than its shape`)
    }
  }
  visit(data, 1)
  return elements
}

function elementOf(element: unknown, datatype: Datatype, of: string): number | bigint {
  if (datatype === 'BOOL') {
    if (element === true || element === 1) return 1
    if (element === false || element === 0) return 0
  } else if (typeof element === 'number') {
    const range = ranges[datatype]
    if (!range) return element
    if (Number.isInteger(element) && element >= range[0] && element <= range[1])
      return datatype === 'INT64' || datatype === 'UINT64' ? BigInt(element) : element
  }
  throw invalid(`${of}: ${short(element)} is no ${datatype}`)
}

/** As elements that JSON can hold. Integers beyond 2⁵³ lose digits in most readers of JSON, and are refused. */
export function toJson({ bytes }: Wire, datatype: Datatype, of: string): (number | boolean)[] {
  const asked = `ask for binary_data of ${of}`
  if (datatype === 'FP16') throw invalid(`FP16 has no form in JSON; ${asked}`)
  const array = elementsOf(bytes, datatype)
  if (datatype === 'BOOL') return Array.from(array as Uint8Array, Boolean)
  const list = Array.from(array as Float32Array, Number)
  const held = datatype === 'INT64' || datatype === 'UINT64' ? Number.isSafeInteger : Number.isFinite
  const wrong = list.find(element => !held(element))
  if (wrong !== undefined) throw invalid(`JSON cannot hold ${wrong}; ${asked}`)
  return list
}

/** A typed array over the bytes, copied where they are not aligned. */
export function elementsOf(bytes: Uint8Array, datatype: Datatype): InstanceType<(typeof arrays)[Datatype]> {
  const aligned = bytes.byteOffset % bytesEach(datatype) === 0 ? bytes : bytes.slice()
  return new arrays[datatype](aligned.buffer as ArrayBuffer, aligned.byteOffset, bytes.length / bytesEach(datatype))
}
