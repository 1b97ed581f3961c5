// MaxPool with the places of the maxima, in both orders of a plane, and MaxUnpool of them.
import { type Case, one, typed, x } from '../../support/cases/case.js'

const square = { kernel_shape: [2, 2], strides: [2, 2] }
const indices = { outputs: 2, opset: 13 }

export const poolIndex: readonly Case[] = [
  one('indices', 'MaxPool', [x(2, 5, 8, 6)], square, indices),
  one('indices by columns', 'MaxPool', [x(2, 5, 8, 6)], { ...square, storage_order: 1 }, indices),
  one(
    'indices of overlapping windows',
    'MaxPool',
    [x(1, 9, 7, 8)],
    { kernel_shape: [3, 3], strides: [2, 1], pads: [1, 1, 1, 1] },
    indices
  ),
  one(
    'indices of dilated windows',
    'MaxPool',
    [x(1, 3, 9, 8)],
    { kernel_shape: [2, 3], dilations: [3, 2], pads: [0, 1, 1, 2] },
    indices
  ),
  one('indices of one axis', 'MaxPool', [x(2, 4, 11)], { kernel_shape: [3], strides: [2], ceil_mode: 1 }, indices),
  one('indices of three axes', 'MaxPool', [x(1, 6, 5, 6, 4)], { kernel_shape: [2, 3, 2], strides: [2, 2, 2] }, indices),
  one(
    'indices of the first of equal ones',
    'MaxPool',
    [typed(x(1, 8, 9, 9), 'int8', [0, 2])],
    { kernel_shape: [3, 3] },
    indices
  ),
  one('indices of auto_pad', 'MaxPool', [x(1, 4, 7, 5)], { ...square, auto_pad: 'SAME_LOWER' }, indices),
  one('indices of free sizes', 'MaxPool', [x('N', 4, 'H', 'W')], square, {
    ...indices,
    bindings: [
      { N: 1, H: 6, W: 4 },
      { N: 2, H: 3, W: 9 }
    ]
  })
]
