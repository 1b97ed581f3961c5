// TopK along every axis and of every opset; equal elements, NaN and infinities; rows as detectors have them.
import { type Case, given, ints, one, typed, x } from '../../support/cases/case.js'

const both = { outputs: 2 }
const edges = [
  3,
  Number.NEGATIVE_INFINITY,
  0,
  -0,
  Number.POSITIVE_INFINITY,
  -2,
  3,
  1e-40,
  -1e-40,
  Number.POSITIVE_INFINITY,
  0.5,
  0
]
const unordered = [1, Number.NaN, 5, Number.NEGATIVE_INFINITY, Number.NaN, Number.POSITIVE_INFINITY, -4]

export const topk: readonly Case[] = [
  ...[0, 1].flatMap(largest => [
    ...[0, 1, 2, 3, -1, -3].map(axis =>
      one(`TopK, largest ${largest}, axis ${axis}`, 'TopK', [x(4, 5, 6, 7), ints(3)], { axis, largest }, both)
    ),
    one(
      `TopK, largest ${largest}, equal elements`,
      'TopK',
      [typed(x(5, 60), 'int32', [0, 3]), ints(20)],
      { largest },
      both
    ),
    one(`TopK, largest ${largest}, all of a row`, 'TopK', [x(3, 70), ints(70)], { largest }, both),
    one(
      `TopK, largest ${largest}, infinities, zeros of both signs`,
      'TopK',
      [given(edges), ints(9)],
      { largest },
      both
    ),
    one(`TopK, largest ${largest}, 300 of 8400`, 'TopK', [x(1, 8400), ints(300)], { largest }, both)
  ]),
  ...[
    { largest: 1, values: [Number.NaN, Number.NaN, Number.POSITIVE_INFINITY, 5], places: [1, 4, 5, 2] },
    { largest: 0, values: [Number.NEGATIVE_INFINITY, -4, 1, 5], places: [3, 6, 0, 2] }
  ].map(({ largest, values, places }) =>
    one(
      `TopK, largest ${largest}, of what is no number`,
      'TopK',
      [given(unordered), ints(4)],
      { largest },
      {
        ...both,
        expected: {
          reason: 'onnxruntime compares NaN like a number, so that its order is any',
          outputs: [values, places]
        }
      }
    )
  ),
  one('TopK, 1000 of 25200', 'TopK', [x(25200), ints(1000)], {}, both),
  one(
    'TopK, 100 of 8400, most of them equal',
    'TopK',
    [typed(x(2, 8400), 'float32', [0.5, 0.500001]), ints(100)],
    {},
    both
  ),
  one('TopK of scores that lie in columns', 'TopK', [x(1, 8400, 2), ints(100)], { axis: 1 }, both),
  one('TopK, one of a row', 'TopK', [x(6, 9), ints(1)], {}, both),
  one(
    'TopK, any order asked for',
    'TopK',
    [x(6, 40), ints(9)],
    { sorted: 0 },
    { ...both, next: [{ op: 'ReduceSum', operands: [ints(1)] }] }
  ),
  one('TopK of integers', 'TopK', [typed(x(3, 50), 'int64', [-9000, 9000]), ints(7)], {}, both),
  one('TopK of opset 1, by an attribute', 'TopK', [x(4, 30)], { k: 6 }, { ...both, opset: 9 }),
  one('TopK of opset 10', 'TopK', [x(4, 30), ints(3)], { axis: 0 }, { ...both, opset: 10 }),
  one(
    'TopK of free sizes',
    'TopK',
    [x('N', 4, 'W'), ints(3)],
    {},
    {
      ...both,
      bindings: [
        { N: 2, W: 5 },
        { N: 1, W: 300 }
      ]
    }
  ),
  one('TopK, then Relu', 'TopK', [x(1, 3, 9, 8), ints(2)], { axis: 1 }, { ...both, next: [{ op: 'Relu' }] })
]
