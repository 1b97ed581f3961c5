// One small graph for each pass, with what it changes and what it must leave alone.
import { float, type ModelBuilder, sizeOf } from '../../support/onnx/model.js'

type Make = (m: ModelBuilder) => readonly string[]

const statistics = (m: ModelBuilder, c: number) => [
  m.weights([c], [0.5, 1.5]),
  m.weights([c]),
  m.weights([c]),
  m.weights([c], [0.3, 2])
]
const norm = (m: ModelBuilder, x: string, c: number) => m.add('BatchNormalization', [x, ...statistics(m, c)])
const conv = (m: ModelBuilder, x: string, filters: number, channels: number, kernel = 3, pad = 1) =>
  m.add('Conv', [x, m.weights([filters, channels, kernel, kernel])], { pads: [pad, pad, pad, pad] })
const byte = (m: ModelBuilder, data: number) => m.constant({ dtype: 'uint8', dims: [], data: [data] })
const signed = (m: ModelBuilder, data: number) => m.constant({ dtype: 'int8', dims: [], data: [data] })
const bytes = (m: ModelBuilder, dims: readonly number[]) =>
  m.constant({ dtype: 'int8', dims, data: m.random.ints(sizeOf(dims), [-127, 127]) })
const quantised = (m: ModelBuilder, x: string) => m.add('QuantizeLinear', [x, m.scalar(2 ** -3), byte(m, 128)])
const shapeOf = (m: ModelBuilder, x: string, axis: number) =>
  m.add('Unsqueeze', [
    m.add('Gather', [m.add('Shape', [x]), m.constant({ dtype: 'int64', dims: [], data: [axis] })]),
    m.ints([0])
  ])

