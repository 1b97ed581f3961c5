// CumSum along every axis, from either end, with the element itself or without.
import { type Case, ints, one, scalar, typed, x } from '../../support/cases/case.js'
import type { Attributes } from '../../support/onnx/model.js'

const ways: readonly Attributes[] = [{}, { exclusive: 1 }, { reverse: 1 }, { exclusive: 1, reverse: 1 }]
const named = (way: Attributes) => Object.keys(way).join(' and ') || 'plain'

export const cumsum: readonly Case[] = [
  ...ways.flatMap(way => [
    ...[0, 1, 2, -1].map(axis =>
      one(`CumSum, axis ${axis}, ${named(way)}`, 'CumSum', [x(3, 5, 6), scalar(axis, 'int64')], way)
    ),
    one(`CumSum of a long row, ${named(way)}`, 'CumSum', [x(2, 1000), ints(1)], way)
  ]),
  one('CumSum of one axis', 'CumSum', [x(17), scalar(0, 'int32')]),
  one('CumSum of one element', 'CumSum', [x(3, 1, 4), ints(1)], { exclusive: 0, reverse: 1 }),
  one('CumSum of integers', 'CumSum', [typed(x(4, 300), 'int64', [-1000, 1000]), ints(1)]),
  one('CumSum of many columns', 'CumSum', [x(7, 37), ints(0)]),
  one(
    'CumSum behind a transposition',
    'Transpose',
    [x(5, 6, 7)],
    { perm: [2, 0, 1] },
    { next: [{ op: 'CumSum', operands: [ints(1)] }] }
  ),
  one('CumSum, then Relu', 'CumSum', [x(4, 9), ints(1)], {}, { next: [{ op: 'Relu' }] }),
  one(
    'CumSum of free sizes',
    'CumSum',
    [x('N', 'W'), ints(1)],
    {},
    {
      bindings: [
        { N: 2, W: 5 },
        { N: 3, W: 300 }
      ]
    }
  )
]
