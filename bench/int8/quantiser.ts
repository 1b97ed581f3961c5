import ort from 'onnxruntime-node'
import type { Tensor } from '../../runtime/index.js'
import onnxProto from '../../schema/onnx.js'
import { quantizedModel } from './qdq.js'

const { ModelProto } = onnxProto.onnx

/** Who quantises, as the table of accuracies names it. */
export const quantiser =
  'a stand-in for the quantiser of Cairn, `bench/int8/qdq.ts`: everything in int8, ranges from the smallest to the largest value, weights with a scale for each filter'

/** The model in QDQ form, calibrated on `feeds`. */
export function quantised(model: Uint8Array, feeds: readonly Record<string, Tensor>[]): Promise<Uint8Array> {
  const given = feeds.map(feed =>
    Object.fromEntries(
      Object.entries(feed).map(([name, { data, dims }]) => [
        name,
        new ort.Tensor('float32', data as Float32Array, dims)
      ])
    )
  )
  return quantizedModel(readable(model), given, { activations: 'uint8', perChannel: true })
}

/**
 * As the stand-in reads models: weights that Constant nodes hold, as Paddle exports them, become initializers, and of the outputs
 * that `cairn train` writes the probabilities remain, because nothing may read what is an output.
 */
function readable(model: Uint8Array): Uint8Array {
  const proto = ModelProto.decode(model)
  const graph = proto.graph!
  const isTensor = ({ opType, attribute }: (typeof graph.node & object)[number]) =>
    opType === 'Constant' && attribute?.[0].t
  graph.initializer!.push(
    ...graph.node!.filter(isTensor).map(({ output, attribute }) => ({ ...attribute![0].t!, name: output![0] }))
  )
  graph.node = graph.node!.filter(node => !isTensor(node))
  graph.output = graph.output!.slice(0, 1)
  return ModelProto.encode(proto).finish()
}
