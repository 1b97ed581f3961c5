// What has no kernel of its own: block rearrangements, constants, identities; and the patterns of exporters.
import { type Case, c, given, ints, one, type Step, scalar, typed, within, x } from '../../support/cases/case.js'
import { type Contents, float } from '../../support/onnx/model.js'

const tensor: Contents = { dtype: 'float32', dims: [2, 3], data: [1, -2, 3, -4, 5, -6] }
const added = (...dims: number[]): Step => ({ op: 'Add', operands: [x(...dims)] })
const integers: Step = { op: 'Add', operands: [typed(x(3), 'int64', [1, 9])] }

const bytes = (...dims: number[]) => typed(x(...dims), 'uint8', [0, 255])
const labels = (...dims: number[]) => typed(x(...dims), 'int64', [0, 4])

/** Losses: name, scores, labels, weights, attributes. */
const losses: readonly Case[] = [
  one('SoftmaxCrossEntropyLoss', 'SoftmaxCrossEntropyLoss', [x(7, 5), labels(7)]),
  one('SoftmaxCrossEntropyLoss, a loss each', 'SoftmaxCrossEntropyLoss', [x(3, 5, 4), labels(3, 4)], {
    reduction: 'none'
  }),
  one('SoftmaxCrossEntropyLoss of maps, weighted', 'SoftmaxCrossEntropyLoss', [
    x(2, 5, 3, 4),
    labels(2, 3, 4),
    within(c(5), 0.5, 2)
  ]),
  one('SoftmaxCrossEntropyLoss, sum', 'SoftmaxCrossEntropyLoss', [x(7, 5), labels(7), within(c(5), 0.5, 2)], {
    reduction: 'sum'
  }),
  one('SoftmaxCrossEntropyLoss, a class ignored', 'SoftmaxCrossEntropyLoss', [x(19, 5), labels(19)], {
    ignore_index: 3
  }),
  one(
    'SoftmaxCrossEntropyLoss with its logarithms',
    'SoftmaxCrossEntropyLoss',
    [x('N', 5), { ...labels(7), dims: ['N'] }],
    {},
    { outputs: 2, bindings: [{ N: 3 }, { N: 8 }] }
  )
]

const quantization: readonly Case[] = [
  one('QuantizeLinear', 'QuantizeLinear', [within(x(4, 9), -9, 9), scalar(0.06), scalar(120, 'uint8')]),
  one('QuantizeLinear to int8, a scale a channel', 'QuantizeLinear', [
    within(x(2, 3, 7), -9, 9),
    given([0.06, 0.1, 0.2]),
    given([-5, 0, 7], [3], 'int8')
  ]),
  one('QuantizeLinear without a zero point', 'QuantizeLinear', [within(x(4, 9), 0, 9), scalar(0.06)]),
  one('DequantizeLinear', 'DequantizeLinear', [bytes(4, 9), scalar(0.06), scalar(120, 'uint8')]),
  one(
    'DequantizeLinear, a scale a row',
    'DequantizeLinear',
    [bytes(3, 7), given([0.06, 0.1, 0.2]), given([5, 0, 7], [3], 'uint8')],
    { axis: 0 }
  )
]

