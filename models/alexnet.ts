// AlexNet. Krizhevsky, Sutskever and Hinton 2012, "ImageNet classification with deep convolutional neural networks",
// section 3.5 and fig. 2; and its single tower, Krizhevsky 2014, "One weird trick for parallelizing convolutional
// neural networks", section 5. The two towers are convolutions with two groups, except where the third layer joins
// them. An input of 227 is the size that the paper's layer sizes need.
import { type BuildOptions, GraphBuilder } from './builder/builder.js'
import type { Tensor } from './builder/tensor.js'

// k = 2, n = 5, alpha = 1e-4 (times n, as ONNX divides by it), beta = 0.75.
const normalise = (x: Tensor) => x.lrn(5, 5e-4, 0.75, 2)
const pool = { kernel: 3, stride: 2 }

export function alexnet(options: BuildOptions = {}): Uint8Array {
  const graph = new GraphBuilder('alexnet', options)
  let x = graph.input([3, 227, 227])
  x = normalise(x.conv('conv1', 96, { kernel: 11, stride: 4 }).relu()).maxPool(pool, 'pool1')
  x = normalise(x.conv('conv2', 256, { kernel: 5, pad: 2, groups: 2 }).relu()).maxPool(pool, 'pool2')
  x = x.conv('conv3', 384, { kernel: 3, pad: 1 }).relu()
  x = x.conv('conv4', 384, { kernel: 3, pad: 1, groups: 2 }).relu()
  x = x.conv('conv5', 256, { kernel: 3, pad: 1, groups: 2 }).relu().maxPool(pool, 'pool5')
  x = x.flatten().gemm('fc6', 4096).relu().dropout(0.5)
  x = x.gemm('fc7', 4096).relu().dropout(0.5)
  return graph.finish(x.gemm('fc8', options.classes ?? 1000, 'xavier').softmax())
}

export function alexnetOneTower(options: BuildOptions = {}): Uint8Array {
  const graph = new GraphBuilder('alexnet-one-tower', options)
  let x = graph.input([3, 224, 224])
  x = x.conv('conv1', 64, { kernel: 11, stride: 4, pad: 2 }).relu().maxPool(pool, 'pool1')
  x = x.conv('conv2', 192, { kernel: 5, pad: 2 }).relu().maxPool(pool, 'pool2')
  x = x.conv('conv3', 384, { kernel: 3, pad: 1 }).relu()
  x = x.conv('conv4', 256, { kernel: 3, pad: 1 }).relu()
  x = x.conv('conv5', 256, { kernel: 3, pad: 1 }).relu().maxPool(pool, 'pool5')
  x = x.flatten().dropout(0.5).gemm('fc6', 4096).relu()
  x = x.dropout(0.5).gemm('fc7', 4096).relu()
  return graph.finish(x.gemm('fc8', options.classes ?? 1000, 'xavier'))
}
