// VGG. Simonyan and Zisserman 2015, "Very deep convolutional networks for large-scale image recognition", table 1,
// configurations A, B, D and E.
import { type BuildOptions, GraphBuilder } from './builder/builder.js'

/** Convolutions in each of the five stages. */
const stages = {
  11: [1, 1, 2, 2, 2],
  13: [2, 2, 2, 2, 2],
  16: [2, 2, 3, 3, 3],
  19: [2, 2, 4, 4, 4]
}

export function vgg(depth: keyof typeof stages, options: BuildOptions = {}): Uint8Array {
  const graph = new GraphBuilder(`vgg${depth}`, options)
  let x = graph.input([3, 224, 224])
  stages[depth].forEach((layers, stage) => {
    const channels = Math.min(64 << stage, 512)
    for (let i = 1; i <= layers; i++) x = x.conv(`conv${stage + 1}_${i}`, channels, { kernel: 3, pad: 1 }).relu()
    x = x.maxPool({ kernel: 2, stride: 2 }, `pool${stage + 1}`)
  })
  x = x.flatten().gemm('fc6', 4096).relu().dropout(0.5)
  x = x.gemm('fc7', 4096).relu().dropout(0.5)
  return graph.finish(x.gemm('fc8', options.classes ?? 1000, 0.01).softmax())
}
