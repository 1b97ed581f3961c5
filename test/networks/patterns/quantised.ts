// Quantised networks as exporters write them: layers between DequantizeLinear and QuantizeLinear, or layers of integers.
import type { ModelBuilder } from '../../support/onnx/model.js'
import type { Pattern } from './exporters.js'

const byte = (m: ModelBuilder, value: number) => m.constant({ dtype: 'uint8', dims: [], data: [value] })
const signed = (m: ModelBuilder, dims: readonly number[], limit = 60) =>
  m.constant({
    dtype: 'int8',
    dims,
    data: m.random.ints(
      dims.reduce((a, b) => a * b, 1),
      [-limit, limit]
    )
  })
const zeros = (m: ModelBuilder, count: number, dtype: 'int8' | 'int32' = 'int8') =>
  m.constant({ dtype, dims: [count], data: new Array(count).fill(0) })
const floats = (m: ModelBuilder, values: readonly number[]) =>
  m.constant({ dtype: 'float32', dims: [values.length], data: values })

/** To 8 bits and back; powers of two, so that every backend rounds the same numbers. */
const through = (m: ModelBuilder, x: string, scale: number, zero: number) => {
  const parameters = [m.scalar(scale), byte(m, zero)]
  return m.add('DequantizeLinear', [m.add('QuantizeLinear', [x, ...parameters]), ...parameters])
}

/** A pointwise convolution of quantised weights, a scale a filter, with its bias as 32 bits. */
function layer(m: ModelBuilder, x: string, channels: number, filters: number): string {
  const scales = Array.from({ length: filters }, (_, i) => 2 ** -(5 + (i % 3)))
  const weights = m.add(
    'DequantizeLinear',
    [signed(m, [filters, channels, 1, 1]), floats(m, scales), zeros(m, filters)],
    {
      axis: 0
    }
  )
  const bias = m.constant({ dtype: 'int32', dims: [filters], data: m.random.ints(filters, [-99, 99]) })
  const biases = m.add(
    'DequantizeLinear',
    [
      bias,
      floats(
        m,
        scales.map(scale => scale / 16)
      ),
      zeros(m, filters, 'int32')
    ],
    { axis: 0 }
  )
  return m.add('Conv', [x, weights, biases])
}

export const quantised: readonly Pattern[] = [
  {
    name: 'DequantizeLinear, layers, QuantizeLinear',
    // Weights are floats when the model is compiled: of the layers nothing but the convolution runs.
    hides: /= (Conv|Add|Sub|Mul|Cast)\(/,
    make: m => {
      let x = through(m, m.input([2, 6, 5, 5], 'float32', [-8, 7]), 2 ** -4, 128)
      x = through(m, m.add('Relu', [layer(m, x, 6, 8)]), 2 ** -3, 0)
      const y = through(m, layer(m, x, 8, 8), 2 ** -2, 100)
      const sum = through(m, m.add('Add', [x, y]), 2 ** -2, 90)
      return through(m, m.add('GlobalMaxPool', [sum]), 2 ** -2, 90)
    }
  },
  {
    name: 'layers of integers',
    hides: /QLinear|= (Sub|Mul|Cast)\(const/,
    make: m => {
      const x = m.add('QuantizeLinear', [m.input([2, 4, 7, 7], 'float32', [-8, 7]), m.scalar(2 ** -4), byte(m, 128)])
      const conv = m.add(
        'QLinearConv',
        [
          x,
          m.scalar(2 ** -4),
          byte(m, 128),
          signed(m, [8, 4, 3, 3], 20),
          m.scalar(2 ** -5),
          zeros(m, 1),
          m.scalar(1),
          byte(m, 120)
        ],
        { pads: [1, 1, 1, 1] }
      )
      const pooled = m.add('MaxPool', [conv], { kernel_shape: [7, 7] })
      const rows = m.add('Flatten', [pooled])
      const product = m.add('QLinearMatMul', [
        rows,
        m.scalar(1),
        byte(m, 120),
        signed(m, [8, 5]),
        m.scalar(2 ** -6),
        zeros(m, 1),
        m.scalar(2),
        byte(m, 128)
      ])
      return m.add('DequantizeLinear', [product, m.scalar(2), byte(m, 128)])
    }
  },
  {
    name: 'layers that quantise what they get',
    hides: /Dynamic/,
    make: m => {
      const x = m.input([3, 16])
      const [rows, scale, zero] = m.addMany('DynamicQuantizeLinear', [x], 3)
      const sums = m.add('MatMulInteger', [rows, signed(m, [16, 6]), zero])
      const scales = m.add('Mul', [scale, m.scalar(0.03)])
      return m.add('Mul', [m.add('Cast', [sums], { to: 1 }), scales])
    }
  }
]
