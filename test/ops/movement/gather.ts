// Gather: indices of every rank, negative ones, along every axis, of floats and of integers.
import { c, given, ints, one, scalar, typed, x } from '../../support/cases/case.js'

const indices = (dims: number[], values: number[]) => given(values, dims, 'int64')

export const gather = [
  one('GatherElements', 'GatherElements', [x(4, 5), typed(x(3, 5), 'int64', [0, 3])]),
  one('GatherElements along the last axis', 'GatherElements', [x(2, 3, 5), typed(x(2, 3, 4), 'int64', [-5, 4])], {
    axis: -1
  }),
  one('GatherElements, fewer of each axis', 'GatherElements', [x(4, 5, 6), typed(x(2, 3, 4), 'int32', [0, 4])], {
    axis: 1
  }),
  one('GatherElements by constants', 'GatherElements', [x(3, 3), indices([2, 3], [1, 2, 0, -1, 0, 0])]),
  one('axis 0', 'Gather', [x(7, 5), ints(3, 0, 6)]),
  one('axis 1', 'Gather', [x(3, 7, 5), ints(3, 0, 6, 3)], { axis: 1 }),
  one('axis -1', 'Gather', [x(3, 7, 5), ints(4, 1)], { axis: -1 }),
  one('negative indices', 'Gather', [x(7, 5), ints(-1, -7, 2)]),
  one('a scalar index drops the axis', 'Gather', [x(3, 7, 5), scalar(2, 'int64')], { axis: 1 }),
  one('a matrix of indices', 'Gather', [x(7, 5), indices([2, 3], [0, 6, 1, 5, 2, 2])]),
  one('channels of a map', 'Gather', [x(1, 8, 4, 5), ints(7, 0, 3)], { axis: 1 }),
  one('rows of a map', 'Gather', [x(1, 8, 4, 5), ints(3, 1)], { axis: 2 }),
  one('an activation as indices', 'Gather', [x(7, 5), typed(x(4), 'int64', [0, 6])]),
  one('int32 indices', 'Gather', [x(7, 5), typed(x(2, 3), 'int32', [-7, 6])]),
  one('from a constant by an activation', 'Gather', [c(9, 6), typed(x(5), 'int64', [0, 8])]),
  one('of integers', 'Gather', [typed(x(7, 3), 'int64', [-50, 50]), ints(2, 5)]),
  one('of free rows', 'Gather', [x('N', 7), ints(0, 3)], { axis: 1 }, { bindings: [{ N: 2 }, { N: 5 }] }),
  one(
    'behind a convolution',
    'Conv',
    [x(1, 3, 6, 7), c(8, 3, 3, 3)],
    {},
    { next: [{ op: 'Gather', operands: [ints(5, 0, 2)], attributes: { axis: 1 } }, { op: 'Relu' }] }
  )
]
