// ZFNet. Zeiler and Fergus 2014, "Visualizing and understanding convolutional networks", fig. 3: AlexNet with a 7x7/2
// first and a stride-2 second layer. The pooling rounds up, which gives the figure's sizes 110, 55, 26, 13 and 6.
import { type BuildOptions, GraphBuilder } from './builder/builder.js'

export function zfnet(options: BuildOptions = {}): Uint8Array {
  const graph = new GraphBuilder('zfnet', options)
  const pool = { kernel: 3, stride: 2, ceil: true }
  let x = graph.input([3, 224, 224])
  x = x.conv('conv1', 96, { kernel: 7, stride: 2, pad: 1 }).relu().maxPool(pool, 'pool1').lrn(5, 5e-4, 0.75, 2)
  x = x.conv('conv2', 256, { kernel: 5, stride: 2 }).relu().maxPool(pool, 'pool2').lrn(5, 5e-4, 0.75, 2)
  x = x.conv('conv3', 384, { kernel: 3, pad: 1 }).relu()
  x = x.conv('conv4', 384, { kernel: 3, pad: 1 }).relu()
  x = x.conv('conv5', 256, { kernel: 3, pad: 1 }).relu().maxPool(pool, 'pool5')
  x = x.flatten().gemm('fc6', 4096).relu().dropout(0.5)
  x = x.gemm('fc7', 4096).relu().dropout(0.5)
  return graph.finish(x.gemm('fc8', options.classes ?? 1000, 'xavier').softmax())
}
