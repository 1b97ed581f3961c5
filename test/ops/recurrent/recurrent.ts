// LSTM, GRU and RNN in every direction, with everything that they may be given, all outputs looked at.
import { type Case, c, given, type Operand, one, type Rest, typed, within, x } from '../../support/cases/case.js'
import type { Attribute, Attributes } from '../../support/onnx/model.js'
import { baseSeed, Random } from '../../support/random.js'

const gates = { RNN: 1, GRU: 3, LSTM: 4 } as const
type Op = keyof typeof gates

interface Sizes {
  readonly steps: number | string
  readonly batch: number | string
  readonly inputs: number
  readonly size: number
}

interface More {
  readonly biased?: boolean
  readonly lengths?: readonly number[] | 'input'
  readonly begun?: 'input' | 'constant'
  readonly peeped?: boolean
  /** Weights that a run brings. */
  readonly computed?: boolean
  readonly outputs?: number
}

function layer(
  op: Op,
  name: string,
  sizes: Sizes,
  attributes: Attributes = {},
  more: More = {},
  rest: Rest = {}
): Case {
  const { steps, batch, inputs, size } = sizes
  const directions = attributes.direction === 'bidirectional' ? 2 : 1
  const rows = gates[op] * size
  const weights = (...dims: number[]): Operand => within(more.computed ? x(...dims) : c(...dims), -0.5, 0.5)
  const batchFirst = attributes.layout === 1
  const first = (): Operand | undefined => {
    const dims = batchFirst ? [batch, directions, size] : [directions, batch, size]
    return more.begun === 'constant' ? c(...(dims as number[])) : more.begun ? x(...dims) : undefined
  }
  const { lengths } = more
  const counts =
    lengths === 'input' ? typed(x(batch), 'int32', [1, Number(steps)]) : lengths && given(lengths, undefined, 'int32')
  const operands = [
    batchFirst ? x(batch, steps, inputs) : x(steps, batch, inputs),
    weights(directions, rows, inputs),
    weights(directions, rows, size),
    more.biased ? weights(directions, 2 * rows) : undefined,
    counts,
    first(),
    op === 'LSTM' ? first() : undefined,
    more.peeped ? weights(directions, 3 * size) : undefined
  ]
  while (operands[operands.length - 1] === undefined) operands.pop()
  const outputs = more.outputs ?? (op === 'LSTM' ? 3 : 2)
  return one(`${op}, ${name}`, op, operands, { hidden_size: size, ...attributes }, { opset: 14, outputs, ...rest })
}

const small: Sizes = { steps: 5, batch: 3, inputs: 4, size: 6 }
const all: readonly Op[] = ['RNN', 'GRU', 'LSTM']
const directions = ['forward', 'reverse', 'bidirectional']
const functions: Readonly<Record<Op, readonly string[]>> = {
  RNN: ['HardSigmoid'],
  GRU: ['HardSigmoid', 'Softsign'],
  LSTM: ['HardSigmoid', 'Relu', 'LeakyRelu']
}
const others: Readonly<Record<Op, readonly string[]>> = {
  RNN: ['ThresholdedRelu'],
  GRU: ['Elu', 'Affine'],
  LSTM: ['Sigmoid', 'ScaledTanh', 'Softplus']
}

/** A layer of random sizes with some of what it may have. */
function drawn(_: unknown, i: number): Case {
  const random = new Random('recurrent layers', baseSeed + i)
  const op = random.pick(all)
  const sizes = {
    steps: random.int(1, 9),
    batch: random.int(1, 11),
    inputs: random.int(1, 12),
    size: random.int(1, 37)
  }
  const { steps, batch } = sizes
  const lengths = random.chance(0.3) ? random.ints(batch, [1, steps]) : undefined
  const attributes: Record<string, Attribute> = { direction: random.pick(directions) }
  if (op === 'GRU' && random.chance(0.5)) attributes.linear_before_reset = 1
  if (op === 'LSTM' && random.chance(0.2)) attributes.input_forget = 1
  if (random.chance(0.3)) attributes.clip = { float: random.uniform(0.1, 2) }
  const biased = random.chance(0.7)
  const begun = random.pick([undefined, 'input', 'constant'] as const)
  const peeped = op === 'LSTM' && random.chance(0.4)
  return layer(op, `drawn (${i})`, sizes, attributes, { lengths, biased, begun, peeped, computed: random.chance(0.2) })
}

