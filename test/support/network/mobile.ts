import { ModelBuilder } from '../onnx/model.js'
import type { Random } from '../random.js'

/** Conv, BatchNorm, HardSwish as exporters spell it, a gate, a residual, a head. */
export function mobile(
  random: Random,
  opset: number,
  shape: readonly (number | string)[] = ['N', 3, 16, 16]
): ModelBuilder {
  const m = new ModelBuilder(random, opset)
  const x = m.input(shape, 'float32', [-1, 1])
  const vector = (range: readonly [number, number]) => m.weights([8], range)
  const conv = m.add('Conv', [x, m.weights([8, 3, 3, 3])], { pads: [1, 1, 1, 1], strides: [2, 2] })
  const norm = m.add('BatchNormalization', [
    conv,
    ...(
      [
        [0.5, 2],
        [-1, 1],
        [-1, 1],
        [0.5, 2]
      ] as const
    ).map(range => vector(range))
  ])
  const inner = m.add('Relu', [m.add('Add', [norm, m.scalar(3)])])
  const gate = m.add('Min', [inner, m.scalar(6)])
  const act = m.add('Div', [m.add('Mul', [norm, gate]), m.scalar(6)])
  const sum = m.add('Add', [act, m.add('Conv', [act, m.weights([8, 1, 3, 3])], { group: 8, pads: [1, 1, 1, 1] })])
  const pooled = m.add('GlobalAveragePool', [m.add('Relu', [sum])])
  return m.output(m.add('Gemm', [m.add('Flatten', [pooled]), m.weights([5, 8]), m.weights([5])], { transB: 1 }))
}
