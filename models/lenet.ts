// LeNet. LeCun, Bottou, Bengio and Haffner 1998, "Gradient-based learning applied to document recognition", section
// II.B and fig. 2. As is usual today, C3 is fully connected to S2, the subsampling has no coefficients of its own and a
// softmax stands for the radial basis functions.
import { type BuildOptions, GraphBuilder } from './builder/builder.js'

export function lenet5(options: BuildOptions = {}): Uint8Array {
  const graph = new GraphBuilder('lenet5', options)
  const half = { kernel: 2, stride: 2 }
  return graph.finish(
    graph
      .input([1, 32, 32])
      .conv('c1', 6, { kernel: 5 })
      .tanh()
      .averagePool(half, 's2')
      .conv('c3', 16, { kernel: 5 })
      .tanh()
      .averagePool(half, 's4')
      .conv('c5', 120, { kernel: 5 })
      .tanh()
      .flatten()
      .gemm('f6', 84)
      .tanh()
      .gemm('f7', options.classes ?? 10)
      .softmax()
  )
}

/** The 20-50-500 variant of Caffe's MNIST example with "same" padding, as Keras courses teach it. */
export function lenetCaffe(options: BuildOptions = {}): Uint8Array {
  const graph = new GraphBuilder('lenet-caffe', options)
  const half = { kernel: 2, stride: 2 }
  return graph.finish(
    graph
      .input([1, 28, 28])
      .conv('conv1', 20, { kernel: 5, pad: 2 })
      .relu()
      .maxPool(half, 'pool1')
      .conv('conv2', 50, { kernel: 5, pad: 2 })
      .relu()
      .maxPool(half, 'pool2')
      .flatten()
      .gemm('ip1', 500)
      .relu()
      .gemm('ip2', options.classes ?? 10, 'xavier')
      .softmax()
  )
}
