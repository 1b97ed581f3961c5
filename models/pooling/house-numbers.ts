// A network for house numbers. Sermanet, Chintala and LeCun 2012, "Convolutional neural networks applied to house numbers
// digit classification", section 3: two stages of convolution, L2 pooling and contrast normalisation, of which the classifier
// reads both, the first one pooled once more.
import { type BuildOptions, GraphBuilder } from '../builder/builder.js'
import { contrastNorm } from '../builder/contrast.js'

export function houseNumbers(options: BuildOptions = {}): Uint8Array {
  const graph = new GraphBuilder('house-numbers', options)
  const half = { kernel: 2, stride: 2 }
  const input = contrastNorm(graph.input([3, 32, 32]), 'contrast')
  const first = contrastNorm(input.conv('conv1', 16, { kernel: 5 }).tanh().l2Pool(half, 'pool1'), 'contrast1')
  const second = contrastNorm(first.conv('conv2', 512, { kernel: 7 }).tanh().l2Pool(half, 'pool2'), 'contrast2')
  const features = second.flatten().concat([first.l2Pool(half, 'pool1b').flatten()], 'features')
  return graph.finish(
    features
      .gemm('hidden', 20, 'xavier')
      .tanh()
      .gemm('classes', options.classes ?? 10, 'xavier')
      .softmax()
  )
}
