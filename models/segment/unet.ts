// U-Net. Ronneberger, Fischer and Brox 2015, "U-Net: convolutional networks for biomedical image segmentation", fig. 1,
// with padded convolutions, so that the skip connections need no cropping and the output is as large as the input.
// Height and width are free: any multiples of 16.
import { type BuildOptions, GraphBuilder } from '../builder/builder.js'
import type { Tensor } from '../builder/tensor.js'

const depth = 4

function double(x: Tensor, name: string, channels: number): Tensor {
  const y = x.conv(`${name}.conv1`, channels, { kernel: 3, pad: 1 }).relu()
  return y.conv(`${name}.conv2`, channels, { kernel: 3, pad: 1 }).relu()
}

export function unet(options: BuildOptions = {}): Uint8Array {
  const graph = new GraphBuilder('unet', options)
  const skips: Tensor[] = []
  let x = graph.input([1, 'H', 'W'])
  for (let level = 0; level < depth; level++) {
    const skip = double(x, `down${level}`, 64 << level)
    skips.push(skip)
    x = skip.maxPool({ kernel: 2, stride: 2 }, `down${level}.pool`)
  }
  x = double(x, 'bottom', 64 << depth)
  for (let level = depth - 1; level >= 0; level--) {
    const up = x.convTranspose(`up${level}.upconv`, 64 << level, 2)
    x = double(skips[level].concat([up], `up${level}.concat`), `up${level}`, 64 << level)
  }
  return graph.finish(x.conv('segmentation', options.classes ?? 2, { kernel: 1, init: 'xavier' }))
}
