// Element-wise operators: functions of one number, arithmetic with every kind of broadcasting, comparisons, Where, casts.

import {
  type Case,
  c,
  given,
  type Operand,
  one,
  type Rest,
  scalar,
  typed,
  within,
  x
} from '../../support/cases/case.js'
import { type Attributes, type DType, elementTypes, float } from '../../support/onnx/model.js'

const wide = within(x(2, 7, 3, 5), -6, 6)
const positive = within(x(2, 7, 3, 5), 0.1, 9)

/** Functions of one number: name, attributes, input, opset. */
export const functions: readonly [string, Attributes, Operand?, number?][] = [
  ['Relu', {}],
  ['LeakyRelu', {}],
  ['LeakyRelu', { alpha: float(0.3) }],
  ['Sigmoid', {}],
  ['Tanh', {}],
  ['Elu', {}],
  ['Elu', { alpha: float(1.7) }],
  ['Selu', {}],
  ['Selu', { alpha: float(1.2), gamma: float(0.8) }],
  ['HardSigmoid', {}],
  ['HardSigmoid', { alpha: float(1 / 6), beta: float(0.5) }],
  ['HardSwish', {}],
  ['Softplus', {}],
  ['Softsign', {}],
  ['ThresholdedRelu', { alpha: float(0.7) }],
  ['Shrink', { lambd: float(0.8), bias: float(0.3) }],
  ['Celu', { alpha: float(1.6) }],
  ['Sin', {}],
  ['Cos', {}],
  ['Tan', {}, within(wide, -1.4, 1.4)],
  ['Asin', {}, within(wide, -1, 1)],
  ['Acos', {}, within(wide, -1, 1)],
  ['Atan', {}],
  ['Sinh', {}],
  ['Cosh', {}],
  ['Asinh', {}],
  ['Acosh', {}, within(wide, 1, 9)],
  ['Atanh', {}, within(wide, -0.99, 0.99)],
  ['Mish', {}, wide, 18],
  ['Gelu', {}, wide, 20],
  // Further down onnxruntime rounds 1 + tanh, which is all that is left there; test/ops/numerics.ts has the tails.
  ['Gelu', { approximate: 'tanh' }, within(wide, -2.5, 6), 20],
  ['Erf', {}],
  ['Exp', {}],
  ['Log', {}, positive],
  ['Sqrt', {}, positive],
  ['Abs', {}],
  ['Neg', {}],
  ['Reciprocal', {}, positive],
  ['Floor', {}],
  ['Ceil', {}],
  ['Round', {}],
  ['Sign', {}]
]

