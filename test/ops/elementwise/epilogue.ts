// What joins a convolution or matrix product: every activation, residuals before and behind it, exporters' spellings.

import { type Case, c, type Operand, one, type Step, scalar, x } from '../../support/cases/case.js'
import type { Attributes } from '../../support/onnx/model.js'
import { functions } from './elementwise.js'

const hosts: readonly [string, string, Operand[], Attributes, readonly number[]][] = [
  ['Conv', 'Conv', [x(1, 4, 6, 7), c(13, 4, 3, 3), c(13)], {}, [1, 13, 4, 5]],
  ['depthwise Conv', 'Conv', [x(1, 13, 6, 7), c(13, 1, 3, 3), c(13)], { group: 13 }, [1, 13, 4, 5]],
  ['1×1 Conv', 'Conv', [x(2, 4, 3, 7), c(13, 4, 1, 1)], {}, [2, 13, 3, 7]],
  ['grouped Conv', 'Conv', [x(1, 4, 6, 7), c(10, 2, 3, 3), c(10)], { group: 2 }, [1, 10, 4, 5]],
  ['ConvTranspose', 'ConvTranspose', [x(1, 4, 3, 4), c(4, 13, 2, 2), c(13)], { strides: [2, 2] }, [1, 13, 6, 8]],
  ['Gemm', 'Gemm', [x(5, 6), c(6, 13), c(13)], {}, [5, 13]]
]

/** Functions that are real for every number. */
const partial = ['Log', 'Sqrt', 'Reciprocal', 'Tan', 'Asin', 'Acos', 'Acosh', 'Atanh']
const total = functions.filter(([op]) => !partial.includes(op))

const activated: readonly Case[] = hosts.flatMap(([name, op, operands, attributes, shape]) => [
  ...total.map(([act, own, , opset = 17]) =>
    one(`${name}, ${act} ${JSON.stringify(own)}`, op, operands, attributes, {
      opset,
      next: [{ op: act, attributes: own }]
    })
  ),
  one(`${name}, Clip 0 6`, op, operands, attributes, { next: [{ op: 'Clip', operands: [scalar(0), scalar(6)] }] }),
  one(`${name}, Clip -1 1`, op, operands, attributes, { next: [{ op: 'Clip', operands: [scalar(-1), scalar(1)] }] }),
  one(`${name}, PRelu by channel`, op, operands, attributes, {
    next: [{ op: 'PRelu', operands: [c(shape[1], ...shape.slice(2).map(() => 1))] }]
  }),
  one(`${name}, PRelu by one slope`, op, operands, attributes, { next: [{ op: 'PRelu', operands: [c(1)] }] }),
  one(`${name}, residual`, op, operands, attributes, { next: [{ op: 'Add', operands: [x(...shape)] }] }),
  one(`${name}, residual in front`, op, operands, attributes, {
    next: [{ op: 'Add', operands: [x(...shape), 'previous'] }]
  }),
  one(`${name}, residual, then Relu`, op, operands, attributes, {
    next: [{ op: 'Add', operands: [x(...shape)] }, { op: 'Relu' }]
  }),
  one(`${name}, residual, then PRelu`, op, operands, attributes, {
    next: [
      { op: 'Add', operands: [x(...shape)] },
      { op: 'PRelu', operands: [c(shape[1], ...shape.slice(2).map(() => 1))] }
    ]
  }),
  one(`${name}, Relu, then residual`, op, operands, attributes, {
    next: [{ op: 'Relu' }, { op: 'Add', operands: [x(...shape)] }]
  }),
  one(`${name}, PRelu, then residual`, op, operands, attributes, {
    next: [
      { op: 'PRelu', operands: [c(shape[1], ...shape.slice(2).map(() => 1))] },
      { op: 'Add', operands: [x(...shape)] }
    ]
  }),
  one(`${name}, Sigmoid, residual, Relu`, op, operands, attributes, {
    next: [{ op: 'Sigmoid' }, { op: 'Add', operands: [x(...shape)] }, { op: 'Relu' }]
  }),
  one(`${name}, residual of a channel`, op, operands, attributes, {
    next: [{ op: 'Add', operands: [x(1, shape[1], ...shape.slice(2).map(() => 1))] }]
  }),
  one(`${name}, residual that is constant`, op, operands, attributes, {
    next: [{ op: 'Add', operands: [c(...shape)] }, { op: 'Relu' }]
  }),
  one(`${name}, added to itself`, op, operands, attributes, {
    next: [{ op: 'Add', operands: ['previous', 'previous'] }]
  }),
  ...scales(shape).map(([what, next]) => one(`${name}, ${what}`, op, operands, attributes, { next }))
])

