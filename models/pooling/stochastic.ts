// Stochastic pooling. Zeiler and Fergus 2013, "Stochastic pooling for regularization of deep convolutional neural networks",
// section 4.1: three layers of 64 5x5 filters, each pooled 3x3 by steps of 2, without the response normalisation.
import { type BuildOptions, GraphBuilder } from '../builder/builder.js'
import { stochasticPool } from '../builder/contrast.js'

export function stochasticCifar(options: BuildOptions = {}): Uint8Array {
  const graph = new GraphBuilder('stochastic-cifar', options)
  let x = graph.input([3, 32, 32])
  for (const i of [1, 2, 3]) {
    const y = x.conv(`conv${i}`, 64, { kernel: 5, pad: 2 }).relu()
    x = stochasticPool(y, { kernel: 3, stride: 2 }, `pool${i}`)
  }
  return graph.finish(
    x
      .flatten()
      .gemm('fc', options.classes ?? 10, 'xavier')
      .softmax()
  )
}
