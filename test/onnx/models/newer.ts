// What opsets 18 to 23 changed, in their spelling; the official tests that we have end at 17.

import {
  type Case,
  c,
  floats,
  given,
  ints,
  type Operand,
  one,
  scalar,
  typed,
  within,
  x
} from '../../support/cases/case.js'
import { type Attributes, float } from '../../support/onnx/model.js'

/** The same in each of the opsets from one on that changed it. */
const since = (
  opsets: readonly number[],
  name: string,
  op: string,
  operands: readonly (Operand | undefined)[],
  attributes: Attributes = {},
  rest: Omit<Case, 'name' | 'op' | 'operands' | 'attributes' | 'opset'> = {}
): Case[] => opsets.map(opset => one(`${name}, opset ${opset}`, op, operands, attributes, { ...rest, opset }))

const none = (dtype: 'int64' | 'float32' = 'int64') => given([], [0], dtype)
const sizes = (...values: number[]) => [undefined, undefined, ints(...values)]
const scales = (...values: number[]) => [undefined, floats(...values)]

const reductions = ['L1', 'L2', 'LogSum', 'LogSumExp', 'Max', 'Mean', 'Min', 'Prod', 'SumSquare'].flatMap(name => {
  const op = `Reduce${name}`
  const data = within(x(2, 5, 4, 3), 0.5, 2)
  return [
    ...since([18], 'axes as an input', op, [data, ints(1, -1)]),
    ...since([18], 'axes as an input, not kept', op, [data, ints(2)], { keepdims: 0 }),
    ...since([18], 'no axes', op, [data, none()]),
    ...since([18], 'axes left out', op, [data], { keepdims: 0 })
  ]
})

const reduceNothing = ['Max', 'Mean', 'Min', 'Prod', 'Sum'].flatMap(name => [
  ...since([18], 'noop_with_empty_axes', `Reduce${name}`, [x(2, 5), none()], { noop_with_empty_axes: 1 }),
  ...since([18], 'noop_with_empty_axes and axes', `Reduce${name}`, [x(2, 5), ints(1)], { noop_with_empty_axes: 1 })
])

const symmetric = { coordinate_transformation_mode: 'half_pixel_symmetric' }
const resizes = [
  ...['linear', 'cubic'].flatMap(mode => [
    ...since([18, 19], `antialias, ${mode}, smaller`, 'Resize', [x(1, 3, 12, 9), ...sizes(1, 3, 5, 4)], {
      mode,
      antialias: 1
    }),
    ...since([19], `antialias, ${mode}, larger`, 'Resize', [x(1, 3, 4, 5), ...sizes(1, 3, 9, 7)], {
      mode,
      antialias: 1
    }),
    ...since([18], `antialias by scales, ${mode}`, 'Resize', [x(1, 2, 10, 10), ...scales(1, 1, 0.6, 0.45)], {
      mode,
      antialias: 1
    }),
    ...since([19], `axes, ${mode}`, 'Resize', [x(2, 3, 6, 5), ...sizes(9, 4)], { mode, axes: [2, 3] }),
    ...since([19], `symmetric half pixels, ${mode}`, 'Resize', [x(1, 2, 6, 7), ...scales(1, 1, 1.7, 0.7)], {
      mode,
      ...symmetric
    })
  ]),
  ...since([18], 'antialias without what is outside, cubic', 'Resize', [x(1, 3, 12, 9), ...sizes(1, 3, 5, 4)], {
    mode: 'cubic',
    antialias: 1,
    exclude_outside: 1
  }),
  ...since([18], 'axes in another order', 'Resize', [x(2, 3, 6, 5), ...sizes(4, 9)], { mode: 'linear', axes: [3, 2] }),
  ...since([18], 'negative axes and scales', 'Resize', [x(2, 3, 6, 5), ...scales(2, 0.5)], {
    mode: 'nearest',
    axes: [-2, -1]
  }),
  ...since([19], 'symmetric half pixels, nearest', 'Resize', [x(1, 2, 6, 7), ...scales(1, 1, 1.7, 0.7)], {
    mode: 'nearest',
    ...symmetric
  }),
  ...['not_larger', 'not_smaller'].flatMap(policy => [
    ...since([18, 19], policy, 'Resize', [x(1, 2, 6, 8), ...sizes(9, 9)], {
      mode: 'linear',
      axes: [2, 3],
      keep_aspect_ratio_policy: policy
    }),
    ...since([19], `${policy}, smaller`, 'Resize', [x(1, 2, 11, 7), ...sizes(5, 6)], {
      mode: 'nearest',
      axes: [2, 3],
      keep_aspect_ratio_policy: policy
    })
  ])
]

