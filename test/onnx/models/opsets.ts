// One network in the spelling of each opset from 7 on.
import { float, ModelBuilder } from '../../support/onnx/model.js'
import type { Random } from '../../support/random.js'

/** What changed between opsets are attributes that became inputs, and defaults. */
export function network(opset: number, random: Random): ModelBuilder {
  const m = new ModelBuilder(random, opset)
  const list = (values: number[], attribute: string, since: number) =>
    opset >= since ? { inputs: [m.ints(values)], attributes: {} } : { inputs: [], attributes: { [attribute]: values } }
  const x = m.input([2, 3, 10, 11])
  const pads = list([0, 0, 1, 0, 0, 0, 0, 1], 'pads', 11)
  let y = m.add('Pad', [x, ...pads.inputs], pads.attributes)
  y = m.add('Conv', [y, m.weights([8, 3, 3, 3]), m.weights([8])], { pads: [1, 1, 1, 1], strides: [2, 1] })
  y = m.add(
    'BatchNormalization',
    [y, m.weights([8], [0.5, 2]), m.weights([8]), m.weights([8]), m.weights([8], [0.5, 2])],
    { epsilon: float(1e-3) }
  )
  y =
    opset >= 11
      ? m.add('Clip', [y, m.scalar(-0.5), m.scalar(1.5)])
      : m.add('Clip', [y], { min: float(-0.5), max: float(1.5) })
  y = opset >= 12 ? m.add('Dropout', [y, m.scalar(0.5)]) : m.add('Dropout', [y], { ratio: float(0.5) })
  const parts = list([3, 5], 'split', 13)
  const [a, b] = m.addMany('Split', [y, ...parts.inputs], 2, { axis: 1, ...parts.attributes })
  y = m.add('Concat', [b, m.add('LeakyRelu', [a])], { axis: 1 })
  y =
    opset >= 10
      ? m.add('Slice', [y, m.ints([1]), m.ints([100]), m.ints([3])])
      : m.add('Slice', [y], { starts: [1], ends: [100], axes: [3] })
  const scales = () => m.constant({ dtype: 'float32', dims: [4], data: [1, 1, 2, 2] })
  if (opset < 9) y = m.add('Upsample', [y], { mode: 'nearest', scales: { floats: [1, 1, 2, 2] } })
  else if (opset < 10) y = m.add('Upsample', [y, scales()], { mode: 'nearest' })
  else if (opset < 11) y = m.add('Resize', [y, scales()], { mode: 'nearest' })
  else y = m.add('Resize', [y, m.constant({ dtype: 'float32', dims: [0], data: [] }), scales()], { mode: 'nearest' })
  y = m.add('AveragePool', [y], { kernel_shape: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1] })
  const mean = list([2, 3], 'axes', 18)
  y = m.add('ReduceMean', [y, ...mean.inputs], { keepdims: 1, ...mean.attributes })
  const gone = list([2, 3], 'axes', 13)
  y = m.add('Squeeze', [y, ...gone.inputs], gone.attributes)
  y = m.add('Gemm', [y, m.weights([8, 6]), m.weights([6])])
  const sum = list([1], 'axes', 13)
  const total = m.add('ReduceSum', [y, ...sum.inputs], { keepdims: 1, ...sum.attributes })
  return m.output(m.add('Softmax', [y], { axis: 1 }), total)
}