export const recurrent: readonly Case[] = [
  ...Array.from({ length: 12 }, drawn),
  ...all.flatMap(op => [
    ...directions.flatMap(direction => [
      layer(op, direction, small, { direction }, { biased: true }),
      layer(
        op,
        `${direction}, sequences of their own lengths`,
        small,
        { direction },
        { biased: true, lengths: [5, 2, 3] }
      ),
      layer(op, `${direction}, lengths that a run tells`, small, { direction }, { lengths: 'input', begun: 'input' }),
      layer(op, `${direction}, first states`, { ...small, batch: 5 }, { direction }, { biased: true, begun: 'input' })
    ]),
    layer(op, 'one image of many numbers', { steps: 7, batch: 1, inputs: 20, size: 40 }, {}, { biased: true }),
    layer(
      op,
      'one number',
      { steps: 3, batch: 2, inputs: 1, size: 1 },
      { direction: 'bidirectional' },
      { biased: true }
    ),
    layer(op, 'one step, constant states', { ...small, steps: 1 }, {}, { biased: true, begun: 'constant' }),
    layer(
      op,
      'nine images',
      { ...small, batch: 9, size: 9 },
      { direction: 'reverse' },
      { biased: true, begun: 'input' }
    ),
    layer(op, 'clipped', small, { clip: { float: 0.3 } }, { biased: true }),
    layer(
      op,
      'weights that a run brings',
      { ...small, size: 10 },
      { direction: 'bidirectional' },
      { biased: true, computed: true }
    ),
    layer(op, 'other functions', small, { activations: { strings: functions[op] } }, { biased: true }),
    layer(
      op,
      'functions with numbers of their own',
      small,
      {
        activations: { strings: others[op] },
        activation_alpha: { floats: [0.7, 1.2] },
        activation_beta: { floats: [0.4, 0.1] }
      },
      { biased: true }
    ),
    layer(
      op,
      'other functions in each direction',
      small,
      {
        direction: 'bidirectional',
        activations: { strings: [...functions[op], ...others[op]] },
        activation_alpha: { floats: [0.3, 0.2, 0.7, 1.2] },
        activation_beta: { floats: [0.4, 0.6, 0.9] }
      },
      { biased: true }
    ),
    layer(op, 'all states alone', small, {}, { biased: true, outputs: 1 }),
    layer(
      op,
      'free sizes',
      { ...small, steps: 'T', batch: 'N' },
      { direction: 'bidirectional' },
      { biased: true, begun: 'input' },
      {
        bindings: [
          { T: 4, N: 1 },
          { T: 1, N: 6 }
        ]
      }
    )
  ]),
  layer('GRU', 'the reset behind the product', small, { linear_before_reset: 1 }, { biased: true, begun: 'input' }),
  layer('GRU', 'the reset behind the product, without biases', small, { linear_before_reset: 1 }),
  layer(
    'GRU',
    'the reset behind the product, both directions and lengths',
    small,
    { linear_before_reset: 1, direction: 'bidirectional' },
    { biased: true, lengths: [1, 5, 4] }
  ),
  layer('LSTM', 'peepholes', small, { direction: 'bidirectional' }, { biased: true, peeped: true, begun: 'input' }),
  layer('LSTM', 'peepholes, clipped', small, { clip: { float: 0.25 } }, { biased: true, peeped: true }),
  layer('LSTM', 'input and forget coupled', small, { input_forget: 1 }, { biased: true, peeped: true })
]