export const activations: readonly Case[] = [
  ...functions.map(([op, attributes, input = wide, opset = 17]) =>
    one(`${op} ${JSON.stringify(attributes)}`, op, [input], attributes, { opset })
  ),
  ...functions.map(([op, attributes, input = wide, opset = 17]) =>
    one(`${op} ${JSON.stringify(attributes)}, 3 elements`, op, [{ ...input, dims: [3] }], attributes, { opset })
  ),
  ...['Sigmoid', 'Tanh', 'Softplus', 'Elu', 'Erf', 'Selu', 'HardSwish'].map(op =>
    one(`${op} of large numbers`, op, [within(x(9, 11), -200, 200)])
  ),
  ...['Mish', 'Gelu'].map(op => one(`${op} of large numbers`, op, [within(x(9, 11), -60, 60)], {}, { opset: 20 })),
  ...['Sigmoid', 'Tanh', 'Erf', 'Softsign', 'Elu'].map(op =>
    one(`${op} of small numbers`, op, [within(x(9, 11), -0.02, 0.02)])
  ),
  ...['Sin', 'Tan', 'Asin', 'Atan', 'Sinh', 'Asinh', 'Atanh'].map(op =>
    one(`${op} of tiny numbers`, op, [within(x(9, 11), -0.002, 0.002)])
  ),
  ...['Sin', 'Cos', 'Atan', 'Asinh'].map(op => one(`${op} of hundreds`, op, [within(x(9, 11), -900, 900)])),
  one('Acosh of large numbers', 'Acosh', [within(x(9, 11), 9000, 90000)]),
  one('Exp of large numbers', 'Exp', [within(x(9, 11), -80, 80)]),
  one('Log of small numbers', 'Log', [within(x(9, 11), 0.002, 0.02)]),
  one(
    'Round to even',
    'Round',
    [given([-2.5, -1.5, -0.5, 0.5, 1.5, 2.5, 0.4999999], [7])],
    {},
    { next: [{ op: 'Mul', operands: [x(7)] }] }
  ),
  one('PRelu, one slope', 'PRelu', [wide, c(1)]),
  one('PRelu, a slope a channel', 'PRelu', [wide, c(7, 1, 1)]),
  one('PRelu, a slope an element', 'PRelu', [wide, c(7, 3, 5)]),
  one('PRelu, a slope a column', 'PRelu', [wide, c(5)]),
  one('PRelu of rank 2', 'PRelu', [within(x(3, 10), -3, 3), c(10)]),
  one('PRelu, slopes are an activation', 'PRelu', [wide, x(7, 1, 1)]),
  one('Clip', 'Clip', [wide, scalar(-1.5), scalar(2.5)]),
  one('Clip, minimum only', 'Clip', [wide, scalar(-1.5)]),
  one('Clip, maximum only', 'Clip', [wide, undefined, scalar(1.5)]),
  one('Clip, no bounds', 'Clip', [wide], {}, { next: [{ op: 'Neg' }] }),
  one('Clip between inputs', 'Clip', [wide, within(x(), -2, -1), within(x(), 1, 2)]),
  one('Clip to an input', 'Clip', [wide, scalar(-1), within(x(), 1, 2)]),
  one('Clip 6', 'Clip', [wide], { min: float(-0.5), max: float(6) }, { opset: 7 }),
  one('Clip 6, one bound', 'Clip', [wide], { min: float(0) }, { opset: 10 }),
  one(
    'Relu of free sizes',
    'Relu',
    [x('N', 5, 'H', 'W')],
    {},
    {
      bindings: [
        { N: 2, H: 3, W: 5 },
        { N: 1, H: 6, W: 4 }
      ]
    }
  ),
  one('Relu of a scalar', 'Relu', [x()], {}, { next: [{ op: 'Add', operands: [c(3)] }] })
]

const arithmetic = ['Add', 'Sub', 'Mul', 'Div', 'Pow', 'Max', 'Min']
const comparisons = ['Equal', 'Greater', 'Less', 'GreaterOrEqual', 'LessOrEqual']

const shapes: readonly [string, Operand, Operand][] = [
  ['same shape', x(2, 6, 3, 5), x(2, 6, 3, 5)],
  ['a scalar', x(2, 6, 3, 5), within(x(), -1, 1)],
  ['one element', x(2, 6, 3, 5), within(x(1), -1, 1)],
  ['a channel', x(2, 6, 3, 5), x(6, 1, 1)],
  ['a channel of each image', x(2, 6, 3, 5), x(2, 6, 1, 1)],
  ['a row', x(2, 6, 3, 5), x(5)],
  ['a column', x(2, 6, 3, 5), x(3, 1)],
  ['a map', x(2, 6, 3, 5), x(1, 1, 3, 5)],
  ['both repeat', x(2, 1, 3, 5), x(6, 1, 5)],
  ['both repeat everywhere', x(1, 6, 1, 5), x(2, 1, 3, 1)],
  ['smaller on the left', x(6, 1, 1), x(2, 6, 3, 5)],
  ['rank 2', x(4, 7), x(1, 7)],
  ['rank 5', x(2, 3, 2, 4, 3), x(3, 1, 1, 3)]
]

const positiveFor = (op: string, operand: Operand) => (op === 'Pow' || op === 'Div' ? within(operand, 0.5, 2) : operand)
const constant = (operand: Operand): Operand => ({ ...operand, kind: 'constant' })

