// Reductions over every set of axes, with axes as an attribute and as an input.
import { type Case, floats, ints, one, within, x } from '../../support/cases/case.js'

const reductions = [
  'ReduceMean',
  'ReduceMax',
  'ReduceSum',
  'ReduceL2',
  'ReduceMin',
  'ReduceProd',
  'ReduceL1',
  'ReduceSumSquare',
  'ReduceLogSum',
  'ReduceLogSumExp'
]

const axesSets: readonly (readonly number[])[] = [
  [2, 3],
  [1],
  [-1],
  [0],
  [0, 2],
  [-3, -1],
  [1, 2, 3],
  [3],
  [0, 1, 2, 3]
]

export const reduce: readonly Case[] = [
  ...reductions.flatMap(op => {
    const input = within(x(3, 6, 5, 7), 0.5, 2)
    return axesSets.flatMap(axes =>
      [0, 1].map(keepdims =>
        one(`${op} over [${axes}], keepdims ${keepdims}`, op, [input, ints(...axes)], { keepdims }, { opset: 18 })
      )
    )
  }),
  ...reductions.flatMap(op => [
    one(
      `${op}, axes as an attribute`,
      op,
      [within(x(2, 5, 3, 4), 0.5, 2)],
      { axes: [1, 3] },
      { opset: op === 'ReduceSum' ? 11 : 13 }
    ),
    one(`${op} of everything`, op, [within(x(2, 5, 3), 0.5, 2)], { keepdims: 0 }, { opset: 13 }),
    // Four neighbouring outputs at a time, and a workgroup for them where much is reduced.
    ...[5, 45].map(count =>
      one(`${op} of ${count} aligned rows`, op, [within(x(2, count, 8), 0.8, 1.25)], { axes: [1] }, { opset: 11 })
    ),
    one(`${op} of 63 neighbouring columns`, op, [within(x(2, 7, 3, 21), 0.8, 1.25)], { axes: [1] }, { opset: 11 }),
    one(`${op} of runs of 45`, op, [within(x(3, 2, 45), 0.8, 1.25)], { axes: [2] }, { opset: 11 }),
    // The logarithm of a negative sum is no number.
    one(
      `${op} of signed numbers`,
      op,
      [op === 'ReduceLogSum' ? within(x(2, 5, 3), 1, 3) : x(2, 5, 3)],
      { axes: [1] },
      { opset: 11 }
    )
  ]),
  one(
    'ReduceSum of no axes is the identity',
    'ReduceSum',
    [x(2, 5, 3), ints()],
    { noop_with_empty_axes: 1 },
    { opset: 13 }
  ),
  one('ReduceMean of no axes', 'ReduceMean', [x(2, 5, 3), ints()], { noop_with_empty_axes: 0 }, { opset: 18 }),
  one('ReduceMean, axes left out', 'ReduceMean', [x(2, 5, 3)], {}, { opset: 18 }),
  one(
    'ReduceMax of rank 1',
    'ReduceMax',
    [x(37), ints(0)],
    { keepdims: 0 },
    { opset: 18, next: [{ op: 'Mul', operands: [floats(1, 2, 3)] }] }
  ),
  one('ReduceMean of rank 5', 'ReduceMean', [x(2, 3, 4, 5, 3), ints(1, 3)], {}, { opset: 18 }),
  one('ReduceMean, many channels', 'ReduceMean', [x(1, 65, 9, 9), ints(2, 3)], {}, { opset: 18 }),
  one('ReduceMean over axes of size 1', 'ReduceMean', [x(2, 5, 1, 1), ints(2, 3)], { keepdims: 0 }, { opset: 18 }),
  ...['ReduceMean', 'ReduceMax', 'ReduceSum', 'ReduceL2'].map(op =>
    one(
      `${op} of free sizes`,
      op,
      [x('N', 5, 'H', 'W'), ints(2, 3)],
      {},
      {
        opset: 18,
        bindings: [
          { N: 2, H: 3, W: 5 },
          { N: 1, H: 6, W: 4 }
        ]
      }
    )
  ),
  one(
    'ReduceMean over channels of free sizes',
    'ReduceMean',
    [x('N', 5, 'H', 'W'), ints(1)],
    { keepdims: 0 },
    {
      opset: 18,
      bindings: [
        { N: 2, H: 3, W: 5 },
        { N: 1, H: 6, W: 4 }
      ]
    }
  )
]
