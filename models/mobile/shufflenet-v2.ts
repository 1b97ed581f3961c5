// ShuffleNet v2, 1x. Ma, Zhang, Zheng and Sun 2018, "ShuffleNet V2: practical guidelines for efficient CNN architecture
// design", table 5 and fig. 3 (c, d).
import { type BuildOptions, GraphBuilder } from '../builder/builder.js'
import type { Tensor } from '../builder/tensor.js'

function branch(x: Tensor, name: string, channels: number, stride: number): Tensor {
  const y = x.convNorm(`${name}.conv1`, channels, { kernel: 1 }).relu()
  const z = y.convNorm(`${name}.depthwise`, channels, { kernel: 3, pad: 1, stride, groups: channels })
  return z.convNorm(`${name}.conv2`, channels, { kernel: 1 }).relu()
}

/** Half of the channels pass unchanged. */
function unit(x: Tensor, name: string): Tensor {
  const [kept, worked] = x.split(`${name}.split`)
  return kept.concat([branch(worked, name, worked.channels, 1)], `${name}.concat`).channelShuffle(2, `${name}.shuffle`)
}

/** Both halves are made from all channels, at half the resolution. */
function downsample(x: Tensor, name: string, channels: number): Tensor {
  const half = channels / 2
  const y = x.convNorm(`${name}.short.depthwise`, x.channels, { kernel: 3, pad: 1, stride: 2, groups: x.channels })
  const short = y.convNorm(`${name}.short.conv`, half, { kernel: 1 }).relu()
  return short.concat([branch(x, name, half, 2)], `${name}.concat`).channelShuffle(2, `${name}.shuffle`)
}

export function shufflenetV2(options: BuildOptions = {}): Uint8Array {
  const graph = new GraphBuilder('shufflenet-v2', options)
  let x = graph.input([3, 224, 224]).convNorm('conv1', 24, { kernel: 3, stride: 2, pad: 1 }).relu()
  x = x.maxPool({ kernel: 3, stride: 2, pad: 1 }, 'maxpool')
  const repeats = [4, 8, 4]
  repeats.forEach((count, i) => {
    x = downsample(x, `stage${i + 2}.0`, 116 << i)
    for (let j = 1; j < count; j++) x = unit(x, `stage${i + 2}.${j}`)
  })
  x = x.convNorm('conv5', 1024, { kernel: 1 }).relu().globalAveragePool('avgpool').flatten()
  return graph.finish(x.gemm('fc', options.classes ?? 1000, 'xavier'))
}
