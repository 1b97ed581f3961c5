// Loop and Scan with as many trips as constants and shapes say: carried values, what is stacked, values from outside,
// conditions that end a loop early, loops in loops.
import type { ModelBuilder } from '../../support/onnx/model.js'
import type { Pattern } from './exporters.js'

const bool = (m: ModelBuilder, value: boolean) => m.constant({ dtype: 'bool', dims: [], data: [Number(value)] })
const whole = (m: ModelBuilder, value: number) => m.constant({ dtype: 'int64', dims: [], data: [value] })
const size = (m: ModelBuilder, x: string, axis: number) => m.add('Gather', [m.add('Shape', [x]), whole(m, axis)])
const counters = [
  { dtype: 'int64', dims: [] },
  { dtype: 'bool', dims: [] }
] as const
const carried = { dtype: 'float32' } as const
/** Steps of a sum whose other outputs are stacked. */
const same = (m: ModelBuilder, value: string) => m.add('Identity', [value])

const unrolled = (name: string, make: Pattern['make'], more: Partial<Pattern> = {}): Pattern => ({
  name,
  make,
  hides: /\b(Loop|Scan|If|Shape|Less)\(/,
  ...more
})

/** Each of both outputs counts. */
const both = (m: ModelBuilder, outputs: readonly string[]) =>
  m.add('Add', [
    m.add('ReduceSum', [outputs[1], m.ints([0])], { keepdims: 0 }),
    m.add('Mul', [outputs[0], m.scalar(3)])
  ])

export const loops: readonly Pattern[] = [
  unrolled('a trip count that is a constant, carried values and a stack', m => {
    const x = m.input([3, 4])
    const w = m.weights([4])
    const body = m.body([...counters, carried], (inner, i, more, state) => {
      const step = inner.add('Mul', [state, w])
      const next = inner.add('Add', [step, inner.add('Cast', [i], { to: 1 })])
      return [same(inner, more), next, inner.add('Sigmoid', [step])]
    })
    return both(m, m.addMany('Loop', [whole(m, 4), bool(m, true), x], 2, { body }))
  }),
  unrolled(
    'a trip count that a shape decides, and no condition',
    m => {
      const x = m.input(['N', 3, 5])
      const body = m.body([...counters, carried], (inner, i, more, state) => [
        same(inner, more),
        inner.add('Add', [state, inner.add('Gather', [x, i], { axis: 1 })])
      ])
      const zero = m.add('Mul', [m.add('Gather', [x, whole(m, 0)], { axis: 1 }), m.scalar(0.5)])
      return m.add('Loop', [size(m, x, 1), undefined, zero], { body })
    },
    { bindings: [{ N: 1 }, { N: 4 }] }
  ),
  unrolled('a condition that ends the loop early', m => {
    const x = m.input([2, 3])
    const body = m.body([...counters, carried], (inner, i, _, state) => [
      inner.add('Less', [i, whole(inner, 2)]),
      inner.add('Mul', [state, inner.weights([3])]),
      inner.add('Neg', [state])
    ])
    return both(m, m.addMany('Loop', [whole(m, 1000), bool(m, true), x], 2, { body }))
  }),
  unrolled('no trip count, only a condition that is carried', m => {
    const x = m.input([2, 3])
    const body = m.body([...counters, carried, { dtype: 'int64' }], (inner, _, __, state, left) => {
      const next = inner.add('Sub', [left, inner.ints([1])])
      const more = inner.add('Reshape', [inner.add('Greater', [next, inner.ints([0])]), inner.ints([])])
      return [more, inner.add('Tanh', [inner.add('Add', [state, x])]), next]
    })
    return m.addMany('Loop', [undefined, bool(m, true), x, m.ints([3])], 2, { body })[0]
  }),
  ...[0, 3].map(trips =>
    unrolled(`no trip at all, ${trips ? 'by its condition' : 'by its count'}`, m => {
      const x = m.input([2, 3])
      const body = m.body([...counters, carried], (inner, _, more, state) => [
        same(inner, more),
        inner.add('Exp', [state])
      ])
      return m.add('Neg', [m.add('Loop', [whole(m, trips), bool(m, !trips), x], { body })])
    })
  ),
  unrolled('a loop in a loop, and a branch that the trip decides', m => {
    const x = m.input([2, 3])
    const outer = m.body([...counters, carried], (inner, i, more, state) => {
      const deep = inner.body([...counters, carried], (deepest, k, on, value) => {
        const first = deepest.add('Equal', [k, i])
        const chosen = deepest.add('If', [first], {
          then_branch: deepest.branch(b => b.add('Add', [value, x])),
          else_branch: deepest.branch(b => b.add('Mul', [value, state]))
        })
        return [same(deepest, on), chosen]
      })
      return [same(inner, more), inner.add('Loop', [whole(inner, 3), bool(inner, true), state], { body: deep })]
    })
    return m.add('Loop', [whole(m, 2), bool(m, true), x], { body: outer })
  }),
  unrolled('a recurrence with a convolution, whose weights are kept once', m => {
    const x = m.input([1, 3, 5, 6])
    const body = m.body([...counters, carried], (inner, _, more, state) => {
      const y = inner.add('Conv', [state, inner.weights([3, 3, 3, 3])], { pads: [1, 1, 1, 1] })
      return [same(inner, more), inner.add('Tanh', [inner.add('Add', [y, x])])]
    })
    return m.add('Loop', [whole(m, 3), bool(m, true), x], { body })
  }),
  unrolled('Scan over the first axis', m => {
    const [x, start] = [m.input([4, 3]), m.input([3])]
    const body = m.body([carried, carried], (inner, state, row) => {
      const next = inner.add('Add', [inner.add('Mul', [state, inner.weights([3])]), row])
      return [next, inner.add('Relu', [next])]
    })
    return both(m, m.addMany('Scan', [start, x], 2, { body, num_scan_inputs: 1 }))
  }),
  unrolled('Scan over two inputs, along other axes and backwards', m => {
    const [x, y, start] = [m.input([2, 4, 3]), m.input([2, 3, 4]), m.input([2, 3])]
    const body = m.body([carried, carried, carried], (inner, state, a, b) => {
      const next = inner.add('Sub', [inner.add('Mul', [state, a]), b])
      return [next, inner.add('Sigmoid', [next]), same(inner, a)]
    })
    const outputs = m.addMany('Scan', [start, x, y], 3, {
      body,
      num_scan_inputs: 2,
      scan_input_axes: [1, -1],
      scan_input_directions: [1, 0],
      scan_output_axes: [-1, 1],
      scan_output_directions: [1, 0]
    })
    const turned = m.add('Transpose', [outputs[1]], { perm: [0, 2, 1] })
    return m.add('Add', [m.add('Unsqueeze', [outputs[0], m.ints([1])]), m.add('Mul', [turned, outputs[2]])])
  })
]
