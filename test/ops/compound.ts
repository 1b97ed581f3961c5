// What has no kernel of its own: block rearrangements, constants, identities; and the patterns of exporters.
import { type Case, c, given, ints, one, type Step, scalar, typed, x } from '../support/case.js'
import { type Contents, float } from '../support/model.js'

const tensor: Contents = { dtype: 'float32', dims: [2, 3], data: [1, -2, 3, -4, 5, -6] }
const added = (...dims: number[]): Step => ({ op: 'Add', operands: [x(...dims)] })
const integers: Step = { op: 'Add', operands: [typed(x(3), 'int64', [1, 9])] }

export const compound: readonly Case[] = [
  one('DepthToSpace DCR', 'DepthToSpace', [x(2, 12, 3, 4)], { blocksize: 2 }),
  one('DepthToSpace CRD', 'DepthToSpace', [x(2, 18, 3, 4)], { blocksize: 3, mode: 'CRD' }),
  one(
    'DepthToSpace behind Conv',
    'Conv',
    [x(1, 4, 5, 4), c(12, 4, 3, 3)],
    {},
    { next: [{ op: 'DepthToSpace', attributes: { blocksize: 2, mode: 'CRD' } }] }
  ),
  one(
    'DepthToSpace of free sizes',
    'DepthToSpace',
    [x('N', 8, 'H', 'W')],
    { blocksize: 2 },
    {
      bindings: [
        { N: 1, H: 3, W: 4 },
        { N: 2, H: 5, W: 2 }
      ]
    }
  ),
  one('SpaceToDepth', 'SpaceToDepth', [x(2, 3, 4, 6)], { blocksize: 2 }),
  one(
    'SpaceToDepth, then Conv',
    'SpaceToDepth',
    [x(1, 3, 6, 9)],
    { blocksize: 3 },
    { next: [{ op: 'Conv', operands: [c(5, 27, 1, 1)] }] }
  ),
  one(
    'SpaceToDepth of free sizes',
    'SpaceToDepth',
    [x(1, 3, 'H', 'W')],
    { blocksize: 2 },
    {
      bindings: [
        { H: 4, W: 6 },
        { H: 2, W: 8 }
      ]
    }
  ),
  one('Constant, tensor', 'Constant', [], { value: { tensor } }, { next: [added(2, 3)] }),
  one(
    'Constant, half',
    'Constant',
    [],
    { value: { tensor: { ...tensor, dtype: 'float16', encoding: 'typed' } } },
    {
      next: [{ op: 'Cast', attributes: { to: 1 } }, added(2, 3)]
    }
  ),
  one('Constant, value_float', 'Constant', [], { value_float: float(2.5) }, { next: [added(2, 3)] }),
  one('Constant, value_floats', 'Constant', [], { value_floats: { floats: [1, 2, -3] } }, { next: [added(2, 3)] }),
  one('Constant, value_int', 'Constant', [], { value_int: 4 }, { next: [integers] }),
  one('Constant, value_ints', 'Constant', [], { value_ints: [4, -5, 6] }, { next: [integers] }),
  one(
    'ConstantOfShape',
    'ConstantOfShape',
    [ints(2, 3)],
    { value: { tensor: { dtype: 'float32', dims: [1], data: [1.5] } } },
    { next: [added(2, 3)] }
  ),
  one('ConstantOfShape, default', 'ConstantOfShape', [ints(2, 3)], {}, { next: [added(3)] }),
  one(
    'ConstantOfShape of integers',
    'ConstantOfShape',
    [ints(3)],
    { value: { tensor: { dtype: 'int64', dims: [1], data: [7] } } },
    { next: [integers] }
  ),
  one(
    'ConstantOfShape of free sizes',
    'Shape',
    [x('N', 3)],
    {},
    {
      next: [
        { op: 'ConstantOfShape', attributes: { value: { tensor: { dtype: 'float32', dims: [1], data: [2] } } } },
        { op: 'Add', operands: [x('N', 3)] }
      ],
      bindings: [{ N: 2 }, { N: 5 }]
    }
  ),
  one('Identity', 'Identity', [x(3, 5)]),
  one('Identity, then Relu', 'Identity', [x(3, 5)], {}, { next: [{ op: 'Relu' }] }),
  one('Dropout', 'Dropout', [x(3, 5), scalar(0.5)]),
  one('Dropout 7', 'Dropout', [x(3, 5)], { ratio: float(0.5) }, { opset: 7, next: [{ op: 'Neg' }] }),
  one(
    'Dropout with training off',
    'Dropout',
    [x(3, 5), scalar(0.5), given([0], [], 'bool')],
    {},
    { next: [{ op: 'Neg' }] }
  ),
  one(
    'Expand by a computed shape',
    'Shape',
    [x(2, 3, 4)],
    {},
    {
      next: [
        { op: 'Expand', operands: [c(3, 1), 'previous'] },
        { op: 'Mul', operands: [x(4)] }
      ]
    }
  )
]
