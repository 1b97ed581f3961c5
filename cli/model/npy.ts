import { Tensor, type Type } from '../../runtime/index.js'
import { InputError } from '../terminal/index.js'

/** NumPy's .npy files: magic, version, a Python dict as text, then the elements. */
const types: Readonly<Record<string, Type>> = {
  '<f4': 'float32',
  '<f8': 'float64',
  '<f2': 'float16',
  '<i8': 'int64',
  '<u8': 'uint64',
  '<i4': 'int32',
  '<u4': 'uint32',
  '<i2': 'int16',
  '<u2': 'uint16',
  '|u1': 'uint8',
  '|i1': 'int8',
  '|b1': 'bool'
}

const magic = '\x93NUMPY'

export function decodeNpy(bytes: Uint8Array, path: string): Tensor {
  const refuse = (what: string) => new InputError(`${path}: ${what}`)
  const latin1 = (from: number, to: number) => Buffer.from(bytes.subarray(from, to)).toString('latin1')
  if (bytes.length < 12 || latin1(0, 6) !== magic) throw refuse('not a .npy file')
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  const wide = bytes[6] > 1
  const begin = wide ? 12 : 10
  const end = begin + (wide ? view.getUint32(8, true) : view.getUint16(8, true))
  const header = latin1(begin, end)
  const descr = /'descr':\s*'([^']*)'/.exec(header)?.[1]
  const dims = /'shape':\s*\(([^)]*)\)/.exec(header)?.[1]
  if (end > bytes.length || descr === undefined || dims === undefined) throw refuse('damaged .npy header')
  const type = types[descr]
  if (!type) throw refuse(`elements of type ${descr}; ${Object.keys(types).join(', ')} are allowed`)
  const shape = dims
    .split(',')
    .filter(part => part.trim())
    .map(Number)
  if (/'fortran_order':\s*True/.test(header) && shape.length > 1)
    throw refuse('the array is in Fortran order; C order is allowed (numpy.ascontiguousarray)')
  const elements = shape.reduce((a, b) => a * b, 1)
  const empty = new Tensor(type, [], [0]).data
  if (bytes.length - end !== elements * empty.BYTES_PER_ELEMENT)
    throw refuse(
      `${bytes.length - end} bytes of elements where [${shape.join(', ')}] ${type} needs ${elements * empty.BYTES_PER_ELEMENT}`
    )
  const aligned = bytes.slice(end).buffer
  const Elements = empty.constructor as new (buffer: ArrayBuffer) => typeof empty
  return new Tensor(type, new Elements(aligned), shape)
}

export function encodeNpy(tensor: Tensor): Uint8Array {
  const descr = Object.keys(types).find(key => types[key] === tensor.type)
  const shape = tensor.dims.length === 1 ? `${tensor.dims[0]},` : tensor.dims.join(', ')
  const dict = `{'descr': '${descr}', 'fortran_order': False, 'shape': (${shape}), }`
  const padded = `${dict.padEnd(Math.ceil((dict.length + 11) / 64) * 64 - 11)}\n`
  const { buffer, byteOffset, byteLength } = tensor.data
  const head = Buffer.from(`${magic}\x01\x00`, 'latin1')
  const length = Buffer.from([padded.length & 255, padded.length >> 8])
  return Buffer.concat([head, length, Buffer.from(padded, 'latin1'), new Uint8Array(buffer, byteOffset, byteLength)])
}
