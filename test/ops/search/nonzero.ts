// What a run finds of elements that are not 0, and determinants.
import { type Case, c, given, one, type Step, typed, x } from '../../support/cases/case.js'

/** Zeros and others, about as many of each. */
const some = (...dims: (number | string)[]) => typed(x(...dims), 'int64', [-1, 1])
const flags = (...dims: (number | string)[]) => typed(x(...dims), 'bool', [0, 1])
const free = { bindings: [{ N: 3 }, { N: 11 }] }

const places = [
  one('of a list', 'NonZero', [some(40)]),
  one('of a matrix', 'NonZero', [some(7, 9)]),
  one('of a map', 'NonZero', [some(2, 3, 4, 5)]),
  one('of six axes', 'NonZero', [some(2, 2, 3, 2, 2, 3)]),
  one('of booleans', 'NonZero', [flags(9, 8)]),
  one('of floats', 'NonZero', [x(5, 6)], {}, { next: [{ op: 'Cast', attributes: { to: 1 } }] }),
  one('of many', 'NonZero', [some(70, 90)]),
  one('NonZero of a free size', 'NonZero', [some('N', 5)], {}, free),
  one(
    'of a constant',
    'NonZero',
    [given([1, 0, 3, 0, 0, -2], [2, 3])],
    {},
    {
      next: [{ op: 'Add', operands: [typed(x(2, 1), 'int64', [1, 9])] }]
    }
  ),
  one('of a comparison', 'Greater', [x(6, 7), x(6, 7)], {}, { next: [{ op: 'NonZero' }] }),
  one('then turned', 'NonZero', [some(6, 7)], {}, { next: [{ op: 'Transpose', attributes: { perm: [1, 0] } }] }),
  one(
    'then what stands there',
    'NonZero',
    [some(6, 7)],
    {},
    {
      next: [
        { op: 'Transpose', attributes: { perm: [1, 0] } },
        { op: 'GatherND', operands: [x(6, 7, 3), 'previous'] }
      ]
    }
  )
]

const cast: Step = { op: 'Cast', attributes: { to: 1 } }
const kept = [
  one('of rows', 'Compress', [x(8, 5), flags(8)], { axis: 0 }),
  one('of columns', 'Compress', [x(4, 9), flags(9)], { axis: 1 }),
  one('of a middle axis', 'Compress', [x(2, 9, 3), flags(9)], { axis: -2 }),
  one('of all', 'Compress', [x(5, 6), flags(30)]),
  one('by fewer than there are', 'Compress', [x(9, 4), flags(6)], { axis: 0 }),
  one('of integers', 'Compress', [typed(x(9, 4), 'int64', [-9, 9]), flags(9)], { axis: 0 }, { next: [cast] }),
  one('Compress of free rows', 'Compress', [x('N', 4), flags('N')], { axis: 0 }, free),
  one('Compress of a free size beside', 'Compress', [x('N', 9), flags(9)], { axis: 1 }, free),
  one('by a constant', 'Compress', [x(5, 4), given([1, 0, 0, 1, 1], [5], 'bool')], { axis: 0 }),
  one('of all by a constant', 'Compress', [x(3, 3), given([0, 1, 0, 1, 1], [5], 'bool')]),
  one(
    'then arithmetic',
    'Compress',
    [x(9, 4), flags(9)],
    { axis: 0 },
    { next: [{ op: 'Mul', operands: [c(4)] }, { op: 'Relu' }] }
  ),
  one(
    'then a reduction',
    'Compress',
    [x(9, 4), flags(9)],
    { axis: 0 },
    {
      next: [{ op: 'ReduceMax', operands: [], attributes: { axes: [1], keepdims: 0 } }]
    }
  )
]

const determinants = [
  ...[1, 2, 3, 4, 7, 12].map(n => one(`of ${n} rows`, 'Det', [x(5, n, n)])),
  one('of one', 'Det', [x(3, 3)]),
  one('of more axes', 'Det', [x(2, 3, 4, 4)]),
  one(
    'where rows must change places',
    'Det',
    [given([0, 2, 1, 0, 0, 0, 3, 1, 4, 0, 1, 2, 0, 1, 0, 1], [1, 4, 4])],
    {},
    {
      next: [{ op: 'Mul', operands: [x(3)] }]
    }
  ),
  one('of none', 'Det', [given([1, 2, 2, 4, 3, 1, 0, 2], [2, 2, 2])], {}, { next: [{ op: 'Mul', operands: [x(2)] }] }),
  one('Det of free numbers', 'Det', [x('N', 3, 3)], {}, free)
]

export const findings: readonly Case[] = [...places, ...kept, ...determinants]
