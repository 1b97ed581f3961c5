import type * as Tf from '@tensorflow/tfjs-core'
import { GraphBuilder } from '../../models/builder/builder.js'
import { zoo } from '../../models/index.js'

/** What is trained, as an ONNX model and as calls of TensorFlow.js. */
export interface TrainCase {
  readonly name: string
  readonly model: () => Uint8Array
  readonly unfreeze: 'all' | number
  readonly batch: number
  readonly classes: number
  /** One example as TensorFlow.js takes it: with its channels last. */
  readonly example: readonly number[]
  /** Scores, from weights in the order of the layers, a weight and a bias each. */
  scores(tf: typeof Tf, x: Tf.Tensor, weights: readonly Tf.Variable[]): Tf.Tensor2D
}

/** What fully connected and convolutional layers of TensorFlow.js call while they are trained. */
function layersOf(tf: typeof Tf) {
  return {
    dense: (x: Tf.Tensor, w: Tf.Variable, bias: Tf.Variable) =>
      tf.fused.matMul({ a: x as Tf.Tensor2D, b: w as Tf.Tensor as Tf.Tensor2D, bias }) as Tf.Tensor2D,
    conv: (x: Tf.Tensor, w: Tf.Variable, bias: Tf.Variable) =>
      tf.fused.conv2d({ x: x as Tf.Tensor4D, filter: w as Tf.Tensor as Tf.Tensor4D, strides: 1, pad: 'valid', bias }),
    halve: (x: Tf.Tensor) => tf.avgPool(x as Tf.Tensor4D, 2, 2, 'valid')
  }
}

export const cases: readonly TrainCase[] = [
  {
    name: 'LeNet-5',
    model: () => zoo.lenet5.build(),
    unfreeze: 'all',
    batch: 64,
    classes: 10,
    example: [32, 32, 1],
    scores(tf, x, [w1, b1, w3, b3, w5, b5, w6, b6, w7, b7]) {
      const { dense, conv, halve } = layersOf(tf)
      const s2 = halve(tf.tanh(conv(x, w1, b1)))
      const s4 = halve(tf.tanh(conv(s2, w3, b3)))
      const c5 = tf.tanh(conv(s4, w5, b5))
      const f6 = tf.tanh(dense(tf.reshape(c5, [-1, 120]), w6, b6))
      return dense(f6, w7, b7)
    }
  },
  {
    name: 'head 1280 → 10',
    model() {
      const graph = new GraphBuilder('head', {})
      return graph.finish(graph.input([1280]).gemm('head', 10))
    },
    unfreeze: 0,
    batch: 64,
    classes: 10,
    example: [1280],
    scores: (tf, x, [w, b]) => layersOf(tf).dense(x, w, b)
  }
]
