// ArgMax and ArgMin along every axis; which of equal ones is taken.
import { type Case, one, typed, x } from '../../support/cases/case.js'

export const argmax: readonly Case[] = ['ArgMax', 'ArgMin'].flatMap(op => [
  ...[0, 1, 2, 3, -1, -3].flatMap(axis =>
    [0, 1].map(keepdims => one(`${op}, axis ${axis}, keepdims ${keepdims}`, op, [x(4, 9, 5, 6)], { axis, keepdims }))
  ),
  one(`${op}, default axis`, op, [x(5, 6)]),
  one(`${op}, rank 1`, op, [x(17)], { axis: 0 }),
  one(`${op}, rank 2`, op, [x(3, 100)], { axis: 1 }),
  one(`${op}, many channels`, op, [x(1, 37, 6, 7)], { axis: 1, keepdims: 0 }),
  one(`${op}, first of equal ones`, op, [typed(x(6, 40), 'int32', [0, 3])], { axis: 1 }),
  one(
    `${op}, last of equal ones`,
    op,
    [typed(x(6, 40), 'int32', [0, 3])],
    { axis: 1, select_last_index: 1 },
    { opset: 13 }
  ),
  ...[0, 1].map(last =>
    one(
      `${op}, ${last ? 'last' : 'first'} of equal ones, long row`,
      op,
      [typed(x(3, 150), 'int32', [0, 3])],
      { axis: 1, select_last_index: last },
      { opset: 13 }
    )
  ),
  one(
    `${op}, last of equal ones, channels`,
    op,
    [typed(x(2, 20, 3, 5), 'int32', [0, 3])],
    { axis: 1, select_last_index: 1 },
    { opset: 13 }
  ),
  one(
    `${op} of free sizes`,
    op,
    [x('N', 6, 'H', 'W')],
    { axis: 1 },
    {
      bindings: [
        { N: 2, H: 3, W: 4 },
        { N: 1, H: 5, W: 7 }
      ]
    }
  ),
  one(
    `${op}, then Cast and arithmetic`,
    op,
    [x(4, 9, 5)],
    { axis: 1 },
    {
      next: [
        { op: 'Cast', attributes: { to: 1 } },
        { op: 'Mul', operands: [x(4, 9, 5)] }
      ]
    }
  )
])
