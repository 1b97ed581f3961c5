// If as exporters leave it: conditions that constants and shapes decide, values from outside, branches in branches.
import type { ModelBuilder } from '../../support/onnx/model.js'
import type { Pattern } from './exporters.js'

type Make = (m: ModelBuilder) => string

const flag = (m: ModelBuilder, value: boolean) => m.constant({ dtype: 'bool', dims: [], data: [Number(value)] })
const size = (m: ModelBuilder, x: string, axis: number) => m.add('Gather', [m.add('Shape', [x]), m.ints([axis])])
const whole = (m: ModelBuilder, value: number) => m.constant({ dtype: 'int64', dims: [1], data: [value] })
const choose = (m: ModelBuilder, condition: string, yes: Make, no: Make) =>
  m.add('If', [condition], { then_branch: m.branch(yes), else_branch: m.branch(no) })

const decided = (name: string, make: Pattern['make'], bindings?: Pattern['bindings']): Pattern => ({
  name,
  make,
  hides: /\b(If|Shape|Equal|GreaterOrEqual|LessOrEqual)\(/,
  bindings
})

export const branches: readonly Pattern[] = [
  ...[true, false].map(value =>
    decided(`a constant condition, ${value}`, m => {
      const x = m.input([2, 3, 4])
      return choose(
        m,
        flag(m, value),
        inner => inner.add('Mul', [x, inner.weights([3, 4])]),
        inner => inner.add('Relu', [inner.add('Add', [x, inner.weights([4])])])
      )
    })
  ),
  decided('a squeeze of an axis that has size 1', m => {
    const x = m.add('GlobalAveragePool', [m.input([2, 3, 4, 5])])
    const condition = m.add('Equal', [size(m, x, 3), whole(m, 1)])
    const y = choose(
      m,
      condition,
      inner => inner.add('Squeeze', [x, inner.ints([3])]),
      inner => inner.add('Identity', [x])
    )
    return m.add('Gemm', [m.add('Flatten', [y]), m.weights([3, 6])])
  }),
  decided(
    'a condition that no free size changes',
    m => {
      const x = m.input(['N', 3, 'H', 5])
      const condition = m.add('Equal', [size(m, x, 1), whole(m, 4)])
      return choose(
        m,
        condition,
        inner => inner.add('Relu', [x]),
        inner => inner.add('Conv', [x, inner.weights([4, 3, 1, 1])])
      )
    },
    [
      { N: 1, H: 4 },
      { N: 3, H: 2 }
    ]
  ),
  ...['GreaterOrEqual', 'LessOrEqual'].map(op =>
    decided(
      `a condition that every free size decides, ${op}`,
      m => {
        const x = m.input(['N', 3, 'H', 5])
        return choose(
          m,
          m.add(op, [size(m, x, 2), whole(m, 0)]),
          inner => inner.add('Relu', [x]),
          inner => inner.add('Neg', [x])
        )
      },
      [
        { N: 1, H: 4 },
        { N: 3, H: 2 }
      ]
    )
  ),
  ...['Greater', 'Equal', 'LessOrEqual'].map(op => ({
    name: `a comparison that the smallest sizes turn, ${op}`,
    make: (m: ModelBuilder) => {
      const x = m.input(['N', 3, 'H', 5])
      const half = m.add('Div', [size(m, x, 2), whole(m, 2)])
      return m.add('Where', [m.add(op, [half, whole(m, 0)]), m.add('Relu', [x]), m.add('Neg', [x])])
    },
    hides: /\b(Shape|Div)\(/,
    bindings: [
      { N: 1, H: 4 },
      { N: 3, H: 1 }
    ]
  })),
  decided('two that use the same names, the second what the first gives', m => {
    const x = m.input([2, 3])
    const make = (value: string): string =>
      choose(
        m,
        flag(m, true),
        inner => inner.add('Sigmoid', [inner.add('Mul', [value, inner.weights([3])])]),
        inner => inner.add('Neg', [value])
      )
    return m.add('Sub', [make(make(x)), x])
  }),
  decided('one in another, which reads both outsides', m => {
    const x = m.input([2, 3])
    return choose(
      m,
      flag(m, false),
      inner => inner.add('Neg', [x]),
      inner => {
        const y = inner.add('Add', [x, inner.weights([3])])
        const z = choose(
          inner,
          flag(inner, true),
          deep => deep.add('Mul', [x, y]),
          deep => deep.add('Identity', [y])
        )
        return inner.add('Sub', [z, y])
      }
    )
  }),
  decided('several outputs, of which one is a constant', m => {
    const x = m.input([2, 3])
    const [a, b] = m.addMany('If', [flag(m, true)], 2, {
      then_branch: m.branch(inner => [inner.add('Abs', [x]), inner.add('Identity', [inner.weights([3])])]),
      else_branch: m.branch(inner => [inner.add('Identity', [x]), inner.add('Identity', [inner.weights([3])])])
    })
    return m.add('Add', [a, b])
  }),
  decided('what the other branch cannot be compiled for', m => {
    const x = m.input([2, 3])
    return choose(
      m,
      flag(m, true),
      inner => inner.add('Abs', [x]),
      inner => inner.add('Loop', [inner.ints([3]), flag(inner, true), x], { body: looping(inner) })
    )
  })
]

/** A loop's body that goes on and gives what it got. */
function looping(m: ModelBuilder) {
  const body = m.branch(() => ['on', 'out'])
  if (!(typeof body === 'object' && 'graph' in body)) return body
  const scalar = { shape: { dim: [] } }
  const input = [
    { name: 'i', type: { tensorType: { elemType: 7, ...scalar } } },
    { name: 'more', type: { tensorType: { elemType: 9, ...scalar } } },
    { name: 'state', type: { tensorType: { elemType: 1 } } }
  ]
  const node = ['more on', 'state out'].map(pair => {
    const [from, to] = pair.split(' ')
    return { opType: 'Identity', input: [from], output: [to] }
  })
  return { graph: { ...body.graph, input, node } }
}
