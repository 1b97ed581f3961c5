// What exporters write for one operator, and what only looks like it.
import type { ModelBuilder } from '../../support/onnx/model.js'
import type { Bindings } from '../../support/onnx/oracle.js'

export interface Pattern {
  readonly name: string
  readonly make: (m: ModelBuilder) => string
  /** What the compiled graph shows, and what it must not show. */
  readonly shows?: RegExp
  readonly hides?: RegExp
  readonly opset?: number
  readonly bindings?: readonly Bindings[]
}

type Make = (m: ModelBuilder) => string

const map = (m: ModelBuilder) => m.input([2, 8, 5, 6])
const act = (name: string, kind: string, make: Make): Pattern => ({
  name,
  make,
  shows: new RegExp(`act=${kind}\\b`),
  hides: /\b(Mul|Add|Div|Pow|Max)\(/
})
const unlike = (name: string, kind: string, make: Make): Pattern => ({
  name: `not ${name}`,
  make,
  hides: new RegExp(`act=${kind}\\b`)
})

const clip = (m: ModelBuilder, x: string, high = 6) => m.add('Clip', [x, m.scalar(0), m.scalar(high)])
const plus = (m: ModelBuilder, x: string, by: number) => m.add('Add', [x, m.scalar(by)])
const times = (m: ModelBuilder, x: string, by: number) => m.add('Mul', [x, m.scalar(by)])
const by = (m: ModelBuilder, x: string, divisor: number) => m.add('Div', [x, m.scalar(divisor)])

const erfGate = (m: ModelBuilder, x: string) => plus(m, m.add('Erf', [by(m, x, Math.SQRT2)]), 1)
const tanhGate = (m: ModelBuilder, x: string, cube: string) =>
  plus(m, m.add('Tanh', [times(m, m.add('Add', [x, times(m, cube, 0.044715)]), Math.sqrt(2 / Math.PI))]), 1)

export const activations: readonly Pattern[] = [
  act('SiLU', 'silu', m => {
    const x = map(m)
    return m.add('Mul', [x, m.add('Sigmoid', [x])])
  }),
  act('SiLU, the other way round', 'silu', m => {
    const x = map(m)
    return m.add('Mul', [m.add('Sigmoid', [x]), x])
  }),
  act('HardSwish as x * (clip / 6)', 'hardSwish', m => {
    const x = map(m)
    return m.add('Mul', [x, by(m, clip(m, plus(m, x, 3)), 6)])
  }),
  act('HardSwish as (x * clip) / 6', 'hardSwish', m => {
    const x = map(m)
    return by(m, m.add('Mul', [x, clip(m, plus(m, x, 3))]), 6)
  }),
  act('HardSwish as x * clip * (1 / 6)', 'hardSwish', m => {
    const x = map(m)
    return times(m, m.add('Mul', [clip(m, plus(m, x, 3)), x]), 1 / 6)
  }),
  act('HardSwish as x * HardSigmoid', 'hardSwish', m => {
    const x = map(m)
    return m.add('Mul', [x, m.add('HardSigmoid', [x], { alpha: { float: 1 / 6 } })])
  }),
  act('HardSigmoid as clip(x + 3) / 6', 'hardSigmoid', m => by(m, clip(m, plus(m, map(m), 3)), 6)),
  act('Mish', 'mish', m => {
    const x = map(m)
    return m.add('Mul', [x, m.add('Tanh', [m.add('Softplus', [x])])])
  }),
  act('LeakyRelu as Max', 'leakyRelu', m => {
    const x = map(m)
    return m.add('Max', [times(m, x, 0.2), x])
  }),
  act('Gelu as (x * (1 + erf)) * 0.5', 'gelu', m => {
    const x = map(m)
    return times(m, m.add('Mul', [x, erfGate(m, x)]), 0.5)
  }),
  act('Gelu as x * (0.5 * (1 + erf))', 'gelu', m => {
    const x = map(m)
    return m.add('Mul', [x, times(m, erfGate(m, x), 0.5)])
  }),
  act('Gelu as (0.5 * x) * (1 + erf)', 'gelu', m => {
    const x = map(m)
    return m.add('Mul', [times(m, x, 0.5), erfGate(m, x)])
  }),
  act('Gelu with tanh, Pow', 'geluTanh', m => {
    const x = map(m)
    return m.add('Mul', [times(m, x, 0.5), tanhGate(m, x, m.add('Pow', [x, m.scalar(3)]))])
  }),
  act('Gelu with tanh, Mul', 'geluTanh', m => {
    const x = map(m)
    return times(m, m.add('Mul', [x, tanhGate(m, x, m.add('Mul', [m.add('Mul', [x, x]), x]))]), 0.5)
  }),
  unlike('SiLU: another sigmoid', 'silu', m => {
    const x = map(m)
    return m.add('Mul', [x, m.add('Sigmoid', [times(m, x, 2)])])
  }),
  unlike('SiLU: the sigmoid is read elsewhere', 'silu', m => {
    const x = map(m)
    const gate = m.add('Sigmoid', [x])
    return m.add('Add', [m.add('Mul', [x, gate]), gate])
  }),
  unlike('HardSwish: a fifth', 'hardSwish', m => {
    const x = map(m)
    return by(m, m.add('Mul', [x, clip(m, plus(m, x, 3))]), 5)
  }),
  unlike('HardSwish: another clip', 'hardSwish', m => {
    const x = map(m)
    return by(m, m.add('Mul', [x, clip(m, plus(m, x, 3), 5)]), 6)
  }),
  unlike('HardSwish: of another value', 'hardSwish', m =>
    by(m, m.add('Mul', [map(m), clip(m, plus(m, map(m), 3))]), 6)
  ),
  unlike('LeakyRelu: a slope above 1', 'leakyRelu', m => {
    const x = map(m)
    return m.add('Max', [times(m, x, 1.5), x])
  }),
  unlike('LeakyRelu: a slope below 0', 'leakyRelu', m => {
    const x = map(m)
    return m.add('Max', [times(m, x, -0.5), x])
  }),
  unlike('Gelu: a third', 'gelu', m => {
    const x = map(m)
    return times(m, m.add('Mul', [x, erfGate(m, x)]), 1 / 3)
  }),
  unlike('Gelu: of another value', 'gelu', m => times(m, m.add('Mul', [map(m), erfGate(m, map(m))]), 0.5)),
  unlike('Mish: of another value', 'mish', m => m.add('Mul', [map(m), m.add('Tanh', [m.add('Softplus', [map(m)])])]))
]

/** Layer normalisation in single steps. */
function layerNorm(
  m: ModelBuilder,
  x: string,
  { axes = [-1], square = 'Pow', power = 2, epsilon = 1e-5 } = {}
): string {
  const mean = (value: string) => m.add('ReduceMean', [value], { axes })
  const centred = m.add('Sub', [x, mean(x)])
  const squared = square === 'Pow' ? m.add('Pow', [centred, m.scalar(power)]) : m.add('Mul', [centred, centred])
  return m.add('Div', [centred, m.add('Sqrt', [plus(m, mean(squared), epsilon)])])
}

const affine = (m: ModelBuilder, x: string, dims: number[]) =>
  m.add('Add', [m.add('Mul', [x, m.weights(dims)]), m.weights(dims)])

function groupNorm(m: ModelBuilder, x: string, groups: number, fill = 1): string {
  const of = (value: number) => m.constant({ dtype: 'float32', dims: [groups], data: new Array(groups).fill(value) })
  const apart = m.add('Reshape', [x, m.ints([0, groups, -1])])
  const normal = m.add('InstanceNormalization', [apart, of(fill), of(0)])
  return m.add('Reshape', [normal, m.ints([2, 8, 5, 6])])
}

export const norms: readonly Pattern[] = [
  {
    name: 'LayerNormalization',
    make: m => affine(m, layerNorm(m, m.input([3, 7, 10])), [10]),
    shows: /LayerNormalization/,
    hides: /Sqrt|ReduceMean/
  },
  {
    name: 'LayerNormalization with Mul',
    make: m => affine(m, layerNorm(m, m.input([3, 7, 10]), { square: 'Mul' }), [1, 1, 10]),
    shows: /LayerNormalization/
  },
  {
    name: 'LayerNormalization without scale',
    make: m => layerNorm(m, m.input([3, 7, 10]), { epsilon: 0.1 }),
    shows: /LayerNormalization/
  },
  {
    name: 'LayerNormalization with a scale only',
    make: m => m.add('Mul', [layerNorm(m, m.input([3, 7, 10])), m.weights([10])]),
    shows: /LayerNormalization/
  },
  {
    name: 'LayerNormalization with a scale by row',
    make: m => m.add('Mul', [layerNorm(m, m.input([3, 7, 10])), m.weights([7, 1])]),
    shows: /LayerNormalization/
  },
  {
    name: 'LayerNormalization of channels last',
    make: m => {
      const moved = m.add('Transpose', [m.add('Conv', [map(m), m.weights([10, 8, 3, 3])])], { perm: [0, 2, 3, 1] })
      return m.add('Transpose', [affine(m, layerNorm(m, moved), [10])], { perm: [0, 3, 1, 2] })
    },
    shows: /LayerNormalization/
  },
  {
    name: 'not LayerNormalization: over channels',
    make: m => layerNorm(m, map(m), { axes: [1] }),
    hides: /LayerNormalization/
  },
  {
    name: 'not LayerNormalization: over two axes',
    make: m => layerNorm(m, map(m), { axes: [2, 3] }),
    hides: /LayerNormalization/
  },
  {
    name: 'not LayerNormalization: the fourth power',
    make: m => layerNorm(m, m.input([3, 10]), { power: 4 }),
    hides: /LayerNormalization/
  },
  {
    name: 'GroupNormalization',
    make: m => affine(m, groupNorm(m, map(m), 4), [8, 1, 1]),
    shows: /GroupNormalization/,
    hides: /Reshape/
  },
  {
    name: 'GroupNormalization behind Conv, then Relu',
    make: m =>
      m.add('Relu', [affine(m, groupNorm(m, m.add('Conv', [map(m), m.weights([8, 8, 1, 1])]), 2), [1, 8, 1, 1])]),
    shows: /GroupNormalization/
  },
  { name: 'GroupNormalization without scale', make: m => groupNorm(m, map(m), 2), shows: /GroupNormalization/ },
  {
    name: 'not GroupNormalization: with a scale of its own',
    make: m => groupNorm(m, map(m), 2, 1.5),
    hides: /GroupNormalization/
  },
  {
    name: 'GroupNormalization of free batch',
    make: m => {
      const x = m.input(['N', 8, 5, 6])
      const of = (value: number) => m.constant({ dtype: 'float32', dims: [4], data: new Array(4).fill(value) })
      const normal = m.add('InstanceNormalization', [m.add('Reshape', [x, m.ints([0, 4, -1])]), of(1), of(0)])
      return affine(m, m.add('Reshape', [normal, m.add('Shape', [x])]), [8, 1, 1])
    },
    shows: /GroupNormalization/,
    bindings: [{ N: 1 }, { N: 3 }]
  }
]
