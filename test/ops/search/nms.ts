// NonMaxSuppression: both forms of boxes, every optional input, the order of what is selected, nothing selected, and what
// may be done with as many rows as a run finds.
import {
  type Case,
  c,
  floats,
  given,
  ints,
  type Operand,
  one,
  type Step,
  scalar,
  typed,
  within,
  x
} from '../../support/cases/case.js'

const corners = (...dims: (number | string)[]) => within(x(...dims, 4), 0, 10)
/** Centre and size; sizes of nothing and less among them. */
const centred = (...dims: (number | string)[]) => within(x(...dims, 4), -0.4, 4)
const scores = (...dims: (number | string)[]) => within(x(...dims), 0, 1)
const limits = (most: number, overlap: number, limit: number): Operand[] => [
  scalar(most, 'int64'),
  scalar(overlap),
  scalar(limit)
]
const nms = (name: string, operands: readonly (Operand | undefined)[], center = 0, rest: object = {}): Case =>
  one(`NonMaxSuppression, ${name}`, 'NonMaxSuppression', operands, center ? { center_point_box: center } : {}, rest)

/** A chain of operators behind the rows of what is selected. */
const behind = (name: string, ...next: Step[]) =>
  nms(`then ${name}`, [corners(1, 40), scores(1, 3, 40), ...limits(6, 0.4, 0.3)], 0, { next })
const box: Step = { op: 'Gather', operands: [ints(2)], attributes: { axis: 1 } }

export const nonMaxSuppression: readonly Case[] = [
  nms('corners', [corners(1, 60), scores(1, 1, 60), ...limits(20, 0.5, 0.2)]),
  nms('centre and size', [centred(1, 60), scores(1, 1, 60), ...limits(20, 0.3, 0.2)], 1),
  nms('classes and images', [corners(3, 30), scores(3, 4, 30), ...limits(5, 0.5, 0.4)]),
  nms('no limit of the score', [corners(2, 30), scores(2, 2, 30), scalar(30, 'int64'), scalar(0.5)]),
  nms('no overlap allowed', [corners(2, 30), scores(2, 2, 30), ints(30)]),
  nms('a limit of the score alone', [corners(2, 30), scores(2, 2, 30), ints(30), undefined, floats(0.5)]),
  nms('any overlap allowed', [corners(1, 30), scores(1, 2, 30), ...limits(30, 1, 0.1)]),
  nms('as many as there are', [corners(1, 30), scores(1, 2, 30), given([2 ** 62], [1], 'int64'), scalar(0.9)]),
  nms('one of each class', [corners(1, 30), scores(1, 5, 30), ...limits(1, 0.5, 0.1)]),
  nms('one box', [corners(1, 1), scores(1, 4, 1), ...limits(3, 0.5, 0.3)]),
  nms('negative scores and coordinates', [within(x(1, 50, 4), -9, 9), x(1, 2, 50), ...limits(30, 0.4, -1)]),
  nms('equal scores', [corners(1, 80), typed(x(1, 2, 80), 'float32', [0.5, 0.500001]), ...limits(40, 0.3, 0.1)]),
  nms('opset 10', [corners(2, 30), scores(2, 2, 30), ...limits(9, 0.4, 0.2)], 0, { opset: 10 }),
  nms('nothing selected', [corners(1, 20), scores(1, 2, 20), ...limits(5, 0.5, 3)]),
  nms('none wanted', [corners(1, 20), scores(1, 2, 20), ...limits(0, 0.5, 0.1)]),
  nms('the number left out', [corners(1, 20), scores(1, 2, 20)]),
  nms('many boxes', [within(x(1, 8400, 4), 0, 100), scores(1, 1, 8400), ...limits(100, 0.45, 0.9)]),
  nms('boxes that are constants', [within(c(1, 40, 4), 0, 10), scores(1, 3, 40), ...limits(9, 0.5, 0.3)]),
  nms('free sizes', [corners('N', 'B'), scores('N', 3, 'B'), ...limits(8, 0.5, 0.3)], 0, {
    bindings: [
      { N: 2, B: 40 },
      { N: 1, B: 5 }
    ]
  }),
  nms('at most one row, none found', [corners(1, 9), scores(1, 1, 9), ...limits(1, 0.5, 2)], 0, {
    next: [box, { op: 'Squeeze', operands: [ints(1)] }, { op: 'Unsqueeze', operands: [ints(0)] }]
  }),
  behind('Cast', { op: 'Cast', attributes: { to: 6 } }),
  behind('arithmetic', { op: 'Cast', attributes: { to: 1 } }, { op: 'Mul', operands: [c(3)] }, { op: 'Sigmoid' }),
  behind('a column', box, { op: 'Squeeze', operands: [ints(1)] }),
  behind(
    'columns turned',
    { op: 'Slice', operands: [ints(1), ints(3), ints(1)] },
    { op: 'Transpose', attributes: { perm: [1, 0] } }
  ),
  behind('a Reshape', { op: 'Reshape', operands: [ints(1, -1, 3)] }, { op: 'Unsqueeze', operands: [ints(0)] }),
  behind(
    'Gather of columns of a table',
    box,
    { op: 'Squeeze', operands: [ints(1)] },
    {
      op: 'Gather',
      operands: [x(5, 40, 4), 'previous'],
      attributes: { axis: 1 }
    }
  ),
  behind(
    'Gather, innermost',
    box,
    { op: 'Squeeze', operands: [ints(1)] },
    {
      op: 'Gather',
      operands: [x(5, 40), 'previous'],
      attributes: { axis: 1 }
    }
  )
]
