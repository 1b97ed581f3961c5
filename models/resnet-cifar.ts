// ResNet for CIFAR-10. He, Zhang, Ren and Sun 2016, "Deep residual learning for image recognition", section 4.2: 6n + 2
// layers of 3x3 convolutions with parameter-free shortcuts (option A): every second pixel, and zeros for the new
// channels; and the plain networks that the paper compares with, which have no shortcuts.
import { type BuildOptions, GraphBuilder } from './builder/builder.js'
import type { Tensor } from './builder/tensor.js'

function unit(x: Tensor, name: string, channels: number): Tensor {
  const grows = channels !== x.channels
  const y = x.convNorm(`${name}.conv1`, channels, { kernel: 3, pad: 1, stride: grows ? 2 : 1 }).relu()
  const z = y.convNorm(`${name}.conv2`, channels, { kernel: 3, pad: 1, gain: 0.3 })
  const shortcut = grows ? x.subsample(`${name}.subsample`).padChannels(channels - x.channels, `${name}.pad`) : x
  return z.add(shortcut, `${name}.add`).relu()
}

function plainUnit(x: Tensor, name: string, channels: number): Tensor {
  const stride = channels === x.channels ? 1 : 2
  const y = x.convNorm(`${name}.conv1`, channels, { kernel: 3, pad: 1, stride }).relu()
  return y.convNorm(`${name}.conv2`, channels, { kernel: 3, pad: 1 }).relu()
}

function network(title: string, depth: number, block: typeof unit, options: BuildOptions): Uint8Array {
  const graph = new GraphBuilder(title, options)
  let x = graph.input([3, 32, 32]).convNorm('conv1', 16, { kernel: 3, pad: 1 }).relu()
  for (let stage = 0; stage < 3; stage++) {
    for (let i = 0; i < (depth - 2) / 6; i++) x = block(x, `layer${stage + 1}.${i}`, 16 << stage)
  }
  return graph.finish(
    x
      .globalAveragePool('avgpool')
      .flatten()
      .gemm('fc', options.classes ?? 10, 'xavier')
  )
}

export function resnetCifar(depth: 20 | 56 | 110 | 1202, options: BuildOptions = {}): Uint8Array {
  return network(`resnet${depth}-cifar`, depth, unit, options)
}

export function plainCifar(depth: 20 | 56, options: BuildOptions = {}): Uint8Array {
  return network(`plain${depth}-cifar`, depth, plainUnit, options)
}
