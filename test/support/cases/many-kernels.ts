import { ModelBuilder } from '../onnx/model.js'
import type { Random } from '../random.js'

/**
 * One of each kernel that threads divide, on maps that are worth dividing. Weights are such that no Sigmoid saturates and
 * no Exp runs away, and what ArgMax compares is not computed: rounding stays rounding.
 */
export function manyKernels(random: Random): ModelBuilder {
  const m = new ModelBuilder(random)
  const small = [-0.4, 0.4] as const
  const x = m.input(['N', 24, 'H', 'W'])
  const conv = m.add('Conv', [x, m.weights([24, 24, 3, 3], [-0.08, 0.08]), m.weights([24])], { pads: [1, 1, 1, 1] })
  const pooled = m.add('MaxPool', [m.add('Sigmoid', [conv])], { kernel_shape: [3, 3], pads: [1, 1, 1, 1] })
  const mean = m.add('AveragePool', [pooled], { kernel_shape: [3, 3], pads: [1, 1, 1, 1] })
  const local = m.add('LRN', [mean], { size: 5 })
  const group = m.add('InstanceNormalization', [local, m.weights([24], small), m.weights([24], small)])
  const padded = m.add('Pad', [group, m.ints([0, 0, 2, 3, 0, 0, 2, 3])], { mode: 'reflect' })
  const large = m.add('Resize', [padded, undefined, m.constant({ dtype: 'float32', dims: [4], data: [1, 1, 2, 2] })], {
    mode: 'linear'
  })
  const soft = m.add('Softmax', [m.add('Mul', [large, m.add('Exp', [large])])], { axis: 1 })
  const rows = m.add('Transpose', [soft], { perm: [0, 2, 3, 1] })
  const product = m.add('MatMul', [rows, m.add('Reshape', [m.weights([24, 24]), m.ints([24, 24])])])
  return m.output(
    product,
    m.add('ReduceMean', [soft], { axes: [2, 3] }),
    m.add('ArgMax', [x], { axis: 1 }),
    m.add('GlobalAveragePool', [large])
  )
}
