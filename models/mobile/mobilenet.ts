// MobileNet v1: Howard et al. 2017, "MobileNets: efficient convolutional neural networks for mobile vision
// applications", table 1. v2: Sandler et al. 2018, "MobileNetV2: inverted residuals and linear bottlenecks", table 2.
import { type BuildOptions, GraphBuilder } from '../builder/builder.js'
import type { Tensor } from '../builder/tensor.js'

/** The 3x3 convolution of each channel by itself. */
function depthwise(x: Tensor, name: string, stride: number): Tensor {
  return x.convNorm(name, x.channels, { kernel: 3, pad: 1, stride, groups: x.channels })
}

export function mobilenetV1(options: BuildOptions = {}): Uint8Array {
  const widths = [64, 128, 128, 256, 256, 512, 512, 512, 512, 512, 512, 1024, 1024]
  const graph = new GraphBuilder('mobilenet-v1', options)
  let x = graph.input([3, 224, 224]).convNorm('conv1', 32, { kernel: 3, stride: 2, pad: 1 }).relu()
  widths.forEach((width, i) => {
    const stride = width > x.channels && i > 0 ? 2 : 1
    x = depthwise(x, `block${i + 1}.depthwise`, stride).relu()
    x = x.convNorm(`block${i + 1}.pointwise`, width, { kernel: 1 }).relu()
  })
  x = x.globalAveragePool('avgpool').flatten()
  return graph.finish(x.gemm('fc', options.classes ?? 1000, 'xavier').softmax())
}

/** Expansion, channels, repeats, stride of the first. */
const stages = [
  [1, 16, 1, 1],
  [6, 24, 2, 2],
  [6, 32, 3, 2],
  [6, 64, 4, 2],
  [6, 96, 3, 1],
  [6, 160, 3, 2],
  [6, 320, 1, 1]
]

function invertedResidual(x: Tensor, name: string, expansion: number, channels: number, stride: number): Tensor {
  let y = x
  if (expansion > 1) y = y.convNorm(`${name}.expand`, x.channels * expansion, { kernel: 1 }).relu6()
  y = depthwise(y, `${name}.depthwise`, stride).relu6()
  const residual = stride === 1 && channels === x.channels
  y = y.convNorm(`${name}.project`, channels, { kernel: 1, gain: residual ? 0.3 : 1 })
  return residual ? y.add(x, `${name}.add`) : y
}

export function mobilenetV2(options: BuildOptions = {}): Uint8Array {
  const graph = new GraphBuilder('mobilenet-v2', options)
  let x = graph.input([3, 224, 224]).convNorm('conv1', 32, { kernel: 3, stride: 2, pad: 1 }).relu6()
  stages.forEach(([expansion, channels, repeats, first], stage) => {
    for (let i = 0; i < repeats; i++) {
      x = invertedResidual(x, `bottleneck${stage + 1}.${i}`, expansion, channels, i === 0 ? first : 1)
    }
  })
  x = x.convNorm('conv2', 1280, { kernel: 1 }).relu6().globalAveragePool('avgpool').flatten().dropout(0.2)
  return graph.finish(x.gemm('classifier', options.classes ?? 1000, 'xavier'))
}
