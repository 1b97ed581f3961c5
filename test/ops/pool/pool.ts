// Pooling: windows of every kind, ceil_mode, count_include_pad, dilations, global pooling.

import { type Case, type Operand, one, x } from '../../support/cases/case.js'
import type { Attributes } from '../../support/onnx/model.js'

const shapes: readonly [string, Operand, Attributes][] = [
  ['2×2', x(2, 5, 8, 10), { kernel_shape: [2, 2], strides: [2, 2] }],
  ['2×2, odd size', x(1, 8, 7, 9), { kernel_shape: [2, 2], strides: [2, 2] }],
  ['3×3 stride 2', x(1, 12, 9, 12), { kernel_shape: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1] }],
  ['3×3 stride 1', x(1, 7, 6, 5), { kernel_shape: [3, 3], pads: [1, 1, 1, 1] }],
  ['2×5', x(1, 3, 7, 11), { kernel_shape: [2, 5], strides: [1, 3] }],
  ['asymmetric pads', x(1, 3, 7, 8), { kernel_shape: [3, 4], strides: [2, 1], pads: [0, 2, 2, 1] }],
  ['ceil', x(1, 4, 8, 9), { kernel_shape: [3, 3], strides: [2, 2], ceil_mode: 1 }],
  ['ceil, padded', x(1, 4, 8, 10), { kernel_shape: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1], ceil_mode: 1 }],
  ['ceil, stride 3', x(1, 4, 11, 7), { kernel_shape: [2, 3], strides: [3, 3], ceil_mode: 1 }],
  [
    'ceil, a window that would begin in the padding',
    x(1, 2, 5, 5),
    { kernel_shape: [2, 2], strides: [3, 3], pads: [0, 0, 1, 1], ceil_mode: 1 }
  ],
  ['SAME_UPPER', x(1, 4, 9, 10), { kernel_shape: [3, 2], strides: [2, 2], auto_pad: 'SAME_UPPER' }],
  ['SAME_LOWER', x(1, 4, 9, 10), { kernel_shape: [3, 2], strides: [2, 2], auto_pad: 'SAME_LOWER' }],
  ['VALID', x(1, 4, 9, 10), { kernel_shape: [3, 2], strides: [2, 2], auto_pad: 'VALID' }],
  ['a large window', x(1, 3, 13, 15), { kernel_shape: [7, 9], pads: [3, 4, 3, 4] }],
  ['a large window of many channels', x(2, 13, 11, 15), { kernel_shape: [5, 7], pads: [2, 3, 2, 3] }],
  [
    'a large window beyond the image, strides',
    x(1, 8, 7, 12),
    { kernel_shape: [9, 9], strides: [3, 2], pads: [4, 4, 4, 4], ceil_mode: 1 }
  ],
  ['the whole image', x(2, 9, 6, 5), { kernel_shape: [6, 5] }],
  ['one channel', x(1, 1, 9, 9), { kernel_shape: [3, 3], strides: [2, 2] }],
  ['1-D', x(2, 5, 13), { kernel_shape: [3], strides: [2], pads: [1, 0] }],
  ['3-D', x(1, 3, 5, 6, 7), { kernel_shape: [2, 3, 2], strides: [2, 1, 2], pads: [0, 1, 1, 1, 1, 0] }]
]

const free: readonly Case[] = (['MaxPool', 'AveragePool'] as const).flatMap(op => [
  one(
    `${op} of free sizes`,
    op,
    [x('N', 5, 'H', 'W')],
    { kernel_shape: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1] },
    {
      bindings: [
        { N: 1, H: 9, W: 6 },
        { N: 3, H: 12, W: 13 }
      ]
    }
  ),
  one(
    `${op} of free sizes, ceil`,
    op,
    [x('N', 5, 'H', 'W')],
    { kernel_shape: [3, 2], strides: [2, 3], ceil_mode: 1 },
    {
      bindings: [
        { N: 1, H: 9, W: 6 },
        { N: 2, H: 12, W: 13 },
        { N: 1, H: 10, W: 11 }
      ]
    }
  ),
  one(
    `${op} of free sizes, SAME_UPPER`,
    op,
    [x(1, 5, 'H', 'W')],
    { kernel_shape: [3, 2], strides: [2, 2], auto_pad: 'SAME_UPPER' },
    {
      bindings: [
        { H: 9, W: 6 },
        { H: 12, W: 13 }
      ]
    }
  )
])

const global = ['GlobalAveragePool', 'GlobalMaxPool'].flatMap(op => [
  one(op, op, [x(2, 13, 7, 5)]),
  one(`${op}, one pixel`, op, [x(2, 13, 1, 1)]),
  one(`${op}, 1-D`, op, [x(2, 6, 19)]),
  one(`${op}, 3-D`, op, [x(2, 6, 3, 4, 5)]),
  one(`${op}, many channels`, op, [x(1, 130, 3, 3)]),
  one(
    `${op} of free sizes`,
    op,
    [x('N', 6, 'H', 'W')],
    {},
    {
      bindings: [
        { N: 2, H: 3, W: 7 },
        { N: 1, H: 8, W: 2 }
      ]
    }
  )
])

export const pool: readonly Case[] = [
  ...shapes.map(([name, operand, attributes]) => one(`max ${name}`, 'MaxPool', [operand], attributes)),
  ...shapes.map(([name, operand, attributes]) =>
    one(`average ${name}`, 'AveragePool', [operand], attributes, { opset: 19 })
  ),
  ...shapes.map(([name, operand, attributes]) =>
    one(
      `average ${name}, count_include_pad`,
      'AveragePool',
      [operand],
      { ...attributes, count_include_pad: 1 },
      { opset: 19 }
    )
  ),
  one('max dilated', 'MaxPool', [x(1, 6, 11, 12)], {
    kernel_shape: [3, 2],
    dilations: [2, 3],
    strides: [2, 1],
    pads: [1, 1, 2, 1]
  }),
  one('max dilated, ceil', 'MaxPool', [x(1, 6, 11, 12)], {
    kernel_shape: [3, 2],
    dilations: [2, 3],
    strides: [2, 2],
    ceil_mode: 1
  }),
  one(
    'average dilated',
    'AveragePool',
    [x(1, 6, 11, 12)],
    { kernel_shape: [3, 2], dilations: [2, 3], pads: [1, 1, 2, 1] },
    { opset: 19 }
  ),
  one('max of negative numbers, padded', 'MaxPool', [{ ...x(1, 3, 5, 5), range: [-3, -1] }], {
    kernel_shape: [3, 3],
    pads: [1, 1, 1, 1]
  }),
  one('average, neighbouring windows', 'AveragePool', [x(1, 10, 5, 12)], { kernel_shape: [3, 3], pads: [1, 0, 0, 1] }),
  one('opset 7 average', 'AveragePool', [x(1, 3, 7, 7)], { kernel_shape: [3, 3], pads: [1, 1, 1, 1] }, { opset: 7 }),
  one(
    'opset 8 max',
    'MaxPool',
    [x(1, 3, 7, 7)],
    { kernel_shape: [3, 3], strides: [2, 2], storage_order: 0 },
    { opset: 8 }
  ),
  ...free,
  ...global
]
