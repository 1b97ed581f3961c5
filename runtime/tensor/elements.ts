import { fromHalves, toHalves } from '../base/index.js'
import { arrays, type Data, Tensor, type Type } from './tensor.js'

/**
 * Between the types of tensors and the arena, which holds floats. Every run goes through here with all its elements, so each
 * conversion is a loop of plain numbers or one of the engine's own; integers of 64 bits are read and written as two words.
 */

const wordSize = 2 ** 32

/** The elements as the arena holds them, in memory of their own. */
export function copyFloats({ data, type }: Pick<Tensor, 'data' | 'type'>): Float32Array<ArrayBuffer> {
  if (type === 'float16') return fromHalves(new Uint16Array(data.buffer, data.byteOffset, data.length))
  if (type === 'int64' || type === 'uint64') return fromLongs(data, type === 'uint64')
  return new Float32Array(data as Float32Array)
}

function fromLongs({ buffer, byteOffset, length }: Data, unsigned: boolean): Float32Array<ArrayBuffer> {
  const words = new (unsigned ? Uint32Array : Int32Array)(buffer as ArrayBuffer, byteOffset, length * 2)
  const floats = new Float32Array(length)
  for (let i = 0; i < length; i++) floats[i] = words[2 * i + 1] * wordSize + (words[2 * i] >>> 0)
  return floats
}

/** What the arena holds as a tensor of `type`, to whose integers floats are cut, and wrap. */
export function fromFloats(type: string, data: Float32Array, dims: readonly number[]): Tensor {
  return new Tensor(type as Type, cut(type as Type, data), dims)
}

function cut(type: Type, data: Float32Array): Data {
  if (type === 'float32') return data
  if (type === 'float16') return toHalves(data)
  return new arrays[type](type.endsWith('int64') ? longs(data) : data)
}

/** Integers of 64 bits, rounded, which wrap; infinities and NaN become the smallest one, as in a C cast on x86. */
function longs(data: Float32Array): ArrayBuffer {
  const words = new Int32Array(data.length * 2)
  for (let i = 0; i < data.length; i++) {
    const whole = Math.round(data[i])
    words[2 * i] = whole
    words[2 * i + 1] = Number.isFinite(whole) ? Math.floor(whole / wordSize) : -(2 ** 31)
  }
  return words.buffer
}
