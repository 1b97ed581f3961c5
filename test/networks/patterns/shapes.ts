// Shape arithmetic as exporters write it: all of it is known when compiling, also for free dimensions.
import type { ModelBuilder } from '../../support/onnx/model.js'
import type { Pattern } from './exporters.js'

const arithmetic = /\b(Shape|Gather|Cast|ConstantOfShape|Range|Equal|Where|Floor|Unsqueeze)\(/
const free = [
  { N: 1, H: 6, W: 8 },
  { N: 3, H: 9, W: 5 },
  { N: 2, H: 4, W: 12 }
]

/** One dimension of a value, as PyTorch takes it. */
function size(m: ModelBuilder, x: string, axis: number): string {
  return m.add('Gather', [m.add('Shape', [x]), m.constant({ dtype: 'int64', dims: [], data: [axis] })], { axis: 0 })
}

const whole = (m: ModelBuilder, value: number) => m.constant({ dtype: 'int64', dims: [], data: [value] })
const list = (m: ModelBuilder, parts: readonly string[]) =>
  m.add(
    'Concat',
    parts.map(part => m.add('Unsqueeze', [part, m.ints([0])])),
    { axis: 0 }
  )
const image = (m: ModelBuilder, channels = 4) => m.input(['N', channels, 'H', 'W'])
const free4 = (name: string, make: Pattern['make']): Pattern => ({ name, make, hides: arithmetic, bindings: free })

export const shapes: readonly Pattern[] = [
  free4('flatten by view(x.size(0), -1)', m => {
    const x = m.add('GlobalAveragePool', [image(m)])
    return m.add('Gemm', [m.add('Reshape', [x, list(m, [size(m, x, 0), whole(m, -1)])]), m.weights([4, 5])])
  }),
  free4('channel shuffle', m => {
    const x = image(m, 6)
    const [n, c, h, w] = [0, 1, 2, 3].map(axis => size(m, x, axis))
    const half = m.add('Div', [c, whole(m, 2)])
    const split = m.add('Reshape', [x, list(m, [n, whole(m, 2), half, h, w])])
    const moved = m.add('Transpose', [split], { perm: [0, 2, 1, 3, 4] })
    return m.add('Reshape', [moved, list(m, [n, whole(m, -1), h, w])])
  }),
  free4('upsampling to the size of another map', m => {
    const x = image(m)
    const small = m.add('MaxPool', [x], { kernel_shape: [2, 2], strides: [2, 2] })
    const shape = (value: string, from: number, to: number) =>
      m.add('Slice', [m.add('Shape', [value]), m.ints([from]), m.ints([to]), m.ints([0])])
    const sizes = m.add('Concat', [shape(small, 0, 2), shape(x, 2, 4)], { axis: 0 })
    const none = m.constant({ dtype: 'float32', dims: [0], data: [] })
    return m.add('Add', [
      x,
      m.add('Resize', [small, none, none, m.add('Cast', [sizes], { to: 7 })], { mode: 'nearest' })
    ])
  }),
  free4('interpolation by a factor, in floats', m => {
    const x = image(m)
    const doubled = (axis: number) => {
      const scaled = m.add('Mul', [m.add('Cast', [size(m, x, axis)], { to: 1 }), m.scalar(2)])
      return m.add('Cast', [m.add('Floor', [scaled])], { to: 7 })
    }
    const sizes = list(m, [size(m, x, 0), size(m, x, 1), doubled(2), doubled(3)])
    return m.add('Resize', [x, undefined, undefined, sizes], {
      mode: 'linear',
      coordinate_transformation_mode: 'pytorch_half_pixel'
    })
  }),
  free4('sequence of pixels and back', m => {
    const x = m.add('Conv', [image(m), m.weights([6, 4, 1, 1])])
    const [n, h, w] = [0, 2, 3].map(axis => size(m, x, axis))
    const rows = m.add('Transpose', [m.add('Reshape', [x, list(m, [n, whole(m, 6), m.add('Mul', [h, w])])])], {
      perm: [0, 2, 1]
    })
    const mixed = m.add('MatMul', [rows, m.weights([6, 6])])
    return m.add('Reshape', [m.add('Transpose', [mixed], { perm: [0, 2, 1] }), list(m, [n, whole(m, 6), h, w])])
  }),
  free4('expand with ones made by ConstantOfShape', m => {
    const x = image(m)
    const ones = m.add('ConstantOfShape', [m.ints([4])], {
      value: { tensor: { dtype: 'int64', dims: [1], data: [1] } }
    })
    const shape = m.add('Shape', [x])
    const target = m.add('Where', [m.add('Equal', [shape, m.ints([-1, -1, -1, -1])]), ones, shape])
    return m.add('Mul', [x, m.add('Expand', [m.weights([4, 1, 1]), target])])
  }),
  free4('a slice up to half of a size', m => {
    const x = image(m)
    const half = m.add('Unsqueeze', [m.add('Div', [size(m, x, 2), whole(m, 2)]), m.ints([0])])
    return m.add('Slice', [x, m.ints([0]), half, m.ints([2])])
  }),
  free4('padding computed from the size', m => {
    const x = image(m)
    const amount = m.add('Unsqueeze', [
      m.add('Sub', [m.add('Add', [size(m, x, 3), whole(m, 2)]), size(m, x, 3)]),
      m.ints([0])
    ])
    return m.add('Pad', [x, m.add('Concat', [m.ints([0, 0, 1]), amount, m.ints([0, 0, 0]), amount], { axis: 0 })])
  }),
  free4('attention over pixels', m => {
    const x = image(m, 6)
    const [n, h, w] = [0, 2, 3].map(axis => size(m, x, axis))
    const flat = (filters: number) =>
      m.add('Reshape', [
        m.add('Conv', [x, m.weights([filters, 6, 1, 1])]),
        list(m, [n, whole(m, filters), whole(m, -1)])
      ])
    const [query, key, value] = [flat(3), flat(3), flat(6)]
    const scores = m.add('MatMul', [m.add('Transpose', [query], { perm: [0, 2, 1] }), key])
    const mixed = m.add('MatMul', [
      value,
      m.add('Transpose', [m.add('Softmax', [scores], { axis: -1 })], { perm: [0, 2, 1] })
    ])
    return m.add('Add', [x, m.add('Reshape', [mixed, list(m, [n, whole(m, 6), h, w])])])
  }),
  free4('tile by a size', m => {
    const x = image(m)
    const repeats = list(m, [whole(m, 1), whole(m, 1), size(m, x, 2), whole(m, 1)])
    return m.add('Add', [x, m.add('Tile', [m.add('ReduceMean', [x], { axes: [2] }), repeats])])
  }),
  free4('weights that are computed', m => {
    const weights = m.add('Div', [
      m.weights([5, 4, 3, 3]),
      m.add('Sqrt', [m.add('ReduceSumSquare', [m.weights([5, 4, 3, 3])], { axes: [1, 2, 3] })])
    ])
    return m.add('Conv', [image(m), m.add('Identity', [weights])])
  }),
  {
    name: 'prior boxes beside the image',
    make: m => {
      const x = m.add('Conv', [m.input([1, 3, 6, 8]), m.weights([8, 3, 3, 3])], { pads: [1, 1, 1, 1] })
      const rows = m.add('Reshape', [m.add('Transpose', [x], { perm: [0, 2, 3, 1] }), m.ints([1, -1, 4])])
      const boxes = m.weights([1, 96, 4], [0.1, 0.9])
      const centre = (value: string) => m.add('Slice', [value, m.ints([0]), m.ints([2]), m.ints([2])])
      const extent = (value: string) => m.add('Slice', [value, m.ints([2]), m.ints([4]), m.ints([2])])
      const at = m.add('Add', [m.add('Mul', [centre(rows), extent(boxes)]), centre(boxes)])
      return m.add('Concat', [at, m.add('Mul', [m.add('Exp', [extent(rows)]), extent(boxes)])], { axis: 2 })
    }
  },
  {
    name: 'Focus: four strided slices joined',
    make: m => {
      const x = m.input(['N', 3, 'H', 'W'])
      const part = (h: number, w: number) =>
        m.add('Slice', [
          m.add('Slice', [x, m.ints([h]), m.ints([2 ** 31]), m.ints([2]), m.ints([2])]),
          m.ints([w]),
          m.ints([2 ** 31]),
          m.ints([3]),
          m.ints([2])
        ])
      const joined = m.add('Concat', [part(0, 0), part(1, 0), part(0, 1), part(1, 1)], { axis: 1 })
      return m.add('Conv', [joined, m.weights([5, 12, 3, 3])], { pads: [1, 1, 1, 1] })
    },
    bindings: [
      { N: 1, H: 8, W: 6 },
      { N: 2, H: 4, W: 10 }
    ]
  }
]