const binary: readonly Case[] = arithmetic.flatMap(op => [
  ...shapes.map(([name, a, b]) => one(`${op}, ${name}`, op, [positiveFor(op, a), positiveFor(op, b)])),
  ...shapes
    .slice(1, 8)
    .map(([name, a, b]) => one(`${op}, constant, ${name}`, op, [positiveFor(op, a), positiveFor(op, constant(b))])),
  ...shapes
    .slice(0, 5)
    .map(([name, a, b]) =>
      one(`${op}, constant in front, ${name}`, op, [positiveFor(op, constant(b)), positiveFor(op, a)])
    ),
  one(
    `${op} of free sizes`,
    op,
    [positiveFor(op, x('N', 5, 'H', 'W')), positiveFor(op, x('N', 5, 1, 1))],
    {},
    {
      bindings: [
        { N: 2, H: 3, W: 5 },
        { N: 1, H: 6, W: 4 }
      ]
    }
  )
])

/** Small whole numbers, so that equal ones occur. */
const digits = (operand: Operand, dtype: DType) => typed(operand, dtype, [-2, 2])
const toFloat = { next: [{ op: 'Cast', attributes: { to: 1 } }] } satisfies Rest

const comparison: readonly Case[] = comparisons.flatMap(op => [
  one(`${op} of int32`, op, [digits(x(3, 9, 4), 'int32'), digits(x(3, 9, 4), 'int32')]),
  one(`${op} of int64, broadcast`, op, [digits(x(3, 9, 4), 'int64'), digits(x(9, 1), 'int64')]),
  one(`${op} of floats`, 'Round', [x(3, 9, 4)], {}, { next: [{ op, operands: [scalar(1)] }] }),
  one(`${op}, then Cast`, op, [digits(x(3, 9, 4), 'int32'), digits(x(9, 1), 'int32')], {}, toFloat)
])