const pads = [
  ...since([18, 19, 21, 23], 'axes', 'Pad', [x(2, 3, 4, 5), ints(1, 2, 0, 3), scalar(0.5), ints(3, -2)]),
  ...since([18], 'axes and a negative amount', 'Pad', [x(2, 3, 6, 5), ints(-1, 2), undefined, ints(2)], {
    mode: 'edge'
  }),
  ...since([19, 21, 23], 'wrapped', 'Pad', [x(2, 3, 4, 5), ints(0, 0, 2, 3, 0, 0, 1, 4)], { mode: 'wrap' }),
  ...since([19], 'wrapped along axes', 'Pad', [x(2, 3, 4, 5), ints(3, 2), undefined, ints(-1)], { mode: 'wrap' }),
  ...since([19], 'wrapped and cropped', 'Pad', [x(3, 6), ints(0, -2, 0, 3)], { mode: 'wrap' })
]

const square = { kernel_shape: [3, 3], strides: [2, 2] }
const pools = [
  ...since([19, 22], 'dilations', 'AveragePool', [x(1, 3, 10, 9)], { kernel_shape: [3, 2], dilations: [2, 3] }),
  ...since([19], 'dilations and padding', 'AveragePool', [x(1, 3, 10, 9)], {
    kernel_shape: [3, 3],
    dilations: [2, 2],
    pads: [1, 2, 2, 1]
  }),
  ...since([19], 'dilations and padding that counts', 'AveragePool', [x(1, 3, 10, 9)], {
    kernel_shape: [3, 3],
    dilations: [2, 2],
    pads: [1, 2, 2, 1],
    count_include_pad: 1
  }),
  ...[0, 1].flatMap(count_include_pad =>
    since(
      [19, 22],
      `rounded up, padding ${count_include_pad ? 'counts' : 'does not count'}`,
      'AveragePool',
      [x(1, 4, 8, 10)],
      {
        ...square,
        pads: [1, 1, 1, 1],
        ceil_mode: 1,
        count_include_pad
      }
    )
  ),
  ...since([22], 'rounded up', 'MaxPool', [x(1, 4, 8, 10)], { ...square, pads: [1, 1, 1, 1], ceil_mode: 1 }),
  ...since([22], 'dilations', 'MaxPool', [x(1, 4, 9, 10)], { kernel_shape: [2, 3], dilations: [3, 2] }),
  ...since([22], 'indices', 'MaxPool', [x(2, 3, 6, 6)], { kernel_shape: [2, 2], strides: [2, 2] }, { outputs: 2 }),
  ...since([22], 'one axis', 'GlobalAveragePool', [x(2, 5, 9)]),
  ...since([22], 'planes', 'GlobalMaxPool', [x(2, 5, 4, 3)])
]

