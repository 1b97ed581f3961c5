// Operators that compare positions: triangles, diagonals, the first of the largest, sequences turned round.
import { type Case, c, given, ints, one, type Rest, scalar, typed, within, x } from '../../support/cases/case.js'

const free = (...sizes: number[]) => ({ bindings: sizes.map(N => ({ N })) })
const k = (value: number) => scalar(value, 'int64')

const triangles = [
  one('upper', 'Trilu', [x(5, 7)]),
  one('lower', 'Trilu', [x(5, 7)], { upper: 0 }),
  one('of many matrices', 'Trilu', [x(2, 3, 6, 4), k(1)]),
  one('below the diagonal', 'Trilu', [x(6, 6), k(-2)]),
  one('lower, above the diagonal', 'Trilu', [x(3, 4, 6), k(2)], { upper: 0 }),
  one('lower, below the diagonal', 'Trilu', [x(6, 4), k(-1)], { upper: 0 }),
  one('all of it', 'Trilu', [x(5, 5), k(-9)]),
  one('of integers', 'Trilu', [typed(x(5, 6), 'int64', [-50, 50]), k(1)]),
  one('of booleans', 'Trilu', [typed(x(7, 6), 'bool', [0, 1])], {}, { opset: 14 }),
  one(
    'of NaN and infinities',
    'Trilu',
    [given([1, 2, Number.NaN, Number.POSITIVE_INFINITY], [2, 2])],
    {},
    {
      next: [{ op: 'Mul', operands: [x(2, 2)] }]
    }
  ),
  one('Trilu of free sizes', 'Trilu', [x(2, 'N', 6), k(1)], {}, free(3, 8)),
  one('Trilu of free squares', 'Trilu', [x('N', 'N')], { upper: 0 }, free(4, 9))
]

/** What is multiplied by them tells where the ones are. */
const seen = (...dims: (number | string)[]): Rest => ({ next: [{ op: 'Mul', operands: [x(...dims)] }] })
const eyes = [
  one('a square', 'EyeLike', [x(5, 5)], {}, seen(5, 5)),
  one('off the diagonal', 'EyeLike', [x(4, 6)], { k: 1 }, seen(4, 6)),
  one('below the diagonal', 'EyeLike', [x(6, 4)], { k: -2 }, seen(6, 4)),
  one('of another type', 'EyeLike', [typed(x(3, 3), 'int32', [0, 9])], { dtype: 1 }, seen(3, 3)),
  one(
    'of integers',
    'EyeLike',
    [typed(x(3, 4), 'int64', [0, 9])],
    {},
    {
      next: [{ op: 'Mul', operands: [typed(x(3, 4), 'int64', [1, 9])] }]
    }
  ),
  one('of free sizes', 'EyeLike', [x('N', 5)], { k: 1 }, { ...seen('N', 5), ...free(3, 7) })
]

const largest = [
  one('by default', 'Hardmax', [x(4, 9)]),
  one('of channels', 'Hardmax', [x(2, 5, 4, 3)], { axis: 1 }),
  one('the first of equal ones', 'Hardmax', [given([3, 1, 3, 3, -1, -1, -2, -1], [2, 4])], { axis: 1 }, seen(2, 4)),
  one('of all that follows, opset 11', 'Hardmax', [x(3, 4, 5)], { axis: 1 }, { opset: 11 }),
  one('of everything, opset 11', 'Hardmax', [x(3, 4, 5)], { axis: 0 }, { opset: 11 }),
  one(
    'behind a convolution',
    'Conv',
    [x(1, 3, 6, 6), c(8, 3, 3, 3)],
    {},
    { next: [{ op: 'Hardmax', attributes: { axis: 1 } }] }
  ),
  one('Hardmax of free sizes', 'Hardmax', [x('N', 6)], {}, free(2, 7))
]

const lengths = (most: number, ...dims: (number | string)[]) => within(typed(x(...dims), 'int64'), 0, most)
const turned = [
  one('of the second axis', 'ReverseSequence', [x(6, 4), lengths(6, 4)]),
  one('of the first axis', 'ReverseSequence', [x(4, 6), lengths(6, 4)], { time_axis: 1, batch_axis: 0 }),
  one('of maps', 'ReverseSequence', [x(5, 3, 4, 2), lengths(5, 3)]),
  one('of given lengths', 'ReverseSequence', [x(3, 4, 2), ints(4, 1, 0)], { time_axis: 1, batch_axis: 0 }),
  one(
    'ReverseSequence of a free batch',
    'ReverseSequence',
    [x('N', 6, 2), lengths(6, 'N')],
    { time_axis: 1, batch_axis: 0 },
    free(2, 5)
  ),
  one('ReverseSequence of a free length', 'ReverseSequence', [x('N', 3), lengths(4, 3)], {}, free(4, 9))
]

export const positions: readonly Case[] = [...triangles, ...eyes, ...largest, ...turned]
