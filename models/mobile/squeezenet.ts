// SqueezeNet 1.1. Iandola et al. 2016, "SqueezeNet: AlexNet-level accuracy with 50x fewer parameters", table 1 and
// fig. 1, with the authors' later placing of the pools and a 3x3 first layer of 64 channels.
import { type BuildOptions, GraphBuilder } from '../builder/builder.js'
import type { Tensor } from '../builder/tensor.js'

function fire(x: Tensor, name: string, squeeze: number, expand: number): Tensor {
  const y = x.conv(`${name}.squeeze1x1`, squeeze, { kernel: 1 }).relu()
  const one = y.conv(`${name}.expand1x1`, expand, { kernel: 1 }).relu()
  return one.concat([y.conv(`${name}.expand3x3`, expand, { kernel: 3, pad: 1 }).relu()], `${name}.concat`)
}

export function squeezenet(options: BuildOptions = {}): Uint8Array {
  const graph = new GraphBuilder('squeezenet1.1', options)
  const pool = { kernel: 3, stride: 2, ceil: true }
  let x = graph.input([3, 224, 224])
  x = x.conv('conv1', 64, { kernel: 3, stride: 2 }).relu().maxPool(pool, 'pool1')
  x = fire(x, 'fire2', 16, 64)
  x = fire(x, 'fire3', 16, 64).maxPool(pool, 'pool3')
  x = fire(x, 'fire4', 32, 128)
  x = fire(x, 'fire5', 32, 128).maxPool(pool, 'pool5')
  x = fire(x, 'fire6', 48, 192)
  x = fire(x, 'fire7', 48, 192)
  x = fire(x, 'fire8', 64, 256)
  x = fire(x, 'fire9', 64, 256).dropout(0.5)
  x = x.conv('conv10', options.classes ?? 1000, { kernel: 1 }).relu()
  return graph.finish(x.globalAveragePool('pool10').flatten().softmax())
}
