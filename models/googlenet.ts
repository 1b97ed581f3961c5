// GoogLeNet (Inception-v1). Szegedy et al. 2015, "Going deeper with convolutions", table 1; and with the auxiliary
// classifiers of section 5, which only training uses.
import { type BuildOptions, GraphBuilder } from './builder/builder.js'
import type { Tensor } from './builder/tensor.js'

/** Output channels: 1x1, 3x3 reduce, 3x3, 5x5 reduce, 5x5, pool projection. */
type Widths = [number, number, number, number, number, number]

function inception(x: Tensor, name: string, [one, reduce3, three, reduce5, five, project]: Widths): Tensor {
  const block = `inception_${name}`
  const a = x.conv(`${block}.1x1`, one, { kernel: 1 }).relu()
  const b = x.conv(`${block}.3x3_reduce`, reduce3, { kernel: 1 }).relu()
  const c = x.conv(`${block}.5x5_reduce`, reduce5, { kernel: 1 }).relu()
  const d = x.maxPool({ kernel: 3, pad: 1 }, `${block}.pool`)
  return a.concat(
    [
      b.conv(`${block}.3x3`, three, { kernel: 3, pad: 1 }).relu(),
      c.conv(`${block}.5x5`, five, { kernel: 5, pad: 2 }).relu(),
      d.conv(`${block}.pool_proj`, project, { kernel: 1 }).relu()
    ],
    `${block}.output`
  )
}

/** Section 5: a small classifier on a layer between, whose loss counts 0.3 in training. */
function auxiliary(x: Tensor, name: string, classes: number): Tensor {
  const y = x.averagePool({ kernel: 5, stride: 3 }, `${name}.pool`).conv(`${name}.conv`, 128, { kernel: 1 }).relu()
  const z = y.flatten().gemm(`${name}.fc`, 1024).relu().dropout(0.7)
  return z.gemm(`${name}.classifier`, classes, 'xavier').softmax()
}

function network(title: string, options: BuildOptions, hasAuxiliary: boolean): Uint8Array {
  const graph = new GraphBuilder(title, options)
  const { classes = 1000 } = options
  const pool = { kernel: 3, stride: 2, ceil: true }
  let x = graph.input([3, 224, 224])
  x = x.conv('conv1', 64, { kernel: 7, stride: 2, pad: 3 }).relu().maxPool(pool, 'pool1').lrn(5, 1e-4, 0.75, 1)
  x = x.conv('conv2_reduce', 64, { kernel: 1 }).relu()
  x = x.conv('conv2', 192, { kernel: 3, pad: 1 }).relu().lrn(5, 1e-4, 0.75, 1).maxPool(pool, 'pool2')
  x = inception(x, '3a', [64, 96, 128, 16, 32, 32])
  x = inception(x, '3b', [128, 128, 192, 32, 96, 64]).maxPool(pool, 'pool3')
  const a = inception(x, '4a', [192, 96, 208, 16, 48, 64])
  x = inception(a, '4b', [160, 112, 224, 24, 64, 64])
  x = inception(x, '4c', [128, 128, 256, 24, 64, 64])
  const d = inception(x, '4d', [112, 144, 288, 32, 64, 64])
  x = inception(d, '4e', [256, 160, 320, 32, 128, 128]).maxPool(pool, 'pool4')
  x = inception(x, '5a', [256, 160, 320, 32, 128, 128])
  x = inception(x, '5b', [384, 192, 384, 48, 128, 128])
  x = x.averagePool({ kernel: 7 }, 'pool5').dropout(0.4).flatten()
  x = x.gemm('loss3', classes, 'xavier').softmax()
  if (!hasAuxiliary) return graph.finish(x)
  return graph.finish(x, { loss1: auxiliary(a, 'loss1', classes), loss2: auxiliary(d, 'loss2', classes) })
}

export function googlenet(options: BuildOptions = {}): Uint8Array {
  return network('googlenet', options, false)
}

/** With two more outputs, `loss1` and `loss2`: the probabilities of the auxiliary classifiers. */
export function googlenetAuxiliary(options: BuildOptions = {}): Uint8Array {
  return network('googlenet-auxiliary', options, true)
}
