import onnxProto from '../../schema/onnx.js'
import { CompileError } from '../errors.js'
import { decodePlainModel } from './read.js'
import { dtypeNames } from './tensor-proto.js'

const { onnx } = onnxProto

/** Elements of an input, in C order. */
export interface FixedInput {
  /** Element type. */
  readonly dtype: string
  /** Sizes of the axes. */
  readonly dims: readonly number[]
  /** The array that holds elements of the type. */
  readonly data: ArrayBufferView
}

/** ONNX bytes of the same model in which inputs have become constants. */
export function fixInputs(bytes: Uint8Array, values: Readonly<Record<string, FixedInput>>): Uint8Array {
  const model = decodePlainModel(bytes)
  const graph = model.graph!
  graph.input = graph.input?.filter(({ name }) => !Object.hasOwn(values, name!))
  graph.initializer ??= []
  for (const [name, { dtype, dims, data }] of Object.entries(values)) {
    const type = Object.keys(dtypeNames).find(key => dtypeNames[Number(key)] === dtype)
    if (!type) throw new CompileError(`input "${name}" has element type ${dtype}, which is not supported`)
    const rawData = new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
    graph.initializer.push(onnx.TensorProto.create({ name, dataType: Number(type), dims: [...dims], rawData }))
  }
  return onnx.ModelProto.encode(model).finish()
}
