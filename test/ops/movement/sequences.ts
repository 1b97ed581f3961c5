// Sequences of known lengths, from what makes them to what takes tensors out.
import { type Case, given, ints, type Operand, one, type Step, scalar, x } from '../../support/cases/case.js'
import type { Attributes } from '../../support/onnx/model.js'

const at = (position: number): Step => ({ op: 'SequenceAt', operands: [scalar(position, 'int64')] })
const concat = (attributes: Attributes): Step => ({ op: 'ConcatFromSequence', attributes })
const split = (name: string, operands: readonly Operand[], attributes: Attributes, ...next: Step[]): Case =>
  one(`SplitToSequence, ${name}`, 'SplitToSequence', operands, attributes, { next })

export const sequences: readonly Case[] = [
  split('one by one', [x(4, 5)], { axis: 0 }, at(2)),
  split('one by one without the axis', [x(4, 5)], { axis: 1, keepdims: 0 }, at(-2)),
  split('parts of two', [x(5, 4), scalar(2, 'int64')], { axis: 0 }, at(2)),
  split('parts of given sizes', [x(6, 2), ints(1, 3, 2)], { axis: 0 }, at(1)),
  split('joined along another axis', [x(4, 6), scalar(2, 'int64')], { axis: 1 }, concat({ axis: 0 })),
  split('stacked', [x(4, 6), scalar(3, 'int64')], { axis: 1 }, concat({ axis: -1, new_axis: 1 })),
  split(
    'counted',
    [x(7, 2), scalar(2, 'int64')],
    { axis: 0 },
    { op: 'SequenceLength' },
    {
      op: 'Add',
      operands: [given([1], [1], 'int64')]
    }
  ),
  split(
    'inserted in front',
    [x(4, 3), scalar(2, 'int64')],
    { axis: 0 },
    { op: 'SequenceInsert', operands: [x(2, 3), scalar(0, 'int64')] },
    concat({ axis: 0 })
  ),
  split(
    'inserted behind',
    [x(4, 3), scalar(2, 'int64')],
    { axis: 0 },
    { op: 'SequenceInsert', operands: [x(2, 3)] },
    concat({ axis: 1 })
  ),
  split(
    'without the first',
    [x(6, 3), scalar(2, 'int64')],
    { axis: 0 },
    { op: 'SequenceErase', operands: [scalar(0, 'int64')] },
    concat({ axis: 0 })
  ),
  split('without the last', [x(6, 3), scalar(2, 'int64')], { axis: 0 }, { op: 'SequenceErase' }, concat({ axis: 0 })),
  one('SequenceConstruct', 'SequenceConstruct', [x(2, 3), x(2, 3), x(2, 3)], {}, { next: [at(1)] }),
  one(
    'SequenceConstruct, free sizes',
    'SequenceConstruct',
    [x('N', 3), x('N', 3)],
    {},
    {
      next: [concat({ axis: 1 })],
      bindings: [{ N: 1 }, { N: 4 }]
    }
  ),
  one(
    'SequenceEmpty',
    'SequenceEmpty',
    [],
    {},
    {
      next: [{ op: 'SequenceInsert', operands: [x(2, 3)] }, { op: 'Identity' }, at(0)]
    }
  )
]
