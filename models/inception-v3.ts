// Inception-v3. Szegedy et al. 2016, "Rethinking the Inception architecture for computer vision", table 1 and
// figs. 5, 6, 7 and 10, without the auxiliary classifier. Widths are those of the authors' released model.
import { type BuildOptions, GraphBuilder } from './builder/builder.js'
import type { ConvOptions, Pair, Tensor } from './builder/tensor.js'

function conv(x: Tensor, name: string, channels: number, kernel: Pair, options: Partial<ConvOptions> = {}): Tensor {
  return x.convNorm(name, channels, { kernel, epsilon: 1e-3, ...options }).relu()
}

/** A kernel of `height` x `width` that keeps the size. */
function same(x: Tensor, name: string, channels: number, height: number, width: number): Tensor {
  return conv(x, name, channels, [height, width], { pad: [(height - 1) / 2, (width - 1) / 2] })
}

const average = (x: Tensor, name: string) => x.averagePool({ kernel: 3, pad: 1 }, `${name}.pool`)

/** Fig. 5: the 5x5 branch stays whole, the double 3x3 stands beside it. */
function blockA(x: Tensor, name: string, project: number): Tensor {
  const five = same(conv(x, `${name}.5x5_1`, 48, 1), `${name}.5x5_2`, 64, 5, 5)
  const double = same(conv(x, `${name}.3x3dbl_1`, 64, 1), `${name}.3x3dbl_2`, 96, 3, 3)
  return conv(x, `${name}.1x1`, 64, 1).concat(
    [five, same(double, `${name}.3x3dbl_3`, 96, 3, 3), conv(average(x, name), `${name}.pool_proj`, project, 1)],
    `${name}.output`
  )
}

/** Fig. 10: from 35x35 to 17x17. */
function reductionA(x: Tensor, name: string): Tensor {
  const double = same(conv(x, `${name}.3x3dbl_1`, 64, 1), `${name}.3x3dbl_2`, 96, 3, 3)
  return conv(x, `${name}.3x3`, 384, 3, { stride: 2 }).concat(
    [conv(double, `${name}.3x3dbl_3`, 96, 3, { stride: 2 }), x.maxPool({ kernel: 3, stride: 2 }, `${name}.pool`)],
    `${name}.output`
  )
}

/** Fig. 6: 7x7 factorised into 1x7 and 7x1, `width` channels within. */
function blockB(x: Tensor, name: string, width: number): Tensor {
  let seven = conv(x, `${name}.7x7_1`, width, 1)
  seven = same(seven, `${name}.7x7_2`, width, 1, 7)
  seven = same(seven, `${name}.7x7_3`, 192, 7, 1)
  let double = conv(x, `${name}.7x7dbl_1`, width, 1)
  double = same(double, `${name}.7x7dbl_2`, width, 7, 1)
  double = same(double, `${name}.7x7dbl_3`, width, 1, 7)
  double = same(double, `${name}.7x7dbl_4`, width, 7, 1)
  double = same(double, `${name}.7x7dbl_5`, 192, 1, 7)
  return conv(x, `${name}.1x1`, 192, 1).concat(
    [seven, double, conv(average(x, name), `${name}.pool_proj`, 192, 1)],
    `${name}.output`
  )
}

/** Fig. 10: from 17x17 to 8x8. */
function reductionB(x: Tensor, name: string): Tensor {
  const three = conv(conv(x, `${name}.3x3_1`, 192, 1), `${name}.3x3_2`, 320, 3, { stride: 2 })
  let seven = conv(x, `${name}.7x7_1`, 192, 1)
  seven = same(seven, `${name}.7x7_2`, 192, 1, 7)
  seven = same(seven, `${name}.7x7_3`, 192, 7, 1)
  seven = conv(seven, `${name}.7x7_4`, 192, 3, { stride: 2 })
  return three.concat([seven, x.maxPool({ kernel: 3, stride: 2 }, `${name}.pool`)], `${name}.output`)
}

/** Fig. 7: 3x3 spread into 1x3 and 3x1 side by side. */
function blockC(x: Tensor, name: string): Tensor {
  const spread = (y: Tensor, branch: string) =>
    same(y, `${branch}_a`, 384, 1, 3).concat([same(y, `${branch}_b`, 384, 3, 1)], `${branch}_output`)
  const double = same(conv(x, `${name}.3x3dbl_1`, 448, 1), `${name}.3x3dbl_2`, 384, 3, 3)
  return conv(x, `${name}.1x1`, 320, 1).concat(
    [
      spread(conv(x, `${name}.3x3_1`, 384, 1), `${name}.3x3_2`),
      spread(double, `${name}.3x3dbl_3`),
      conv(average(x, name), `${name}.pool_proj`, 192, 1)
    ],
    `${name}.output`
  )
}

export function inceptionV3(options: BuildOptions = {}): Uint8Array {
  const graph = new GraphBuilder('inception-v3', options)
  const pool = { kernel: 3, stride: 2 }
  let x = graph.input([3, 299, 299])
  x = conv(x, 'conv1a', 32, 3, { stride: 2 })
  x = conv(x, 'conv2a', 32, 3)
  x = conv(x, 'conv2b', 64, 3, { pad: 1 }).maxPool(pool, 'pool2')
  x = conv(x, 'conv3b', 80, 1)
  x = conv(x, 'conv4a', 192, 3).maxPool(pool, 'pool4')
  x = blockA(x, 'mixed5b', 32)
  x = blockA(x, 'mixed5c', 64)
  x = blockA(x, 'mixed5d', 64)
  x = reductionA(x, 'mixed6a')
  x = blockB(x, 'mixed6b', 128)
  x = blockB(x, 'mixed6c', 160)
  x = blockB(x, 'mixed6d', 160)
  x = blockB(x, 'mixed6e', 192)
  x = reductionB(x, 'mixed7a')
  x = blockC(x, 'mixed7b')
  x = blockC(x, 'mixed7c')
  x = x.globalAveragePool('pool8').dropout(0.5).flatten()
  return graph.finish(x.gemm('fc', options.classes ?? 1000, 'xavier'))
}
