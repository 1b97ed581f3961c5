// Operators that move elements: on their own, and between convolutions where they become views.
import { type Case, c, floats, given, ints, type Operand, one, type Step, typed, x } from '../../support/cases/case.js'

const conv = (channels: number, from: number): Step => ({ op: 'Conv', operands: [c(channels, from, 1, 1)] })
const map = x(2, 6, 4, 5)
const permutations = [
  [0, 2, 3, 1],
  [0, 3, 1, 2],
  [3, 2, 1, 0],
  [1, 0, 2, 3],
  [0, 1, 3, 2],
  [0, 2, 1, 3],
  [2, 3, 0, 1]
]

const reshapes: readonly [string, Operand, number[]][] = [
  ['merge space', map, [2, 6, 20]],
  ['merge everything', map, [240]],
  ['keep 0, infer -1', map, [0, -1]],
  ['split channels', map, [2, 3, 2, 4, 5]],
  ['merge channels and rows', map, [2, 24, 5]],
  ['cross the axes', map, [2, 5, 4, 6]],
  ['cross all axes', map, [8, 30]],
  ['add ones', map, [1, 2, 6, 1, 4, 5]],
  ['one row', x(1, 6, 1, 1), [6]]
]

const slices: readonly [string, number[], number[], number[]?, number[]?][] = [
  ['channels', [2], [5], [1]],
  ['rows and columns', [1, 1], [3, 5], [2, 3]],
  ['negative', [-3, -4], [-1, 100], [1, 3]],
  ['steps', [0, 1], [100, 100], [2, 3], [2, 3]],
  ['backwards', [-1, 3], [-100, 0], [3, 2], [-1, -2]],
  ['channels with steps', [1], [6], [1], [2]],
  ['every axis', [0, 1, 0, 2], [2, 4, 3, 4]],
  ['everything', [0], [2147483647], [2]],
  ['negative axes', [1], [-1], [-2]]
]

