// Softmax and its logarithm over every axis, in the meaning of opset 13 and in the one before.
import { type Case, c, ints, one, within, x } from '../../support/cases/case.js'

export const softmax: readonly Case[] = ['Softmax', 'LogSoftmax'].flatMap(op => [
  ...[0, 1, 2, 3, -1, -2, -4].map(axis => one(`${op}, axis ${axis}`, op, [x(3, 6, 5, 7)], { axis })),
  ...[0, 1, 2, 3, -1].map(axis =>
    one(`${op}, flattened from axis ${axis}`, op, [x(2, 6, 5, 3)], { axis }, { opset: 11 })
  ),
  one(`${op}, default axis`, op, [x(3, 6, 5)]),
  one(`${op}, default axis of opset 7`, op, [x(3, 6, 5)], {}, { opset: 7 }),
  one(`${op}, rank 2`, op, [x(4, 1000)], { axis: 1 }),
  one(`${op}, rank 1`, op, [x(10)], { axis: 0 }),
  one(`${op} of large numbers`, op, [within(x(3, 11), -300, 300)], { axis: 1 }),
  one(`${op}, one element a row`, op, [x(3, 1)], { axis: 0 }),
  one(
    `${op}, channels of free sizes`,
    op,
    [x('N', 6, 'H', 'W')],
    { axis: 1 },
    {
      bindings: [
        { N: 2, H: 3, W: 5 },
        { N: 1, H: 6, W: 4 }
      ]
    }
  ),
  ...[1, 2].map(axis =>
    one(
      `${op} of a part of a map, flattened from axis ${axis}`,
      'Conv',
      [x(2, 3, 5, 7), c(4, 3, 1, 1)],
      {},
      {
        opset: 11,
        next: [
          { op: 'Slice', operands: [ints(1), ints(5), ints(3)] },
          { op, attributes: { axis } }
        ]
      }
    )
  ),
  one(`${op} behind a convolution`, 'Relu', [x(2, 12, 5, 3)], {}, { next: [{ op, attributes: { axis: 1 } }] })
])
