// OverFeat. Sermanet et al. 2014, "OverFeat: integrated recognition, localization and detection using convolutional
// networks", table 1 (the fast model) and table 3 (the accurate one). Written as a classifier of one crop; with its
// fully connected layers as convolutions (`cairn convert --dense-to-conv`) it slides over larger pictures, section 3.5.
import { type BuildOptions, GraphBuilder } from './builder/builder.js'
import type { Tensor } from './builder/tensor.js'

function classifier(x: Tensor, widths: [number, number], classes: number): Tensor {
  const y = x.flatten().gemm('full6', widths[0]).relu().dropout(0.5)
  return y.gemm('full7', widths[1]).relu().dropout(0.5).gemm('output8', classes, 'xavier').softmax()
}

const three = { kernel: 3, pad: 1 }
const half = { kernel: 2, stride: 2 }
const third = { kernel: 3, stride: 3 }

export function overfeat(options: BuildOptions = {}): Uint8Array {
  const graph = new GraphBuilder('overfeat', options)
  let x = graph.input([3, 231, 231])
  x = x.conv('conv1', 96, { kernel: 11, stride: 4 }).relu().maxPool(half, 'pool1')
  x = x.conv('conv2', 256, { kernel: 5 }).relu().maxPool(half, 'pool2')
  x = x.conv('conv3', 512, three).relu().conv('conv4', 1024, three).relu()
  x = x.conv('conv5', 1024, three).relu().maxPool(half, 'pool5')
  return graph.finish(classifier(x, [3072, 4096], options.classes ?? 1000))
}

export function overfeatAccurate(options: BuildOptions = {}): Uint8Array {
  const graph = new GraphBuilder('overfeat-accurate', options)
  let x = graph.input([3, 221, 221])
  x = x.conv('conv1', 96, { kernel: 7, stride: 2 }).relu().maxPool(third, 'pool1')
  x = x.conv('conv2', 256, { kernel: 7 }).relu().maxPool(half, 'pool2')
  x = x.conv('conv3', 512, three).relu().conv('conv4', 512, three).relu()
  x = x.conv('conv5', 1024, three).relu().conv('conv6', 1024, three).relu().maxPool(third, 'pool6')
  return graph.finish(classifier(x, [4096, 4096], options.classes ?? 1000))
}
