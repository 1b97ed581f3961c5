import { halfBits } from '../../cli/model/index.js'
import onnxProto from '../../schema/onnx.js'

const { ModelProto, TensorProto } = onnxProto.onnx
const { FLOAT, FLOAT16 } = TensorProto.DataType

/** A network of the zoo in half precision: inputs, outputs and weights; all its floats are initializers. */
export function halfModel(bytes: Uint8Array): Uint8Array {
  const model = ModelProto.decode(bytes)
  const { input, output, node, initializer } = model.graph!
  for (const { type } of [...input!, ...output!])
    if (type?.tensorType?.elemType === FLOAT) type.tensorType.elemType = FLOAT16
  // The scales of a Resize are single precision in every model.
  const scales = new Set(node!.filter(({ opType }) => opType === 'Resize').flatMap(({ input }) => input!.slice(1)))
  for (const tensor of initializer!) {
    if (tensor.dataType !== FLOAT || scales.has(tensor.name!)) continue
    const data = new Uint8Array(tensor.rawData!)
    tensor.dataType = FLOAT16
    tensor.rawData = new Uint8Array(halfBits(new Float32Array(data.buffer, data.byteOffset, data.length / 4)).buffer)
  }
  return ModelProto.encode(model).finish()
}