const channels = (count: number) => [c(count), c(count)]
const norms = [
  ...since([18], 'a scale a group', 'GroupNormalization', [x(2, 6, 4, 3), ...channels(3)], { num_groups: 3 }),
  ...since([21], 'a scale a channel', 'GroupNormalization', [x(2, 6, 4, 3), ...channels(6)], {
    num_groups: 3,
    stash_type: 1
  }),
  ...since([21], 'one group', 'GroupNormalization', [x(2, 6, 5), ...channels(6)], {
    num_groups: 1,
    epsilon: float(1e-2)
  }),
  ...since([22], 'planes', 'InstanceNormalization', [x(2, 5, 4, 3), ...channels(5)]),
  ...since([18, 23], 'the last axis', 'LayerNormalization', [x(2, 4, 8), c(8), c(8)]),
  ...since(
    [18],
    'two axes, with statistics',
    'LayerNormalization',
    [x(2, 4, 8), c(4, 8), c(4, 8)],
    { axis: 1 },
    { outputs: 3 }
  ),
  ...since([23], 'the last axis', 'RMSNormalization', [x(2, 4, 8), c(8)]),
  ...since([23], 'from an axis on', 'RMSNormalization', [x(2, 4, 8), c(4, 8)], { axis: 1, epsilon: float(1e-2) }),
  ...since([18], 'inference', 'BatchNormalization', [x(2, 5, 4, 3), ...channels(5), c(5), within(c(5), 0.5, 2)])
]

const activations = [
  ...since([20], 'exact', 'Gelu', [x(4, 40)]),
  ...since([20], 'by tanh', 'Gelu', [x(4, 40)], { approximate: 'tanh' }),
  ...since([18, 22], 'values', 'Mish', [x(4, 40)]),
  ...since([22], 'values', 'ThresholdedRelu', [x(4, 40)], { alpha: float(0.5) }),
  ...since([22], 'values', 'HardSwish', [within(x(4, 40), -5, 5)]),
  ...since([22], 'values', 'HardSigmoid', [within(x(4, 40), -5, 5)], { alpha: float(0.3), beta: float(0.4) }),
  ...['Elu', 'Selu', 'Softplus', 'Softsign', 'Celu', 'Sin', 'Cos', 'Tan', 'Asin', 'Acos', 'Atan'].flatMap(op =>
    since([22], 'values', op, [within(x(3, 30), -1, 1)])
  ),
  ...['Sinh', 'Cosh', 'Asinh', 'Atanh', 'Round'].flatMap(op =>
    since([22], 'values', op, [within(x(3, 30), -0.9, 0.9)])
  ),
  ...since([22], 'values', 'Acosh', [within(x(3, 30), 1.1, 3)]),
  ...since([18], 'both bounds', 'Clip', [x(3, 30), scalar(-0.5), scalar(0.75)]),
  ...since([18], 'one bound', 'Clip', [x(3, 30), undefined, scalar(0.75)]),
  ...since([22], 'inference', 'Dropout', [x(3, 30), scalar(0.3)]),
  ...since([18], 'values', 'PRelu', [x(2, 3, 5), c(3, 1)]),
  ...since([18], 'values', 'LeakyRelu', [x(3, 30)], { alpha: float(0.2) })
]

const layers = [
  ...since([22], 'padded', 'Conv', [x(1, 3, 7, 8), c(6, 3, 3, 3), c(6)], { pads: [1, 1, 1, 1], strides: [2, 1] }),
  ...since([22], 'in groups', 'Conv', [x(1, 4, 7, 8), c(6, 2, 3, 3)], { group: 2, auto_pad: 'SAME_UPPER' }),
  ...since([22], 'doubling', 'ConvTranspose', [x(1, 4, 5, 6), c(4, 3, 3, 3), c(3)], {
    strides: [2, 2],
    pads: [1, 1, 1, 1],
    output_padding: [1, 1]
  })
]

