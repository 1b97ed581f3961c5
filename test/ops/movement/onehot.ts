// OneHot: where the new axis stands, indices that count from the end, indices outside.
import { type Case, floats, given, ints, one, scalar, typed, x } from '../../support/cases/case.js'

const indices = typed(x(3, 4), 'int64', [-5, 4])

export const onehot: readonly Case[] = [
  ...[undefined, 0, 1, 2, -1, -2].map(axis =>
    one(
      `OneHot, axis ${axis}`,
      'OneHot',
      [indices, scalar(5, 'int64'), floats(0, 1)],
      axis === undefined ? {} : { axis }
    )
  ),
  one('OneHot, indices outside', 'OneHot', [typed(x(40), 'int64', [-9, 9]), ints(4), floats(-1, 3)]),
  one('OneHot of floats', 'OneHot', [given([1, 0, 3, 2.7, -1, -0.4], [6]), floats(4), floats(2, 5)]),
  one('OneHot, whole values', 'OneHot', [typed(x(7), 'int64', [0, 5]), ints(6), given([3, -8], [2], 'int64')]),
  one('OneHot, values fed', 'OneHot', [typed(x(7), 'int64', [0, 5]), ints(6), x(2)]),
  one(
    'OneHot of free sizes',
    'OneHot',
    [typed(x('N', 3), 'int64', [0, 4]), ints(5), floats(0, 1)],
    { axis: 1 },
    {
      bindings: [{ N: 2 }, { N: 5 }]
    }
  )
]
