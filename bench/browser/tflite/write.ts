// A .tflite file: TensorFlow Lite's schema.fbs (version 3), of which only the tables and fields that convert.ts fills stand here.
import { Builder, type Offset } from 'flatbuffers'

/** Element types by the schema's numbers. */
export const types = { float32: 0, int32: 2, int8: 9 } as const
export type Type = keyof typeof types

export interface Quantisation {
  readonly scale: readonly number[]
  readonly zero: readonly number[]
  /** The axis that several scales belong to. */
  readonly axis?: number
}

export interface TensorSpec {
  readonly name: string
  readonly shape: readonly number[]
  readonly type: Type
  readonly data?: Float32Array | Int32Array | Int8Array
  readonly quantisation?: Quantisation
}

/** An option by its place in the operator's table of options. */
export type Field = readonly [place: number, kind: 'int8' | 'int32' | 'float32' | 'bool', value: number]

/** The schema's number of an operator, the number of its table of options in the union, and its version for int8. */
export interface OperatorKind {
  readonly code: number
  readonly options: number
  readonly version?: number
}

export interface OperatorSpec {
  readonly kind: OperatorKind
  readonly inputs: readonly number[]
  readonly outputs: readonly number[]
  readonly fields: readonly Field[]
}

export interface FileSpec {
  readonly tensors: readonly TensorSpec[]
  readonly operators: readonly OperatorSpec[]
  readonly inputs: readonly number[]
  readonly outputs: readonly number[]
}

/** The bytes of a file with one graph. */
export function write({ tensors, operators, inputs, outputs }: FileSpec): Uint8Array {
  const size = tensors.reduce((sum, { data }) => sum + (data?.byteLength ?? 0) + 256, 1 << 16)
  const to = new Builder(size)
  // Buffer 0 is the empty one of tensors without data.
  const held = tensors.filter(({ data }) => data)
  const buffers = [undefined, ...held.map(({ data }) => data)].map(data => bufferOf(to, data))
  const tensorOffsets = tensors.map(tensor => tensorOf(to, tensor, held.indexOf(tensor) + 1))
  const kinds = [...new Set(operators.map(({ kind }) => kind))]
  const codes = kinds.map(({ code, version = 1 }) =>
    table(to, 4, () => {
      to.addFieldInt8(0, Math.min(code, 127), 0)
      to.addFieldInt32(2, version, 1)
      to.addFieldInt32(3, code, 0)
    })
  )
  const operatorOffsets = operators.map(operator => operatorOf(to, operator, kinds.indexOf(operator.kind)))
  const graph = [
    offsets(to, tensorOffsets),
    ints(to, inputs),
    ints(to, outputs),
    offsets(to, operatorOffsets),
    to.createString('main')
  ]
  const subgraph = table(to, 5, () => {
    for (const [place, offset] of graph.entries()) to.addFieldOffset(place, offset, 0)
  })
  const lists = [offsets(to, codes), offsets(to, [subgraph]), to.createString('Cairn bench'), offsets(to, buffers)]
  const model = table(to, 8, () => {
    to.addFieldInt32(0, 3, 0)
    for (const [i, offset] of lists.entries()) to.addFieldOffset(i + 1, offset, 0)
  })
  to.finish(model, 'TFL3')
  return to.asUint8Array().slice()
}

function table(to: Builder, fields: number, fill: () => void): Offset {
  to.startObject(fields)
  fill()
  return to.endObject()
}

function bufferOf(to: Builder, data: TensorSpec['data']): Offset {
  if (!data) return table(to, 3, () => {})
  const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
  to.prep(16, bytes.length)
  const vector = to.createByteVector(bytes)
  return table(to, 3, () => to.addFieldOffset(0, vector, 0))
}

function tensorOf(to: Builder, { name, shape, type, data, quantisation }: TensorSpec, buffer: number): Offset {
  const [title, dims] = [to.createString(name), ints(to, shape)]
  const scales = quantisation && quantisationOf(to, quantisation)
  return table(to, 10, () => {
    to.addFieldOffset(0, dims, 0)
    to.addFieldInt8(1, types[type], 0)
    to.addFieldInt32(2, data ? buffer : 0, 0)
    to.addFieldOffset(3, title, 0)
    if (scales) to.addFieldOffset(4, scales, 0)
    to.addFieldInt8(8, 1, 0)
  })
}

function quantisationOf(to: Builder, { scale, zero, axis = 0 }: Quantisation): Offset {
  const scales = vector(to, 4, scale, value => to.addFloat32(value))
  const zeros = vector(to, 8, zero, value => to.addInt64(BigInt(value)))
  return table(to, 7, () => {
    to.addFieldOffset(2, scales, 0)
    to.addFieldOffset(3, zeros, 0)
    to.addFieldInt32(6, axis, 0)
  })
}

function operatorOf(to: Builder, { kind, inputs, outputs, fields }: OperatorSpec, index: number): Offset {
  const lists = [ints(to, inputs), ints(to, outputs)]
  const places = fields.reduce((most, [place]) => Math.max(most, place + 1), 0)
  const options = table(to, places, () => {
    for (const [place, type, value] of fields)
      if (type === 'float32') to.addFieldFloat32(place, value, 0)
      else if (type === 'int32') to.addFieldInt32(place, value, 0)
      else to.addFieldInt8(place, value, 0)
  })
  return table(to, 5, () => {
    to.addFieldInt32(0, index, 0)
    for (const [i, list] of lists.entries()) to.addFieldOffset(i + 1, list, 0)
    to.addFieldInt8(3, kind.options, 0)
    to.addFieldOffset(4, options, 0)
  })
}

/** Vectors are written from their end. */
function vector(to: Builder, bytes: number, values: readonly number[], add: (value: number) => void): Offset {
  to.startVector(bytes, values.length, bytes)
  for (const value of [...values].reverse()) add(value)
  return to.endVector()
}

const ints = (to: Builder, values: readonly number[]) => vector(to, 4, values, value => to.addInt32(value))
const offsets = (to: Builder, values: readonly Offset[]) => vector(to, 4, values, value => to.addOffset(value))
