// EfficientNet-B0. Tan and Le 2019, "EfficientNet: rethinking model scaling for convolutional neural networks",
// table 1: MBConv blocks with squeeze-and-excitation (a quarter of the block's input channels) and SiLU.
import { type BuildOptions, GraphBuilder } from '../builder/builder.js'
import { squeezeExcite } from '../builder/squeeze-excite.js'
import type { Tensor } from '../builder/tensor.js'

/** Expansion, kernel, channels, layers, stride of the first. */
const stages = [
  [1, 3, 16, 1, 1],
  [6, 3, 24, 2, 2],
  [6, 5, 40, 2, 2],
  [6, 3, 80, 3, 2],
  [6, 5, 112, 3, 1],
  [6, 5, 192, 4, 2],
  [6, 3, 320, 1, 1]
]

const silu = (x: Tensor) => x.silu()
const sigmoid = (x: Tensor) => x.sigmoid()

function mbconv(x: Tensor, name: string, expansion: number, kernel: number, channels: number, stride: number): Tensor {
  const expanded = x.channels * expansion
  let y = x
  if (expansion > 1) y = y.convNorm(`${name}.expand`, expanded, { kernel: 1 }).silu()
  y = y.convNorm(`${name}.depthwise`, expanded, { kernel, stride, pad: (kernel - 1) / 2, groups: expanded }).silu()
  y = squeezeExcite(y, `${name}.se`, x.channels / 4, silu, sigmoid)
  const residual = stride === 1 && channels === x.channels
  y = y.convNorm(`${name}.project`, channels, { kernel: 1, gain: residual ? 0.3 : 1 })
  return residual ? y.add(x, `${name}.add`) : y
}

export function efficientnetB0(options: BuildOptions = {}): Uint8Array {
  const graph = new GraphBuilder('efficientnet-b0', options)
  let x = graph.input([3, 224, 224]).convNorm('stem', 32, { kernel: 3, stride: 2, pad: 1 }).silu()
  stages.forEach(([expansion, kernel, channels, layers, first], stage) => {
    for (let i = 0; i < layers; i++) {
      x = mbconv(x, `stage${stage + 2}.${i}`, expansion, kernel, channels, i === 0 ? first : 1)
    }
  })
  x = x.convNorm('head', 1280, { kernel: 1 }).silu().globalAveragePool('avgpool').flatten().dropout(0.2)
  return graph.finish(x.gemm('fc', options.classes ?? 1000, 'xavier'))
}
