// Pad: every mode, negative pads, axes, every spelling; and Pads that fold into what reads them.
import { type Case, c, floats, given, ints, one, type Step, scalar, x } from '../../support/cases/case.js'
import { float } from '../../support/onnx/model.js'

const modes = ['constant', 'reflect', 'edge', 'wrap']
const padded = (pads: number[], value?: number): Step => ({
  op: 'Pad',
  operands: [ints(...pads), ...(value === undefined ? [] : [scalar(value)])]
})

export const pad: readonly Case[] = [
  ...modes.flatMap(mode => [
    one(`${mode}, spatial`, 'Pad', [x(2, 5, 6, 7), ints(0, 0, 1, 2, 0, 0, 3, 0)], { mode }, { opset: 19 }),
    one(`${mode}, every axis`, 'Pad', [x(3, 4, 5, 6), ints(1, 2, 0, 3, 2, 1, 4, 0)], { mode }, { opset: 19 }),
    one(`${mode}, rank 2`, 'Pad', [x(3, 5), ints(0, 2, 1, 3)], { mode }, { opset: 19 }),
    one(`${mode}, rank 3`, 'Pad', [x(2, 3, 5), ints(0, 0, 2, 0, 0, 4)], { mode }, { opset: 19 }),
    one(`${mode}, rank 5`, 'Pad', [x(1, 2, 3, 4, 5), ints(0, 0, 1, 2, 0, 0, 0, 1, 0, 3)], { mode }, { opset: 19 }),
    one(`${mode}, negative`, 'Pad', [x(2, 5, 7, 8), ints(0, 0, -1, 2, 0, 0, 0, -3)], { mode }, { opset: 19 }),
    one(`${mode}, axes`, 'Pad', [x(2, 5, 6, 7), ints(2, 1, 0, 3), undefined, ints(-1, 2)], { mode }, { opset: 19 }),
    one(`${mode}, channels only`, 'Pad', [x(2, 5, 3, 4), ints(0, 2, 0, 0, 0, 1, 0, 0)], { mode }, { opset: 19 }),
    one(
      `${mode} of free sizes`,
      'Pad',
      [x('N', 3, 'H', 'W'), ints(0, 0, 1, 2, 0, 0, 2, 1)],
      { mode },
      {
        opset: 19,
        bindings: [
          { N: 1, H: 4, W: 5 },
          { N: 2, H: 7, W: 3 }
        ]
      }
    )
  ]),
  one('a value', 'Pad', [x(2, 5, 6, 7), ints(0, 1, 1, 2, 0, 0, 3, 0), scalar(-1.5)]),
  one('a value of one element', 'Pad', [x(2, 6), ints(0, 1, 1, 2), floats(2.5)], {}, { opset: 11 }),
  one('of integers', 'Pad', [
    { ...x(2, 6), dtype: 'int64', range: [-9, 9] },
    ints(0, 1, 1, 2),
    given([7], [], 'int64')
  ]),
  one('opset 2 spelling', 'Pad', [x(2, 5, 6, 7)], { pads: [0, 0, 1, 2, 0, 0, 3, 0], value: float(0.5) }, { opset: 10 }),
  one(
    'opset 2 spelling, reflect',
    'Pad',
    [x(2, 5, 6, 7)],
    { pads: [0, 0, 1, 2, 0, 0, 3, 1], mode: 'reflect' },
    { opset: 7 }
  ),
  one('nothing', 'Pad', [x(2, 6), ints(0, 0, 0, 0)], {}, { next: [{ op: 'Relu' }] }),
  one(
    'in front of Conv',
    'Pad',
    [x(1, 3, 6, 7), ints(0, 0, 1, 2, 0, 0, 0, 1)],
    {},
    { next: [{ op: 'Conv', operands: [c(4, 3, 3, 3)], attributes: { pads: [0, 1, 1, 0] } }] }
  ),
  one(
    'of a value in front of Conv',
    'Pad',
    [x(1, 3, 6, 7), ints(0, 0, 1, 2, 0, 0, 0, 1), scalar(3)],
    {},
    { next: [{ op: 'Conv', operands: [c(4, 3, 3, 3)] }] }
  ),
  one(
    'reflect in front of Conv',
    'Pad',
    [x(1, 3, 6, 7), ints(0, 0, 1, 2, 0, 0, 2, 1)],
    { mode: 'reflect' },
    { next: [{ op: 'Conv', operands: [c(4, 3, 3, 3)] }] }
  ),
  one(
    'of channels in front of Conv',
    'Pad',
    [x(1, 3, 6, 7), ints(0, 1, 1, 1, 0, 0, 1, 1)],
    {},
    { next: [{ op: 'Conv', operands: [c(4, 4, 3, 3)] }] }
  ),
  one(
    'in front of a SAME_UPPER Conv',
    'Pad',
    [x(1, 3, 6, 7), ints(0, 0, 1, 2, 0, 0, 0, 1)],
    {},
    { next: [{ op: 'Conv', operands: [c(4, 3, 3, 3)], attributes: { auto_pad: 'SAME_UPPER', strides: [2, 2] } }] }
  ),
  one(
    'in front of ConvTranspose',
    'Pad',
    [x(1, 3, 4, 5), ints(0, 0, 1, 0, 0, 0, 0, 1)],
    {},
    { next: [{ op: 'ConvTranspose', operands: [c(3, 4, 3, 3)], attributes: { strides: [2, 2], pads: [1, 1, 1, 1] } }] }
  ),
  one(
    'in front of MaxPool',
    'Relu',
    [x(1, 3, 6, 7)],
    {},
    {
      next: [padded([0, 0, 1, 1, 0, 0, 1, 1]), { op: 'MaxPool', attributes: { kernel_shape: [3, 3], strides: [2, 2] } }]
    }
  ),
  one(
    'in front of MaxPool, signed numbers',
    'Pad',
    [{ ...x(1, 3, 6, 7), range: [-3, -1] }, ints(0, 0, 1, 1, 0, 0, 1, 1)],
    {},
    { next: [{ op: 'MaxPool', attributes: { kernel_shape: [3, 3] } }] }
  ),
  one(
    'of minus infinity in front of MaxPool',
    'Pad',
    [x(1, 3, 6, 7), ints(0, 0, 1, 1, 0, 0, 1, 1), scalar(Number.NEGATIVE_INFINITY)],
    {},
    { next: [{ op: 'MaxPool', attributes: { kernel_shape: [3, 3], strides: [2, 2] } }] }
  ),
  one(
    'wider than the window of MaxPool',
    'Relu',
    [x(1, 3, 6, 7)],
    {},
    { next: [padded([0, 0, 3, 3, 0, 0, 3, 3]), { op: 'MaxPool', attributes: { kernel_shape: [2, 2] } }] }
  ),
  one(
    'in front of AveragePool',
    'Pad',
    [x(1, 3, 6, 7), ints(0, 0, 1, 1, 0, 0, 1, 1)],
    {},
    { next: [{ op: 'AveragePool', attributes: { kernel_shape: [3, 3], strides: [2, 2] } }] }
  ),
  one(
    'in front of a padded AveragePool',
    'Pad',
    [x(1, 3, 6, 7), ints(0, 0, 1, 1, 0, 0, 1, 1)],
    {},
    {
      next: [{ op: 'AveragePool', attributes: { kernel_shape: [3, 3], pads: [1, 1, 1, 1], count_include_pad: 0 } }]
    }
  ),
  one(
    'in front of BatchNormalization and Conv',
    'Pad',
    [x(1, 3, 6, 7), ints(0, 0, 1, 1, 0, 0, 1, 1)],
    {},
    {
      next: [
        { op: 'BatchNormalization', operands: [c(3), c(3), c(3), { ...c(3), range: [0.5, 2] }] },
        { op: 'Conv', operands: [c(4, 3, 3, 3)], attributes: { pads: [1, 1, 1, 1] } }
      ]
    }
  )
]