export const graphs: Readonly<Record<string, Make>> = {
  'fold-constants': m => {
    const x = m.input(['N', 3, 'H', 8])
    const weights = m.add('Mul', [m.weights([4, 3, 1, 1]), m.add('Sqrt', [m.scalar(2)])])
    const y = m.add('Conv', [x, weights])
    return [m.add('Reshape', [y, m.add('Concat', [shapeOf(m, y, 0), m.ints([2, -1]), shapeOf(m, y, 2)], { axis: 0 })])]
  },
  'remove-identity': m => {
    const x = m.input([2, 3, 4, 4])
    let y = m.add('Identity', [m.add('Dropout', [m.add('Relu', [x]), m.scalar(0.5)])])
    y = m.add('Mul', [m.add('Add', [y, m.scalar(0)]), m.scalar(1)])
    y = m.add('Cast', [m.add('Transpose', [y], { perm: [0, 1, 2, 3] })], { to: 1 })
    y = m.add('Reshape', [m.add('Slice', [y, m.ints([0]), m.ints([100]), m.ints([2])]), m.ints([2, 3, 4, -1])])
    return [m.add('Concat', [m.add('Pad', [y, m.ints([0, 0, 0, 0, 0, 0, 0, 0])])], { axis: 1 })]
  },
  'spell-quantised': m => {
    const x = quantised(m, m.input([1, 4, 6, 6]))
    const conv = m.add('QLinearConv', [
      ...[x, m.scalar(2 ** -3), byte(m, 128), bytes(m, [8, 4, 1, 1]), m.scalar(2 ** -6), signed(m, 0)],
      ...[m.scalar(2 ** -2), byte(m, 120)]
    ])
    const pooled = m.add('MaxPool', [conv], { kernel_shape: [2, 2], strides: [2, 2] })
    return [m.add('DequantizeLinear', [pooled, m.scalar(2 ** -2), byte(m, 120)])]
  },
  quantise: m => {
    const through = (x: string) => m.add('DequantizeLinear', [quantised(m, x), m.scalar(2 ** -3), byte(m, 128)])
    const weights = m.add('DequantizeLinear', [bytes(m, [4, 4, 1, 1]), m.scalar(2 ** -6), signed(m, 0)])
    const x = through(m.input([1, 4, 6, 6]))
    const y = through(m.add('Relu', [m.add('Conv', [x, weights])]))
    const curve = through(m.add('LeakyRelu', [y], { alpha: float(0.25) }))
    const joined = through(m.add('Concat', [through(m.add('Add', [x, curve])), y], { axis: 1 }))
    return [m.add('Resize', [joined, undefined, m.constant({ dtype: 'float32', dims: [4], data: [1, 1, 2, 2] })])]
  },
  decompose: m => {
    const x = m.input([2, 8, 4, 4])
    const sum = m.add('Mean', [x, m.add('Sum', [x, x, m.weights([8, 1, 1])]), x])
    const moved = m.add('DepthToSpace', [sum], { blocksize: 2, mode: 'CRD' })
    const back = m.add('SpaceToDepth', [moved], { blocksize: 2 })
    const scores = m.add('MatMul', [m.add('Flatten', [back]), m.weights([128, 5])])
    const weights = m.weights([5, 3])
    return [
      m.add('Gemm', [scores, weights, m.weights([2, 3])], { alpha: float(0.5), beta: float(2) }),
      m.add('Gemm', [scores, weights], {})
    ]
  },
  'recognise-norms': m => {
    const x = m.input([2, 6, 8])
    const centred = m.add('Sub', [x, m.add('ReduceMean', [x], { axes: [-1] })])
    const variance = m.add('ReduceMean', [m.add('Pow', [centred, m.scalar(2)])], { axes: [-1] })
    const layer = m.add('Div', [centred, m.add('Sqrt', [m.add('Add', [variance, m.scalar(1e-5)])])])
    const image = m.input([2, 6, 4, 4])
    const one = m.constant({ dtype: 'float32', dims: [3], data: [1, 1, 1] })
    const zero = m.constant({ dtype: 'float32', dims: [3], data: [0, 0, 0] })
    const normal = m.add('InstanceNormalization', [m.add('Reshape', [image, m.ints([0, 3, -1])]), one, zero])
    const group = m.add('Mul', [m.add('Reshape', [normal, m.ints([2, 6, 4, 4])]), m.weights([6, 1, 1])])
    return [
      m.add('Add', [m.add('Mul', [layer, m.weights([8])]), m.weights([8])]),
      m.add('Add', [group, m.weights([6, 1, 1])])
    ]
  },
  'recognise-activations': m => {
    const x = m.input([2, 3, 4, 4])
    const silu = m.add('Mul', [x, m.add('Sigmoid', [x])])
    const clipped = m.add('Clip', [m.add('Add', [silu, m.scalar(3)]), m.scalar(0), m.scalar(6)])
    const swish = m.add('Div', [m.add('Mul', [silu, clipped]), m.scalar(6)])
    const gate = m.add('Add', [m.add('Erf', [m.add('Div', [swish, m.scalar(Math.SQRT2)])]), m.scalar(1)])
    const gelu = m.add('Mul', [m.add('Mul', [swish, gate]), m.scalar(0.5)])
    const beyond = m.add('Relu', [m.add('Sub', [silu, m.scalar(1)])])
    return [
      m.add('PRelu', [m.add('Relu', [gelu]), m.weights([3, 1, 1])]),
      m.add('Mul', [gelu, m.add('Tanh', [gelu])]),
      m.add('Sub', [m.add('Relu', [silu]), beyond])
    ]
  },
  'recognise-gates': m => {
    const x = m.input([2, 4, 6, 6])
    const gate = m.add('HardSigmoid', [conv(m, m.add('GlobalAveragePool', [x]), 4, 4, 1, 0)])
    const y = m.add('Add', [m.add('Mul', [gate, x]), x])
    const other = conv(m, y, 4, 4)
    // Behind the first residual a product that two read, and one with as many elements as the maps.
    const shared = m.add('Mul', [other, gate])
    return [m.add('Add', [shared, other]), shared, m.add('Add', [y, m.add('Mul', [y, m.add('Tanh', [other])])])]
  },
  'fold-batchnorm': m => {
    const x = m.input([1, 4, 6, 6])
    const behind = norm(m, norm(m, conv(m, x, 4, 4), 4), 4)
    const infront = conv(m, norm(m, behind, 4), 5, 4, 1, 0)
    const before = conv(m, norm(m, m.add('Relu', [infront]), 5), 4, 5)
    const flat = m.add('GlobalAveragePool', [norm(m, m.add('ConvTranspose', [before, m.weights([4, 2, 2, 2])]), 2)])
    const scores = norm(m, m.add('Gemm', [m.add('Flatten', [flat]), m.weights([2, 3])]), 3)
    const twice = conv(m, x, 4, 4)
    const mean = (y: string, attributes = {}) =>
      m.add('AveragePool', [y], { kernel_shape: [3, 3], pads: [1, 1, 1, 1], ...attributes })
    const joined = m.add('Concat', [conv(m, x, 2, 4), mean(conv(m, x, 3, 4))], { axis: -3 })
    const zeros = norm(m, mean(conv(m, x, 2, 4), { count_include_pad: 1 }), 2)
    return [scores, norm(m, twice, 4), m.add('Relu', [twice]), norm(m, joined, 5), zeros]
  },
  'fold-scale-shift': m => {
    const x = m.add('Div', [
      m.add('Sub', [m.input([1, 3, 6, 6]), m.weights([3, 1, 1])]),
      m.weights([3, 1, 1], [0.5, 1])
    ])
    const y = m.add('Add', [m.add('Mul', [conv(m, x, 4, 3, 3, 0), m.weights([4, 1, 1])]), m.scalar(0.5)])
    const padded = conv(m, m.add('Mul', [m.add('Relu', [y]), m.scalar(2)]), 4, 4)
    const normed = norm(m, m.add('MaxPool', [padded], { kernel_shape: [2, 2] }), 4)
    const scaled = m.add('Relu', [m.add('Add', [m.add('Mul', [normed, m.weights([4, 1, 1])]), m.weights([4, 1, 1])])])
    return [m.add('Mul', [conv(m, m.add('Add', [m.add('Relu', [padded]), m.scalar(1)]), 4, 4), m.weights([4])]), scaled]
  },
  'fold-pad': m => {
    const x = m.input([1, 3, 8, 8])
    const pad = (value: string, attributes = {}) => m.add('Pad', [value, m.ints([0, 0, 1, 1, 0, 0, 2, 1])], attributes)
    const window = { kernel_shape: [3, 3], strides: [2, 2] }
    const y = conv(m, pad(x), 4, 3)
    const pooled = m.add('MaxPool', [pad(m.add('Relu', [y]))], window)
    return [
      m.add('AveragePool', [pad(y)], window),
      pooled,
      m.add('MaxPool', [pad(y)], window),
      conv(m, pad(x, { mode: 'reflect' }), 4, 3)
    ]
  },
  'lower-batchnorm': m => [norm(m, m.add('MaxPool', [m.input([1, 4, 6, 6])], { kernel_shape: [2, 2] }), 4)],
  'fuse-activation': m => {
    const x = m.input([1, 3, 6, 6])
    const relu = m.add('Relu', [conv(m, x, 4, 3)])
    const slope = m.add('PRelu', [conv(m, relu, 4, 4), m.weights([4, 1, 1])])
    const shared = conv(m, slope, 4, 4)
    return [m.add('Sigmoid', [shared]), m.add('Relu', [m.add('Add', [shared, m.add('Tanh', [slope])])])]
  },
  'fuse-residual': m => {
    const x = m.input([1, 4, 6, 6])
    const before = m.add('Relu', [m.add('Add', [conv(m, x, 4, 4), x])])
    const after = m.add('Add', [before, m.add('Relu', [conv(m, before, 4, 4)])])
    const both = m.add('Add', [conv(m, after, 4, 4), conv(m, x, 4, 4)])
    return [m.add('Relu', [m.add('Add', [m.add('Sigmoid', [conv(m, both, 4, 4)]), both])])]
  },
  layout: m => {
    const x = m.input([1, 3, 6, 6])
    const y = m.add('Concat', [conv(m, x, 4, 3), conv(m, x, 5, 3)], { axis: 1 })
    const rows = m.add('Transpose', [y], { perm: [0, 2, 3, 1] })
    const mixed = m.add('Reshape', [rows, m.ints([1, 36, 9])])
    return [
      m.add('Gemm', [m.add('Flatten', [y]), m.weights([324, 5])]),
      m.add('MatMul', [mixed, m.input([1, 9, 2])]),
      m.add('Reshape', [y, m.ints([1, 3, 108])])
    ]
  },
  'remove-unused': m => {
    const x = m.input([2, 6, 8])
    m.add('Exp', [m.add('Abs', [x])])
    return [m.add('Relu', [x])]
  }
}
