import { fromHalves, halfToFloat } from '../../runtime/base/index.js'
import type onnxProto from '../../schema/onnx.js'
import { CompileError } from '../errors.js'
import type { DType, Elements } from '../graph/index.js'

export const dtypeNames: Readonly<Record<number, DType>> = {
  1: 'float32',
  2: 'uint8',
  3: 'int8',
  4: 'uint16',
  5: 'int16',
  6: 'int32',
  7: 'int64',
  9: 'bool',
  10: 'float16',
  11: 'float64',
  12: 'uint32',
  13: 'uint64'
}

/**
 * The elements of a TensorProto in any of its encodings: raw little-endian bytes, or the typed field of its element
 * type. Floating point becomes Float32Array (float64 stays double), integers and booleans Float64Array, in which
 * every integer up to 2^53 is exact.
 */
export function decodeElements(
  tensor: onnxProto.onnx.ITensorProto,
  raw: Uint8Array | undefined,
  count: number,
  subject: string
): Elements {
  const elements = raw ? decodeRaw(tensor.dataType!, raw, count, subject) : decodeTyped(tensor)
  if (elements.length !== count)
    throw new CompileError(`${subject} holds ${elements.length} elements where its dimensions ask for ${count}`)
  return elements
}

const widths: Readonly<Record<number, number>> = {
  1: 4,
  2: 1,
  3: 1,
  4: 2,
  5: 2,
  6: 4,
  7: 8,
  9: 1,
  10: 2,
  11: 8,
  12: 4,
  13: 8,
  16: 2
}

function decodeRaw(type: number, raw: Uint8Array, count: number, subject: string): Elements {
  const width = widths[type]
  if (raw.length !== count * width)
    throw new CompileError(`${subject} holds ${raw.length} bytes where its dimensions ask for ${count * width}`)
  const bytes = raw.byteOffset % width ? new Uint8Array(raw) : raw
  const at = [bytes.buffer as ArrayBuffer, bytes.byteOffset, count] as const
  switch (type) {
    case 1:
      return new Float32Array(...at)
    case 2:
    case 9:
      return Float64Array.from(bytes)
    case 3:
      return Float64Array.from(new Int8Array(...at))
    case 4:
      return Float64Array.from(new Uint16Array(...at))
    case 5:
      return Float64Array.from(new Int16Array(...at))
    case 6:
      return Float64Array.from(new Int32Array(...at))
    case 7:
      return Float64Array.from(new BigInt64Array(...at), Number)
    case 12:
      return Float64Array.from(new Uint32Array(...at))
    case 13:
      return Float64Array.from(new BigUint64Array(...at), Number)
    case 10:
      return fromHalves(new Uint16Array(...at))
    case 16:
      return new Float32Array(Uint32Array.from(new Uint16Array(...at), bits => bits << 16).buffer)
    default:
      return new Float64Array(...at)
  }
}

function decodeTyped(tensor: onnxProto.onnx.ITensorProto): Elements {
  switch (tensor.dataType) {
    case 1:
      return Float32Array.from(tensor.floatData ?? [])
    case 7:
      return Float64Array.from(tensor.int64Data ?? [], Number)
    case 10:
      return Float32Array.from(tensor.int32Data ?? [], halfToFloat)
    case 11:
      return Float64Array.from(tensor.doubleData ?? [])
    case 12:
    case 13:
      return Float64Array.from(tensor.uint64Data ?? [], Number)
    case 16:
      return new Float32Array(Uint32Array.from(tensor.int32Data ?? [], bits => bits << 16).buffer)
    default:
      return Float64Array.from(tensor.int32Data ?? [])
  }
}