/** Arithmetic with constants behind a layer. */
function scales(shape: readonly number[]): [string, Step[]][] {
  const channel = (): Operand => c(shape[1], ...shape.slice(2).map(() => 1))
  const away: Operand = { ...channel(), range: [0.5, 2] }
  return [
    ['Mul by channel', [{ op: 'Mul', operands: [channel()] }]],
    ['Mul by a number', [{ op: 'Mul', operands: [scalar(0.3)] }]],
    ['Add by channel', [{ op: 'Add', operands: [channel()] }]],
    ['Sub by channel', [{ op: 'Sub', operands: [channel()] }]],
    ['Sub from a channel', [{ op: 'Sub', operands: [channel(), 'previous'] }]],
    ['Div by channel', [{ op: 'Div', operands: [away] }]],
    [
      'Div of a number',
      [
        { op: 'Add', operands: [scalar(40)] },
        { op: 'Div', operands: [scalar(3), 'previous'] }
      ]
    ],
    [
      'Mul and Add, then Relu',
      [{ op: 'Mul', operands: [channel()] }, { op: 'Add', operands: [channel()] }, { op: 'Relu' }]
    ],
    ['Mul by a column', [{ op: 'Mul', operands: [c(shape[shape.length - 1])] }]],
    ['Mul by an image', [{ op: 'Mul', operands: [c(...shape)] }]]
  ]
}

const conv = (next: Step[], opset = 17): [string, Operand[], Attributes, { next: Step[]; opset: number }] => [
  'Conv',
  [x(1, 4, 6, 7), c(13, 4, 3, 3), c(13)],
  {},
  { next, opset }
]

/** Scale and shift in front of a layer. */
const inFront: readonly Case[] = [
  one(
    'Mul in front of Conv',
    'Mul',
    [x(1, 4, 6, 7), c(4, 1, 1)],
    {},
    { next: [{ op: 'Conv', operands: [c(6, 4, 3, 3)], attributes: { pads: [1, 1, 1, 1] } }] }
  ),
  one(
    'Add in front of Conv',
    'Add',
    [x(1, 4, 6, 7), c(4, 1, 1)],
    {},
    { next: [{ op: 'Conv', operands: [c(6, 4, 3, 3)] }] }
  ),
  one(
    'Add in front of a padded Conv',
    'Add',
    [x(1, 4, 6, 7), c(4, 1, 1)],
    {},
    { next: [{ op: 'Conv', operands: [c(6, 4, 3, 3)], attributes: { pads: [1, 1, 1, 1] } }] }
  ),
  one(
    'normalised input',
    'Sub',
    [x(1, 3, 6, 7), c(3, 1, 1)],
    {},
    {
      next: [
        { op: 'Div', operands: [{ ...c(3, 1, 1), range: [0.5, 2] }] },
        { op: 'Conv', operands: [c(6, 3, 3, 3), c(6)], attributes: { pads: [1, 1, 1, 1] } }
      ]
    }
  ),
  one(
    'Sub from a number in front of Conv',
    'Sub',
    [scalar(1), x(1, 4, 6, 7)],
    {},
    { next: [{ op: 'Conv', operands: [c(6, 4, 3, 3)] }] }
  ),
  one(
    'Div of a number in front of Conv',
    'Div',
    [scalar(1), { ...x(1, 4, 6, 7), range: [0.5, 2] }],
    {},
    { next: [{ op: 'Conv', operands: [c(6, 4, 3, 3)] }] }
  ),
  one(
    'Mul in front of ConvTranspose',
    'Mul',
    [x(1, 4, 6, 7), c(4, 1, 1)],
    {},
    { next: [{ op: 'ConvTranspose', operands: [c(4, 5, 3, 3)] }] }
  ),
  one('Add in front of Gemm', 'Add', [x(3, 8), c(8)], {}, { next: [{ op: 'Gemm', operands: [c(8, 5), c(5)] }] }),
  one(
    'Mul in front of Gemm',
    'Mul',
    [x(3, 8), c(8)],
    {},
    { next: [{ op: 'Gemm', operands: [c(5, 8)], attributes: { transB: 1 } }] }
  )
]

export const epilogues: readonly Case[] = [
  ...activated,
  ...inFront,
  one('Conv, Mish as exporters write it is a pattern of Softplus', ...conv([{ op: 'Softplus' }, { op: 'Tanh' }])),
  one('Conv, two activations', ...conv([{ op: 'Relu' }, { op: 'Sigmoid' }])),
  one(
    'Conv, HardSwish as Add Clip Div Mul',
    ...conv([
      { op: 'Add', operands: [scalar(3)] },
      { op: 'Clip', operands: [scalar(0), scalar(6)] },
      { op: 'Div', operands: [scalar(6)] }
    ])
  )
]
