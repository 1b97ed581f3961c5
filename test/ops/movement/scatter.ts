// ScatterElements, ScatterND and GatherND: every reduction, constant and computed indices, updates of one place in order.
import { type Case, c, given, one, typed, x } from '../../support/cases/case.js'

const indices = (dims: number[], values: number[]) => given(values, dims, 'int64')
const reductions = ['none', 'add', 'mul', 'max', 'min']

/** 0 .. count-1 in some order: each place once. */
const places = (count: number) => Array.from({ length: count }, (_, i) => (i * 7 + 3) % count)

const elements: readonly Case[] = [
  ...reductions.flatMap(reduction =>
    [0, 1, -1].map(axis =>
      one(
        `ScatterElements, ${reduction}, axis ${axis}`,
        'ScatterElements',
        [x(5, 6, 9), indices([2, 3, 2], [0, 4, 1, 3, 2, 0, 3, 0, 4, 2, 0, 4]), x(2, 3, 2)],
        { axis, reduction },
        { opset: 18 }
      )
    )
  ),
  one(
    'ScatterElements, the same place often',
    'ScatterElements',
    [x(3, 40), typed(x(3, 200), 'int64', [-40, 39]), x(3, 200)],
    {
      axis: 1,
      reduction: 'add'
    },
    { opset: 18 }
  ),
  one(
    'ScatterElements, one long line',
    'ScatterElements',
    [x(50), typed(x(300), 'int32', [-50, 49]), x(300)],
    {
      axis: 0,
      reduction: 'add'
    },
    { opset: 18 }
  ),
  one(
    'ScatterElements into constants',
    'ScatterElements',
    [c(4, 5), indices([2, 3], [1, 0, 3, 2, 3, 0]), x(2, 3)],
    {},
    { opset: 13 }
  ),
  one(
    'ScatterElements of constants',
    'ScatterElements',
    [x(4, 5), indices([2, 3], [1, 0, -1, 2, 3, 0]), c(2, 3)],
    {},
    { opset: 13 }
  ),
  one(
    'ScatterElements of integers',
    'ScatterElements',
    [typed(x(4, 5), 'int64', [-9, 9]), indices([4, 2], [1, 0, -1, 2, 3, 0, 4, 2]), typed(x(4, 2), 'int64', [-9, 9])],
    { axis: 1 },
    { opset: 13 }
  ),
  one(
    'Scatter, as it was called',
    'Scatter',
    [x(4, 5), indices([1, 3], [1, 0, 3]), x(1, 3)],
    { axis: 0 },
    { opset: 10 }
  ),
  one(
    'ScatterElements of free sizes',
    'ScatterElements',
    [x('N', 6, 'W'), typed(x('N', 9, 'W'), 'int64', [0, 5]), x('N', 9, 'W')],
    {
      axis: 1,
      reduction: 'max'
    },
    {
      opset: 18,
      bindings: [
        { N: 2, W: 3 },
        { N: 1, W: 5 }
      ]
    }
  ),
  one(
    'ScatterElements behind a convolution',
    'Conv',
    [x(1, 3, 6, 7), c(8, 3, 3, 3)],
    {},
    {
      opset: 18,
      next: [
        { op: 'Relu' },
        {
          op: 'ScatterElements',
          operands: [typed(x(1, 8, 4, 3), 'int64', [0, 4]), x(1, 8, 4, 3)],
          attributes: { axis: 3, reduction: 'add' }
        }
      ]
    }
  )
]

