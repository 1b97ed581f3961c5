// DenseNet-BC. Huang, Liu, van der Maaten and Weinberger 2017, "Densely connected convolutional networks", table 1:
// growth rate 32, pre-activation BN-ReLU-Conv, bottlenecks of 4 x growth, transitions that halve the channels.
import { type BuildOptions, GraphBuilder } from './builder/builder.js'
import type { ConvOptions, Tensor } from './builder/tensor.js'

const growth = 32

/** Layers in each of the four dense blocks. */
const blocks = {
  121: [6, 12, 24, 16],
  169: [6, 12, 32, 32],
  201: [6, 12, 48, 32]
}

function preActivated(x: Tensor, name: string, channels: number, options: ConvOptions): Tensor {
  return x
    .batchNorm(`${name}.norm`)
    .relu()
    .conv(`${name}.conv`, channels, { bias: false, ...options })
}

export function densenet(depth: keyof typeof blocks, options: BuildOptions = {}): Uint8Array {
  const graph = new GraphBuilder(`densenet${depth}`, options)
  let x = graph
    .input([3, 224, 224])
    .convNorm('conv0', 2 * growth, { kernel: 7, stride: 2, pad: 3 })
    .relu()
  x = x.maxPool({ kernel: 3, stride: 2, pad: 1 }, 'pool0')
  blocks[depth].forEach((layers, block) => {
    if (block > 0) {
      x = preActivated(x, `transition${block}`, x.channels / 2, { kernel: 1 })
      x = x.averagePool({ kernel: 2, stride: 2 }, `transition${block}.pool`)
    }
    for (let i = 1; i <= layers; i++) {
      const name = `denseblock${block + 1}.${i}`
      const bottleneck = preActivated(x, `${name}.1x1`, 4 * growth, { kernel: 1 })
      x = x.concat([preActivated(bottleneck, `${name}.3x3`, growth, { kernel: 3, pad: 1 })], `${name}.concat`)
    }
  })
  x = x.batchNorm('norm5').relu().globalAveragePool('avgpool').flatten()
  return graph.finish(x.gemm('classifier', options.classes ?? 1000, 'xavier'))
}
