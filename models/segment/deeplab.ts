// DeepLab v3 over ResNet-50. Chen, Papandreou, Schroff and Adam 2017, "Rethinking atrous convolution for semantic image
// segmentation", section 3 and fig. 5: output stride 16, multi-grid (1, 2, 4) in the last stage, atrous spatial pyramid
// pooling with rates 6, 12 and 18 and image-level features; with the further 3x3 layer of the usual implementations
// before the classifier.
import { type BuildOptions, GraphBuilder } from '../builder/builder.js'
import type { Tensor } from '../builder/tensor.js'
import { resnetFeatures } from '../resnet.js'

/** Atrous spatial pyramid pooling. */
function pyramid(x: Tensor): Tensor {
  const [, height, width] = x.shape
  const atrous = [6, 12, 18].map(rate =>
    x.convNorm(`aspp.rate${rate}`, 256, { kernel: 3, pad: rate, dilation: rate }).relu()
  )
  const image = x.globalAveragePool('aspp.image.pool').convNorm('aspp.image', 256, { kernel: 1 }).relu()
  return x
    .convNorm('aspp.1x1', 256, { kernel: 1 })
    .relu()
    .concat([...atrous, image.resize([height, width], 'aspp.image.resize')], 'aspp.concat')
    .convNorm('aspp.project', 256, { kernel: 1 })
    .relu()
    .dropout(0.5)
}

export function deeplab(options: BuildOptions = {}): Uint8Array {
  const graph = new GraphBuilder('deeplab', options)
  const dilations = [2, 4, 8]
  let x = resnetFeatures(graph.input([3, 224, 224]), { layers: [3, 4, 6, 3], block: 'bottleneck', dilations })
  x = pyramid(x).convNorm('head', 256, { kernel: 3, pad: 1 }).relu()
  x = x.conv('classifier', options.classes ?? 21, { kernel: 1, init: 'xavier' })
  return graph.finish(x.resize(16, 'upsample'))
}