export const movement: readonly Case[] = [
  ...reshapes.map(([name, operand, shape]) => one(`Reshape, ${name}`, 'Reshape', [operand, ints(...shape)])),
  ...reshapes.map(([name, { dims }, shape]) =>
    one(
      `Reshape behind Conv, ${name}`,
      'Conv',
      [x(dims[0], 3, dims[2], dims[3]), c(6, 3, 1, 1)],
      {},
      { next: [{ op: 'Reshape', operands: [ints(...shape)] }, { op: 'Relu' }] }
    )
  ),
  one(
    'Reshape to free sizes',
    'Reshape',
    [x('N', 6, 'H', 5), ints(0, 3, -1, 5)],
    {},
    {
      bindings: [
        { N: 2, H: 4 },
        { N: 1, H: 3 }
      ]
    }
  ),
  one('Reshape, allowzero', 'Reshape', [map, ints(2, 30, 4)], { allowzero: 1 }),
  ...[0, 1, 2, 3, 4, -1, -3].map(axis => one(`Flatten, axis ${axis}`, 'Flatten', [map], { axis }, { opset: 13 })),
  one(
    'Flatten of free batch behind Conv',
    'Conv',
    [x('N', 3, 4, 5), c(6, 3, 1, 1)],
    {},
    { next: [{ op: 'Flatten' }], bindings: [{ N: 1 }, { N: 3 }] }
  ),
  one('Squeeze', 'Squeeze', [x(2, 1, 4, 1), ints(1, -1)]),
  one('Squeeze everything', 'Squeeze', [x(2, 1, 4, 1)]),
  one('Squeeze 11', 'Squeeze', [x(2, 1, 4, 1)], { axes: [3] }, { opset: 11 }),
  one('Unsqueeze', 'Unsqueeze', [x(2, 4), ints(0, -1)]),
  one('Unsqueeze out of order', 'Unsqueeze', [x(2, 4), ints(3, 1)]),
  one('Unsqueeze 11', 'Unsqueeze', [x(2, 4)], { axes: [1, 2] }, { opset: 11 }),
  ...permutations.map(perm => one(`Transpose [${perm}]`, 'Transpose', [map], { perm })),
  ...permutations.map(perm =>
    one(
      `Transpose [${perm}] behind Conv`,
      'Conv',
      [x(2, 3, 4, 5), c(6, 3, 1, 1)],
      {},
      { next: [{ op: 'Transpose', attributes: { perm } }, { op: 'Sigmoid' }] }
    )
  ),
  one('Transpose, default', 'Transpose', [x(2, 3, 4)]),
  one(
    'Transpose of free sizes',
    'Transpose',
    [x('N', 3, 'H', 'W')],
    { perm: [0, 2, 3, 1] },
    {
      bindings: [
        { N: 2, H: 3, W: 4 },
        { N: 1, H: 2, W: 7 }
      ]
    }
  ),
  one(
    'Transpose there and back',
    'Transpose',
    [x(2, 4, 5, 6)],
    { perm: [0, 3, 1, 2] },
    { next: [conv(5, 6), { op: 'Relu' }, { op: 'Transpose', attributes: { perm: [0, 2, 3, 1] } }] }
  ),
  one('Transpose of rank 6', 'Transpose', [x(2, 2, 3, 2, 3, 2)], { perm: [0, 4, 2, 5, 1, 3] }),
  ...slices.map(([name, starts, ends, axes, steps]) =>
    one(`Slice, ${name}`, 'Slice', [
      map,
      ints(...starts),
      ints(...ends),
      axes && ints(...axes),
      steps && ints(...steps)
    ])
  ),
  one('Slice, every other of long rows', 'Slice', [x(2, 3, 37), ints(1), ints(100), ints(2), ints(2)]),
  ...slices.map(([name, starts, ends, axes, steps]) =>
    one(
      `Slice behind Conv, ${name}`,
      'Conv',
      [x(2, 3, 4, 5), c(6, 3, 1, 1)],
      {},
      {
        next: [
          { op: 'Slice', operands: [ints(...starts), ints(...ends), axes && ints(...axes), steps && ints(...steps)] },
          { op: 'Tanh' }
        ]
      }
    )
  ),
  one('Slice 9', 'Slice', [map], { starts: [1, 0], ends: [3, 4], axes: [1, 3] }, { opset: 9 }),
  one(
    'Slice of free sizes',
    'Slice',
    [x('N', 3, 'H', 'W'), ints(1, 0), ints(2147483647, -1), ints(2, 3)],
    {},
    {
      bindings: [
        { N: 2, H: 3, W: 4 },
        { N: 1, H: 5, W: 7 }
      ]
    }
  ),
  one('Split in equal parts', 'Split', [map], { axis: 1 }, { outputs: 3, opset: 13 }),
  one('Split in given parts', 'Split', [map, ints(1, 3, 2)], { axis: 1 }, { outputs: 3 }),
  one('Split 11', 'Split', [map], { axis: 3, split: [2, 3] }, { outputs: 2, opset: 11 }),
  one('Split 18, uneven', 'Split', [x(2, 7, 3)], { axis: 1, num_outputs: 3 }, { outputs: 3, opset: 18 }),
  one('Split, negative axis', 'Split', [map, ints(4, 1)], { axis: -1 }, { outputs: 2 }),
  one('Split, batch', 'Split', [x(4, 3, 5)], { axis: 0 }, { outputs: 2, opset: 13 }),
  ...[0, 1, 2, 3, -1].map(axis => one(`Concat, axis ${axis}`, 'Concat', [map, map, map], { axis })),
  one('Concat of different sizes', 'Concat', [x(1, 2, 3, 4), x(1, 5, 3, 4), x(1, 1, 3, 4)], { axis: 1 }),
  one('Concat with a constant', 'Concat', [x(1, 2, 3, 4), c(1, 3, 3, 4)], { axis: 1 }),
  one('Concat of one', 'Concat', [map], { axis: 1 }, { next: [{ op: 'Relu' }] }),
  one(
    'Concat twice of the same',
    'Relu',
    [map],
    {},
    { next: [{ op: 'Concat', operands: ['previous', 'previous'], attributes: { axis: 1 } }] }
  ),
  one(
    'Concat of free sizes',
    'Concat',
    [x('N', 2, 'H', 4), x('N', 5, 'H', 4)],
    { axis: 1 },
    {
      bindings: [
        { N: 2, H: 3 },
        { N: 1, H: 5 }
      ]
    }
  ),
  one(
    'Concat of free batches',
    'Concat',
    [x('N', 2, 3), x('M', 2, 3)],
    { axis: 0 },
    {
      bindings: [
        { N: 2, M: 3 },
        { N: 1, M: 1 }
      ]
    }
  ),
  one('Expand', 'Expand', [x(3, 1, 5), ints(2, 3, 4, 5)]),
  one('Expand, smaller target', 'Expand', [x(3, 1, 5), ints(4, 1)]),
  one('Expand to its own shape', 'Expand', [x(3, 2), ints(3, 2)], {}, { next: [{ op: 'Relu' }] }),
  one('Tile', 'Tile', [x(2, 3, 4), ints(2, 1, 3)]),
  one('Tile of every axis', 'Tile', [x(2, 3, 4, 5), ints(3, 2, 2, 4)]),
  one('Tile of a map', 'Tile', [map, ints(1, 2, 3, 1)]),
  one(
    'Tile behind Conv',
    'Conv',
    [x(1, 3, 4, 5), c(6, 3, 1, 1)],
    {},
    { next: [{ op: 'Tile', operands: [ints(1, 2, 1, 2)] }] }
  ),
  one(
    'Expand behind Conv',
    'Conv',
    [x(1, 3, 1, 5), c(6, 3, 1, 1)],
    {},
    { next: [{ op: 'Expand', operands: [ints(2, 6, 4, 5)] }] }
  ),
  one(
    'Shape of free sizes',
    'Shape',
    [x('N', 3, 'H')],
    {},
    {
      bindings: [
        { N: 2, H: 7 },
        { N: 1, H: 5 }
      ]
    }
  ),
  one(
    'Shape, part',
    'Shape',
    [x(2, 3, 4, 5)],
    { start: 1, end: -1 },
    {
      next: [
        { op: 'Cast', attributes: { to: 1 } },
        { op: 'Mul', operands: [x(2)] }
      ]
    }
  ),
  one(
    'Range',
    'Range',
    [given([2], [], 'int64'), given([9], [], 'int64'), given([3], [], 'int64')],
    {},
    { next: [{ op: 'Add', operands: [typed(x(3), 'int64', [1, 9])] }] }
  ),
  one(
    'Range of floats, downwards',
    'Range',
    [given([2], []), given([-1], []), given([-0.5], [])],
    {},
    { next: [{ op: 'Mul', operands: [x(6)] }] }
  ),
  one('of integers', 'Transpose', [typed(x(2, 3, 4), 'int64', [-9, 9])], { perm: [2, 0, 1] }),
  one('of bools', 'Reshape', [typed(x(2, 3, 4), 'bool', [0, 1]), ints(4, 6)]),
  one(
    'Upsampling by Tile and Reshape',
    'Unsqueeze',
    [x(1, 3, 4, 5), ints(3, 5)],
    {},
    {
      next: [
        { op: 'Tile', operands: [ints(1, 1, 1, 2, 1, 2)] },
        { op: 'Reshape', operands: [ints(1, 3, 8, 10)] },
        { op: 'Mul', operands: [floats(2)] }
      ]
    }
  )
]
