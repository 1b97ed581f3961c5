// Network in Network. Lin, Chen and Yan 2014, "Network in network", section 4 and fig. 2, with the sizes of the authors'
// CIFAR-10 model: three 5x5 and 3x3 layers, each followed by two 1x1 layers (a perceptron at every pixel), and the
// average of the last maps as the classes' scores.
import { type BuildOptions, GraphBuilder } from './builder/builder.js'

export function networkInNetwork(options: BuildOptions = {}): Uint8Array {
  const graph = new GraphBuilder('nin-cifar', options)
  const pool = { kernel: 3, stride: 2, ceil: true }
  const one = { kernel: 1 }
  let x = graph.input([3, 32, 32]).conv('conv1', 192, { kernel: 5, pad: 2 }).relu()
  x = x.conv('cccp1', 160, one).relu().conv('cccp2', 96, one).relu().maxPool(pool, 'pool1').dropout(0.5)
  x = x.conv('conv2', 192, { kernel: 5, pad: 2 }).relu()
  x = x.conv('cccp3', 192, one).relu().conv('cccp4', 192, one).relu().averagePool(pool, 'pool2').dropout(0.5)
  x = x.conv('conv3', 192, { kernel: 3, pad: 1 }).relu().conv('cccp5', 192, one).relu()
  x = x.conv('cccp6', options.classes ?? 10, one).relu()
  return graph.finish(x.globalAveragePool('pool3').flatten().softmax())
}