const bools = (...dims: number[]) => typed(x(...dims), 'bool', [0, 1])
const types: readonly DType[] = ['float32', 'float16', 'float64', 'int64', 'int32', 'uint8', 'int8', 'bool']
export const elementwise: readonly Case[] = [
  ...binary,
  ...comparison,
  one('Pow of negative numbers, whole exponents', 'Pow', [x(3, 5), given([2, 3, 4, 1, 2])]),
  one('Pow of negative numbers, exponents at most 0', 'Pow', [within(x(3, 5), -2, -1), given([0, -1, -2, -3, -8])]),
  one('Pow, large exponents', 'Pow', [within(x(3, 5), 0.8, 1.1), given([37.5, 300, -20.25, 64, 1.5])]),
  one('Pow of integers', 'Pow', [typed(x(6, 9), 'int32', [-3, 3]), typed(x(6, 9), 'int32', [0, 9])], {}, { opset: 13 }),
  one('Pow, exponent 2', 'Pow', [x(3, 5), scalar(2)]),
  one('Pow, exponent 0.5', 'Pow', [within(x(3, 5), 0.1, 4), scalar(0.5)]),
  one('Pow, integer exponent', 'Pow', [x(3, 5), scalar(3, 'int64')], {}, { opset: 13 }),
  one('Div of integers', 'Div', [typed(x(4, 9), 'int32', [-50, 50]), typed(x(4, 9), 'int32', [1, 7])]),
  one('Mod', 'Mod', [typed(x(4, 9), 'int64', [-50, 50]), typed(x(4, 9), 'int64', [1, 7])]),
  one('Mod of floats', 'Mod', [within(x(4, 9), -5, 5), within(x(4, 9), 1, 3)], { fmod: 1 }),
  one('Mod by negative numbers', 'Mod', [typed(x(4, 9), 'int32', [-50, 50]), typed(x(4, 9), 'int32', [-7, -1])]),
  one('Mod with the sign of the dividend', 'Mod', [typed(x(4, 9), 'int64', [-50, 50]), typed(x(9), 'int64', [1, 7])], {
    fmod: 1
  }),
  one('Mod, broadcast', 'Mod', [typed(x(3, 1, 5), 'int32', [-50, 50]), typed(x(4, 1), 'int32', [1, 9])]),
  one('Mod by a constant', 'Mod', [typed(x(2, 3, 7), 'int64', [0, 9000]), scalar(80, 'int64')]),
  one('Mod of floats of any sign', 'Mod', [within(x(4, 9), -5, 5), within(c(9), -3, -1)], { fmod: 1 }),
  one('Add of int64', 'Add', [typed(x(4, 9), 'int64', [-1000, 1000]), typed(x(9), 'int64', [-1000, 1000])]),
  one('Mul of int32', 'Mul', [typed(x(4, 9), 'int32', [-100, 100]), typed(x(9), 'int32', [-100, 100])]),
  ...['Max', 'Min', 'Sum', 'Mean'].flatMap(op => [
    one(`${op} of three`, op, [x(2, 6, 3), x(6, 1), x(2, 1, 3)]),
    one(`${op} of one`, op, [x(2, 6, 3)], {}, { next: [{ op: 'Neg' }] }),
    one(`${op} of two`, op, [x(2, 6, 3), c(6, 3)])
  ]),
  one('Where', 'Where', [bools(3, 7), x(3, 7), x(3, 7)]),
  one('Where, aligned, broadcast values', 'Where', [bools(3, 8), x(3, 1), x(8)]),
  one('Where, broadcast condition', 'Where', [bools(3, 1, 5), x(2, 3, 4, 5), x(1)]),
  one('Where, broadcast values', 'Where', [bools(2, 3, 4, 5), x(5), x(3, 1, 1)]),
  one(
    'Where by a comparison',
    'Greater',
    [x(3, 7), scalar(0)],
    {},
    { next: [{ op: 'Where', operands: [x(3, 7), scalar(-9)] }] }
  ),
  one('Where of int64', 'Where', [bools(3, 7), typed(x(3, 7), 'int64', [-99, 99]), scalar(5, 'int64')]),
  ...['And', 'Or', 'Xor'].map(op => one(op, op, [bools(3, 29), bools(29)])),
  one('Not', 'Not', [bools(3, 9)]),
  ...types.flatMap(from =>
    types
      .filter(to => to !== from && to !== 'bool')
      .map(to =>
        one(
          `Cast ${from} to ${to}`,
          'Cast',
          [typed(x(4, 7), from, from === 'bool' ? [0, 1] : from === 'uint8' || to === 'uint8' ? [0, 99] : [-99, 99])],
          { to: elementTypes[to] }
        )
      )
  ),
  ...(['int16', 'uint16', 'uint32', 'uint64'] as const).flatMap(type => [
    one(`Cast float32 to ${type}`, 'Cast', [within(x(4, 7), 0, 999)], { to: elementTypes[type] }),
    one(`Cast ${type} to float32`, 'Cast', [typed(x(4, 7), type, [0, 999])], { to: elementTypes.float32 })
  ]),
  one(
    'Cast of small floats to bool',
    'Cast',
    [given([0, 0.25, -0.5, 0, 3], [5]), undefined].slice(0, 1),
    { to: 9 },
    { next: [{ op: 'Where', operands: [x(5), x(5)] }] }
  ),
  ...types.map(from =>
    one(
      `Cast int32 to ${from} to bool`,
      'Cast',
      [digits(x(4, 7), 'int32')],
      { to: elementTypes[from] },
      { next: [{ op: 'Cast', attributes: { to: 9 } }] }
    )
  ),
  one('CastLike', 'CastLike', [x(4, 7), given([1], [1], 'int64')], {}, { opset: 19 }),
  one('CastLike of two inputs', 'CastLike', [typed(x(4, 7), 'int32', [-9, 9]), x(2)], {}, { opset: 19 }),
  ...['Add', 'Mul', 'Relu', 'Sigmoid'].map(op => {
    const half = typed(x(2, 6, 3, 5), 'float16')
    const operands = op === 'Add' || op === 'Mul' ? [half, typed(x(6, 1, 1), 'float16')] : [half]
    return one(`${op} of float16`, op, operands, {}, { tolerance: { limit: 1e-3, reason: 'half an ulp of binary16' } })
  }),
  one(
    'Conv of float16',
    'Conv',
    [typed(x(1, 4, 6, 7), 'float16'), typed(c(5, 4, 3, 3), 'float16'), typed(c(5), 'float16')],
    {},
    {
      tolerance: { limit: 1e-3, reason: 'the result is rounded to binary16' }
    }
  ),
  one('Add of float64', 'Add', [typed(x(3, 5), 'float64'), typed(x(5), 'float64')])
]