const nd: readonly Case[] = [
  ...reductions.map(reduction =>
    one(
      `ScatterND, ${reduction}, rows`,
      'ScatterND',
      [x(9, 4, 5), indices([3, 1], [7, 0, -2 + 5]), x(3, 4, 5)],
      { reduction },
      { opset: 18 }
    )
  ),
  one(
    'ScatterND, the same row often',
    'ScatterND',
    [x(6, 7), typed(x(40, 1), 'int64', [-6, 5]), x(40, 7)],
    { reduction: 'add' },
    { opset: 18 }
  ),
  one(
    'ScatterND, elements',
    'ScatterND',
    [x(4, 5, 6), indices([2, 2, 3], [0, 0, 0, 3, 4, 5, -1, 2, 1, 1, -3, 0]), x(2, 2)],
    {},
    { opset: 13 }
  ),
  one(
    'ScatterND, computed elements',
    'ScatterND',
    [x(4, 5), typed(x(30, 2), 'int64', [-4, 3]), x(30)],
    { reduction: 'mul' },
    { opset: 18 }
  ),
  one(
    'ScatterND, pillars on a map',
    'ScatterND',
    [c(30, 8), indices([12, 1], places(30).slice(0, 12)), x(12, 8)],
    {},
    { opset: 13 }
  ),
  one(
    'ScatterND of a free number',
    'ScatterND',
    [x('N', 5), typed(x('K', 1), 'int64', [0, 1]), x('K', 5)],
    { reduction: 'add' },
    {
      opset: 18,
      bindings: [
        { N: 2, K: 7 },
        { N: 6, K: 3 }
      ]
    }
  ),
  one(
    'ScatterND of a map',
    'ScatterND',
    [x(2, 8, 5, 6), indices([2, 2], [0, 3, 1, 7]), x(2, 5, 6)],
    {},
    {
      opset: 13,
      next: [{ op: 'Conv', operands: [c(4, 8, 3, 3)] }]
    }
  ),
  one('GatherND, rows', 'GatherND', [x(7, 4, 5), indices([3, 1], [6, 0, -2])], {}, { opset: 13 }),
  one(
    'GatherND, elements',
    'GatherND',
    [x(4, 5, 6), indices([2, 2, 3], [0, 0, 0, 3, 4, 5, -1, 2, 1, 1, -3, 0])],
    {},
    { opset: 13 }
  ),
  one('GatherND, parts', 'GatherND', [x(4, 5, 6), indices([3, 2], [0, 0, 3, -1, 2, 2])], {}, { opset: 13 }),
  one('GatherND, computed', 'GatherND', [x(4, 5, 6), typed(x(7, 2), 'int64', [-4, 3])], {}, { opset: 13 }),
  one(
    'GatherND, a batch',
    'GatherND',
    [x(3, 4, 5), typed(x(3, 2, 1), 'int64', [-4, 3])],
    { batch_dims: 1 },
    { opset: 13 }
  ),
  one(
    'GatherND, two batch axes',
    'GatherND',
    [x(2, 3, 4, 5), typed(x(2, 3, 6, 1), 'int64', [-4, 3])],
    { batch_dims: 2 },
    { opset: 13 }
  ),
  one(
    'GatherND, a batch of tuples',
    'GatherND',
    [x(2, 4, 5, 3), typed(x(2, 6, 2), 'int64', [0, 3])],
    { batch_dims: 1 },
    { opset: 13 }
  ),
  one(
    'GatherND of integers',
    'GatherND',
    [typed(x(4, 5), 'int32', [-9, 9]), indices([2, 2], [0, 1, 3, 4])],
    {},
    { opset: 13 }
  ),
  one(
    'GatherND of free rows',
    'GatherND',
    [x('N', 5, 4), typed(x('K', 2), 'int64', [0, 1])],
    {},
    {
      opset: 13,
      bindings: [
        { N: 2, K: 7 },
        { N: 6, K: 3 }
      ]
    }
  )
]

/** Pixels of a 3 x 4 plane moved to 6 x 8, each to the window that it came from. */
const unpooled = Array.from({ length: 24 }, (_, i) => {
  const [plane, row, column] = [Math.floor(i / 12), Math.floor(i / 4) % 3, i % 4]
  return plane * 48 + (2 * row + (i % 2)) * 8 + 2 * column + (i % 3 === 0 ? 1 : 0)
})

export const scatter: readonly Case[] = [
  ...elements,
  ...nd,
  one(
    'MaxUnpool',
    'MaxUnpool',
    [x(1, 2, 3, 4), indices([1, 2, 3, 4], unpooled)],
    { kernel_shape: [2, 2], strides: [2, 2] },
    { opset: 11 }
  ),
  one(
    'MaxUnpool to a given shape',
    'MaxUnpool',
    [x(1, 2, 3, 4), indices([1, 2, 3, 4], unpooled), indices([4], [1, 2, 7, 9])],
    {
      kernel_shape: [2, 2],
      strides: [2, 2]
    },
    { opset: 11 }
  )
]
