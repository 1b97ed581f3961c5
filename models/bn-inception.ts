// BN-Inception (Inception-v2). Ioffe and Szegedy 2015, "Batch normalization: accelerating deep network training by
// reducing internal covariate shift", fig. 5: GoogLeNet with batch normalisation, its 5x5 layers as two of 3x3, and
// modules of stride 2 whose pooling is passed through. The first layer is an ordinary convolution, where the paper's is
// separable.
import { type BuildOptions, GraphBuilder } from './builder/builder.js'
import type { ConvOptions, Tensor } from './builder/tensor.js'

/** Output channels: 1x1, 3x3 reduce, 3x3, double 3x3 reduce, double 3x3, pool projection; 0 is no such branch. */
type Widths = [number, number, number, number, number, number]

const conv = (x: Tensor, name: string, channels: number, options: ConvOptions) =>
  x.convNorm(name, channels, options).relu()

function inception(x: Tensor, name: string, widths: Widths, pooling: 'average' | 'max' = 'average'): Tensor {
  const [one, reduce3, three, reduceDouble, double, project] = widths
  const block = `inception_${name}`
  const same = { kernel: 3, pad: 1 }
  const window = { ...same, stride: project ? 1 : 2 }
  const branches = one ? [conv(x, `${block}.1x1`, one, { kernel: 1 })] : []
  const reduced = conv(x, `${block}.3x3_reduce`, reduce3, { kernel: 1 })
  branches.push(conv(reduced, `${block}.3x3`, three, window))
  const first = conv(x, `${block}.double3x3_reduce`, reduceDouble, { kernel: 1 })
  const second = conv(first, `${block}.double3x3_1`, double, same)
  branches.push(conv(second, `${block}.double3x3_2`, double, window))
  const pooled = pooling === 'max' ? x.maxPool(window, `${block}.pool`) : x.averagePool(window, `${block}.pool`)
  branches.push(project ? conv(pooled, `${block}.pool_proj`, project, { kernel: 1 }) : pooled)
  return branches[0].concat(branches.slice(1), `${block}.output`)
}

export function bnInception(options: BuildOptions = {}): Uint8Array {
  const graph = new GraphBuilder('bn-inception', options)
  const pool = { kernel: 3, stride: 2, ceil: true }
  let x = graph.input([3, 224, 224])
  x = conv(x, 'conv1', 64, { kernel: 7, stride: 2, pad: 3 }).maxPool(pool, 'pool1')
  x = conv(x, 'conv2_reduce', 64, { kernel: 1 })
  x = conv(x, 'conv2', 192, { kernel: 3, pad: 1 }).maxPool(pool, 'pool2')
  x = inception(x, '3a', [64, 64, 64, 64, 96, 32])
  x = inception(x, '3b', [64, 64, 96, 64, 96, 64])
  x = inception(x, '3c', [0, 128, 160, 64, 96, 0], 'max')
  x = inception(x, '4a', [224, 64, 96, 96, 128, 128])
  x = inception(x, '4b', [192, 96, 128, 96, 128, 128])
  x = inception(x, '4c', [160, 128, 160, 128, 160, 96])
  x = inception(x, '4d', [96, 128, 192, 160, 192, 96])
  x = inception(x, '4e', [0, 128, 192, 192, 256, 0], 'max')
  x = inception(x, '5a', [352, 192, 320, 160, 224, 128])
  x = inception(x, '5b', [352, 192, 320, 192, 224, 128], 'max')
  x = x.globalAveragePool('pool5').flatten()
  return graph.finish(x.gemm('fc', options.classes ?? 1000, 'xavier').softmax())
}