export const compound: readonly Case[] = [
  ...losses,
  ...quantization,
  one('MeanVarianceNormalization', 'MeanVarianceNormalization', [x(2, 3, 5, 4)]),
  one('MeanVarianceNormalization over some axes', 'MeanVarianceNormalization', [x(2, 3, 5, 4)], { axes: [2, 3] }),
  one(
    'BatchNormalization of inputs',
    'BatchNormalization',
    [x('N', 4, 5, 3), x(4), x(4), x(4), within(x(4), 0.5, 2)],
    {},
    { bindings: [{ N: 1 }, { N: 3 }] }
  ),
  one(
    'BatchNormalization in training mode',
    'BatchNormalization',
    [x('N', 4, 5, 3), c(4), c(4), c(4), within(c(4), 0.5, 2)],
    { training_mode: 1, momentum: float(0.7) },
    { outputs: 3, bindings: [{ N: 1 }, { N: 3 }] }
  ),
  one('Dropout with its mask', 'Dropout', [x('N', 5, 4)], {}, { outputs: 2, bindings: [{ N: 2 }, { N: 3 }] }),
  one('DepthToSpace DCR', 'DepthToSpace', [x(2, 12, 3, 4)], { blocksize: 2 }),
  one('DepthToSpace CRD', 'DepthToSpace', [x(2, 18, 3, 4)], { blocksize: 3, mode: 'CRD' }),
  one(
    'DepthToSpace behind Conv',
    'Conv',
    [x(1, 4, 5, 4), c(12, 4, 3, 3)],
    {},
    { next: [{ op: 'DepthToSpace', attributes: { blocksize: 2, mode: 'CRD' } }] }
  ),
  one(
    'DepthToSpace of free sizes',
    'DepthToSpace',
    [x('N', 8, 'H', 'W')],
    { blocksize: 2 },
    {
      bindings: [
        { N: 1, H: 3, W: 4 },
        { N: 2, H: 5, W: 2 }
      ]
    }
  ),
  one('SpaceToDepth', 'SpaceToDepth', [x(2, 3, 4, 6)], { blocksize: 2 }),
  one(
    'SpaceToDepth, then Conv',
    'SpaceToDepth',
    [x(1, 3, 6, 9)],
    { blocksize: 3 },
    { next: [{ op: 'Conv', operands: [c(5, 27, 1, 1)] }] }
  ),
  one(
    'SpaceToDepth of free sizes',
    'SpaceToDepth',
    [x(1, 3, 'H', 'W')],
    { blocksize: 2 },
    {
      bindings: [
        { H: 4, W: 6 },
        { H: 2, W: 8 }
      ]
    }
  ),
  one('Constant, tensor', 'Constant', [], { value: { tensor } }, { next: [added(2, 3)] }),
  one(
    'Constant, half',
    'Constant',
    [],
    { value: { tensor: { ...tensor, dtype: 'float16', encoding: 'typed' } } },
    {
      next: [{ op: 'Cast', attributes: { to: 1 } }, added(2, 3)]
    }
  ),
  one('Constant, value_float', 'Constant', [], { value_float: float(2.5) }, { next: [added(2, 3)] }),
  one('Constant, value_floats', 'Constant', [], { value_floats: { floats: [1, 2, -3] } }, { next: [added(2, 3)] }),
  one('Constant, value_int', 'Constant', [], { value_int: 4 }, { next: [integers] }),
  one('Constant, value_ints', 'Constant', [], { value_ints: [4, -5, 6] }, { next: [integers] }),
  one(
    'ConstantOfShape',
    'ConstantOfShape',
    [ints(2, 3)],
    { value: { tensor: { dtype: 'float32', dims: [1], data: [1.5] } } },
    { next: [added(2, 3)] }
  ),
  one('ConstantOfShape, default', 'ConstantOfShape', [ints(2, 3)], {}, { next: [added(3)] }),
  one(
    'ConstantOfShape of integers',
    'ConstantOfShape',
    [ints(3)],
    { value: { tensor: { dtype: 'int64', dims: [1], data: [7] } } },
    { next: [integers] }
  ),
  one(
    'ConstantOfShape of free sizes',
    'Shape',
    [x('N', 3)],
    {},
    {
      next: [
        { op: 'ConstantOfShape', attributes: { value: { tensor: { dtype: 'float32', dims: [1], data: [2] } } } },
        { op: 'Add', operands: [x('N', 3)] }
      ],
      bindings: [{ N: 2 }, { N: 5 }]
    }
  ),
  one('Identity', 'Identity', [x(3, 5)]),
  one('Identity, then Relu', 'Identity', [x(3, 5)], {}, { next: [{ op: 'Relu' }] }),
  one('Dropout', 'Dropout', [x(3, 5), scalar(0.5)]),
  one('Dropout 7', 'Dropout', [x(3, 5)], { ratio: float(0.5) }, { opset: 7, next: [{ op: 'Neg' }] }),
  one(
    'Dropout with training off',
    'Dropout',
    [x(3, 5), scalar(0.5), given([0], [], 'bool')],
    {},
    { next: [{ op: 'Neg' }] }
  ),
  one(
    'Expand by a computed shape',
    'Shape',
    [x(2, 3, 4)],
    {},
    {
      next: [
        { op: 'Expand', operands: [c(3, 1), 'previous'] },
        { op: 'Mul', operands: [x(4)] }
      ]
    }
  )
]
