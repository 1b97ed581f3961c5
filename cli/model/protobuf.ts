import { decodeElements, decodePlainModel, dtypeNames } from '../../compiler/onnx/index.js'
import { Tensor } from '../../runtime/index.js'
import onnxProto from '../../schema/onnx.js'
import { InputError } from '../terminal/index.js'

/** The CLI's own dealings with ONNX's encoding: tensors in .pb files, and models that show their inner values. */
const { onnx } = onnxProto

export function decodeTensorFile(bytes: Uint8Array, path: string): Tensor {
  let proto: onnxProto.onnx.TensorProto
  try {
    proto = onnx.TensorProto.decode(bytes)
  } catch (error) {
    throw new InputError(`${path}: not a TensorProto, or a truncated one (${(error as Error).message})`)
  }
  const type = dtypeNames[proto.dataType ?? 0]
  if (!type) throw new InputError(`${path}: no TensorProto of a supported element type (found type ${proto.dataType})`)
  const dims = proto.dims.map(Number)
  const count = dims.reduce((a, b) => a * b, 1)
  const raw = proto.rawData?.length ? proto.rawData : undefined
  const elements = Array.from(decodeElements(proto, raw, count, `${path}: tensor "${proto.name}"`))
  return new Tensor(type, type.endsWith('int64') ? elements.map(BigInt) : elements, dims)
}

/** The model with the values in `names` as further outputs, and its external data taken in. */
export function exposeValues(
  bytes: Uint8Array,
  names: readonly string[],
  external: (location: string) => Uint8Array
): Uint8Array {
  const model = decodePlainModel(bytes)
  const graph = model.graph!
  const known = new Set(graph.output!.map(output => output.name))
  for (const name of names) if (!known.has(name)) graph.output!.push({ name })
  for (const tensor of graph.initializer ?? []) {
    if (tensor.dataLocation !== onnx.TensorProto.DataLocation.EXTERNAL) continue
    const { location, offset, length } = Object.fromEntries(tensor.externalData!.map(entry => [entry.key, entry.value]))
    const start = Number(offset ?? 0)
    tensor.rawData = external(location!).slice(start, length === undefined ? undefined : start + Number(length))
    tensor.dataLocation = onnx.TensorProto.DataLocation.DEFAULT
    tensor.externalData = []
  }
  return onnx.ModelProto.encode(model).finish()
}
