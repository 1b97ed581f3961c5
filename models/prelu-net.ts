// PReLU-net. He, Zhang, Ren and Sun 2015, "Delving deep into rectifiers", table 1: the 14 layers on which parametric
// rectifiers are compared, with a slope for each channel. Layers of 2x2 take turns in padding, which keeps 36 and 18
// pixels (He and Sun 2015, "Convolutional neural networks at constrained time cost", section 4); the last pooling is a
// spatial pyramid of 6x6, 3x3, 2x2 and 1x1 bins (He et al. 2014).
import { type BuildOptions, GraphBuilder } from './builder/builder.js'
import type { Tensor } from './builder/tensor.js'

function stage(x: Tensor, name: string, layers: number, channels: number): Tensor {
  let y = x
  for (let i = 1; i <= layers; i++)
    y = y.conv(`${name}_${i}`, channels, { kernel: 2, pad: (i - 1) % 2 }).prelu(`${name}_${i}.prelu`)
  return y
}

function pyramid(x: Tensor, levels: number[]): Tensor {
  const [first, ...others] = levels.map(bins => {
    const kernel = x.shape[1] / bins
    return x.maxPool({ kernel, stride: kernel }, `spp${bins}`).flatten()
  })
  return first.concat(others, 'spp')
}

export function preluNet(options: BuildOptions = {}): Uint8Array {
  const graph = new GraphBuilder('prelu-net', options)
  let x = graph.input([3, 224, 224]).conv('conv1', 64, { kernel: 7, stride: 2 }).prelu('conv1.prelu')
  x = stage(x.maxPool({ kernel: 3, stride: 3 }, 'pool1'), 'conv2', 4, 128)
  x = stage(x.maxPool({ kernel: 2, stride: 2 }, 'pool2'), 'conv3', 6, 256)
  x = pyramid(x, [6, 3, 2, 1]).gemm('fc1', 4096).prelu('fc1.prelu').dropout(0.5)
  x = x.gemm('fc2', 4096).prelu('fc2.prelu').dropout(0.5)
  return graph.finish(x.gemm('fc3', options.classes ?? 1000, 'xavier').softmax())
}