const movement = [
  ...since(
    [18],
    'parts by number, the last one smaller',
    'Split',
    [x(2, 11)],
    { axis: 1, num_outputs: 4 },
    { outputs: 4 }
  ),
  ...since([18], 'even parts by number', 'Split', [x(2, 12)], { axis: -1, num_outputs: 3 }, { outputs: 3 }),
  ...since([18], 'parts by sizes', 'Split', [x(2, 12), ints(5, 7)], { axis: 1 }, { outputs: 2 }),
  ...since([19, 21, 23], 'a zero that keeps a size', 'Reshape', [x(2, 3, 4), ints(0, -1)]),
  ...since([19, 21, 23], 'allowzero without zeros', 'Reshape', [x(2, 3, 4), ints(4, -1)], { allowzero: 1 }),
  ...since([19, 21, 23], 'a part', 'Shape', [x(2, 3, 4, 5)], { start: 1, end: -1 }),
  ...since([19, 21, 23], 'beyond the end', 'Shape', [x(2, 3, 4, 5)], { start: -9, end: 99 }),
  ...since(
    [19, 21, 23],
    'count',
    'Size',
    [x(2, 3, 4)],
    {},
    { expected: { reason: 'a single number', outputs: [[24]] } }
  ),
  ...since([21, 23], 'from an axis on', 'Flatten', [x(2, 3, 4)], { axis: 2 }),
  ...since([21, 23], 'axes', 'Squeeze', [x(2, 1, 4, 1), ints(1, -1)]),
  ...since([21, 23], 'axes', 'Unsqueeze', [x(2, 4), ints(1, -1)]),
  ...since([21, 23], 'axes', 'Transpose', [x(2, 3, 4)], { perm: [2, 0, 1] }),
  ...since([19, 21, 23], 'values', 'Identity', [x(2, 3)]),
  ...since(
    [20, 21, 23],
    'values',
    'ConstantOfShape',
    [ints(2, 3)],
    { value: { tensor: { dtype: 'float32', dims: [1], data: [2.5] } } },
    {
      next: [{ op: 'Add', operands: [x(2, 3)] }]
    }
  ),
  ...reductionsOf('none', 'add', 'mul', 'max', 'min')
]

/** Reductions of scatters came with opset 16 and 18. */
function reductionsOf(...names: string[]): Case[] {
  return names.flatMap(reduction => [
    ...since([18], reduction, 'ScatterND', [x(6, 4), given([3, 0, 5], [3, 1], 'int64'), x(3, 4)], { reduction }),
    ...since([18], reduction, 'ScatterElements', [x(6, 4), given([3, 0, 5, 1, 2, 4], [2, 3], 'int64'), x(2, 3)], {
      reduction
    })
  ])
}

const types = [
  ...since([19], 'of integers', 'Equal', [typed(x(3, 9), 'int32', [0, 3]), typed(x(3, 9), 'int32', [0, 3])]),
  ...since([19], 'of bools', 'Equal', [typed(x(3, 9), 'bool', [0, 1]), typed(x(3, 9), 'bool', [0, 1])]),
  ...since([19, 21, 23], 'to integers', 'Cast', [within(x(3, 9), -9, 9)], { to: 6 }),
  ...since([19, 21, 23], 'to half precision', 'Cast', [x(3, 9)], { to: 10 }),
  ...since([19, 21, 23], 'like another', 'CastLike', [within(x(3, 9), -9, 9), typed(c(1), 'int64', [1, 1])]),
  ...since([18], 'of bytes', 'ReduceMax', [typed(x(3, 9), 'uint8', [0, 255]), ints(1)]),
  ...since([20], 'of bools', 'ReduceMin', [typed(x(3, 2), 'bool', [0, 1]), ints(1)]),
  ...since([19, 21, 23], 'of a tensor', 'QuantizeLinear', [
    within(x(3, 9), -9, 9),
    scalar(2 ** -3),
    scalar(7, 'uint8')
  ]),
  ...since([21, 23], 'to a named type', 'QuantizeLinear', [within(x(3, 9), -9, 9), scalar(2 ** -3)], {
    output_dtype: 3
  }),
  ...since([19, 21, 23], 'by channel', 'DequantizeLinear', [
    typed(x(2, 3, 5), 'int8', [-128, 127]),
    floats(0.5, 0.25, 2),
    given([1, -2, 3], [3], 'int8')
  ])
]

export const newer: readonly Case[] = [
  ...reductions,
  ...reduceNothing,
  ...resizes,
  ...pads,
  ...pools,
  ...norms,
  ...activations,
  ...layers,
  ...movement,
  ...types
]
