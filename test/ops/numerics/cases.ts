// Operators and what they are fed: as in test/ops, with special numbers among the elements.

import { type Case, c, coarse, coarsely, ints, one, scalar, x } from '../../support/cases/case.js'
import type { Attributes } from '../../support/onnx/model.js'
import type { Random } from '../../support/random.js'
import { functions } from '../elementwise/elementwise.js'

export type Values = ArrayLike<number>

export interface SpecialCase extends Case {
  /** Contents of input number `index`. */
  readonly fill: (dims: readonly number[], index: number, random: Random) => Values
  /** Why onnxruntime is no measure: the reference is, then. */
  readonly deviates?: string
}

const specials = [
  ...[Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0, -0, 3.4e38, -3.4e38, 1e30, -1e30, 1e10, -1e10],
  ...[
    88.9, -88.9, 103, -105, 1e-30, -1e-30, 0.5, -0.5, 1.5, -2.5, 16777217, -8388608.5, 1, -1, 2, 20.5, -20.5, 4.5, -4.5
  ]
].map(Math.fround)
const count = specials.length
const worst = specials.slice(0, 3)
const lengthOf = (dims: readonly number[]) => dims.reduce((a, b) => a * b, 1)

/** Each special number in turn. */
const inTurn = (dims: readonly number[]): Values =>
  Float32Array.from({ length: lengthOf(dims) }, (_, i) => specials[i % count])

const dropsNaN = "onnxruntime's comparisons pass NaN over; ONNX's reference (numpy) passes it on"
const passesOver = 'onnxruntime passes NaN over wherever it stands; Hardmax is 1 here where ArgMax finds the largest'
const runningSum = 'onnxruntime slides a sum, in which an infinity leaves NaN behind'
const readsBeside = 'onnxruntime multiplies what lies outside of the edge by 0, where an infinity becomes NaN'

/** Ordinary numbers, and in every group of `every` at a random place one of NaN and the infinities. */
const scattered =
  (every: number, range: readonly [number, number] = [-2, 2]) =>
  (dims: readonly number[], index: number, random: Random): Values => {
    const data = Float32Array.from(random.values(lengthOf(dims), range))
    if (index) return data
    for (let from = 0; from + every <= data.length; from += every)
      data[from + random.int(0, every - 1)] = random.pick(worst)
    return data
  }

/** The same for long sums, of which rounding would be all that is left where the terms cancel. */
const coarselyScattered =
  (every: number): SpecialCase['fill'] =>
  (dims, index, random) =>
    Array.from(scattered(every)(dims, index, random), value => (Number.isFinite(value) ? coarsely(value) : value))

const special = (base: Case, fill: SpecialCase['fill'], deviates?: string): SpecialCase => ({ ...base, fill, deviates })

const alone = functions.map(([op, attributes, , opset = 17]) => {
  const name = `${op} ${JSON.stringify(attributes)}`
  return special(one(name, op, [x(3, count)], attributes, { opset }), inTurn)
})

/** The same behind a convolution that changes nothing, where they are its epilogue. */
const fused = ['Relu', 'LeakyRelu', 'Sigmoid', 'Tanh', 'Elu', 'Selu', 'HardSigmoid', 'HardSwish', 'Softplus', 'Mish']
const epilogues = fused.map(op => {
  const identity = { ...c(1, 1, 1, 1), values: [1] }
  const next = [{ op }]
  return special(one(`Conv and ${op}`, 'Conv', [x(1, 1, 3, count), identity], {}, { opset: 18, next }), inTurn)
})

const swish = special(one('Swish', 'Swish', [x(3, count)], {}, { opset: 24 }), inTurn)
const several = ['Sum', 'Mean'].map(op => special(one(`${op} of three`, op, [x(count, 1), x(1, count), x(1)]), inTurn))

const pairs = [
  ...['Add', 'Sub', 'Mul', 'Div', 'Pow', 'Max', 'Min', 'PRelu'],
  ...['Equal', 'Greater', 'Less', 'GreaterOrEqual', 'LessOrEqual']
].map(op => special(one(`${op} of all pairs`, op, [x(count, 1), x(1, count)], {}, { opset: 17 }), inTurn))

const remainder = special(one('Mod of all pairs', 'Mod', [x(count, 1), x(1, count)], { fmod: 1 }), inTurn)

const clips = [
  special(one('Clip', 'Clip', [x(3, count), scalar(-0.5), scalar(0.5)]), inTurn),
  special(one('Clip, infinite bounds', 'Clip', [x(3, count), scalar(-3.4e38), scalar(3.4e38)]), inTurn)
]

const axes: readonly [string, number[]][] = [
  ['rows', [3]],
  ['channels', [1]],
  ['maps', [2, 3]]
]
const reductions = ['Max', 'Min', 'Sum', 'Mean', 'Prod', 'L1', 'L2', 'SumSquare', 'LogSum', 'LogSumExp'].flatMap(kind =>
  axes.map(([name, list]) =>
    special(
      one(`Reduce${kind} of ${name}`, `Reduce${kind}`, [x(2, 21, 6, 5)], { axes: list }, { opset: 11 }),
      // The logarithm of a sum that all but cancels is mostly rounding.
      scattered(30, kind === 'LogSum' ? [0.5, 2] : undefined),
      /M(ax|in)/.test(kind) ? dropsNaN : undefined
    )
  )
)

const why = (op: string) => (op.endsWith('MaxPool') ? dropsNaN : op === 'LRN' ? runningSum : undefined)
const windows: readonly [string, Attributes][] = [
  ['MaxPool', { kernel_shape: [2, 2] }],
  ['MaxPool', { kernel_shape: [3, 3], pads: [1, 1, 1, 1] }],
  ['AveragePool', { kernel_shape: [2, 2] }],
  ['AveragePool', { kernel_shape: [3, 3], pads: [1, 1, 1, 1] }],
  ['MaxPool', { kernel_shape: [5, 5], pads: [2, 2, 2, 2] }],
  ['AveragePool', { kernel_shape: [5, 5], pads: [2, 2, 2, 2] }],
  ['GlobalMaxPool', {}],
  ['GlobalAveragePool', {}],
  ['LRN', { size: 3 }],
  ...[1, 2, 3].map((p): [string, Attributes] => ['LpPool', { kernel_shape: [2, 2], p }]),
  ['GlobalLpPool', { p: 1 }],
  ['GlobalLpPool', { p: 2 }]
]
const pools = windows.flatMap(([op, attributes]) =>
  [1, 4, 11, 16, 21].map(channels =>
    special(
      one(`${op} ${JSON.stringify(attributes)}, ${channels} channels`, op, [x(2, channels, 6, 5)], attributes),
      scattered(40),
      why(op)
    )
  )
)

const rows = ['Softmax', 'LogSoftmax', 'ArgMax', 'ArgMin', 'Hardmax', 'LpNormalization'].flatMap(op =>
  [1, 3].map(axis =>
    special(
      one(`${op}, axis ${axis}`, op, [x(2, 13, 6, 9)], { axis }, { opset: 13 }),
      scattered(17),
      op === 'Hardmax' ? passesOver : undefined
    )
  )
)

const asked = [
  ...([{}, { detect_negative: 0 }, { detect_positive: 0 }] as Attributes[]).map(attributes =>
    special(one(`IsInf ${JSON.stringify(attributes)}`, 'IsInf', [x(3, count)], attributes), inTurn)
  ),
  special(one('IsNaN', 'IsNaN', [x(3, count)]), inTurn)
]

const moved = [
  ...[0, 1].map(upper => special(one(`Trilu ${upper}`, 'Trilu', [x(2, 7, 7)], { upper }), scattered(9))),
  special(one('Col2Im', 'Col2Im', [x(1, 18, 24), ints(6, 8), ints(3, 3)], {}, { opset: 18 }), scattered(60)),
  special(one('CenterCropPad', 'CenterCropPad', [x(5, 9), ints(7, 6)], {}, { opset: 18 }), scattered(9)),
  special(one('Det', 'Det', [x(20, 3, 3)]), scattered(30))
]

const norms = [
  special(one('InstanceNormalization', 'InstanceNormalization', [x(2, 5, 6, 5), c(5), c(5)]), scattered(100)),
  special(
    one('GroupNormalization', 'GroupNormalization', [x(2, 6, 6, 5), c(6), c(6)], { num_groups: 2 }, { opset: 21 }),
    scattered(180)
  ),
  special(one('LayerNormalization', 'LayerNormalization', [x(9, 13), c(13), c(13)], { axis: -1 }), scattered(26)),
  special(
    one('BatchNormalization', 'BatchNormalization', [x(2, 5, 6, 5), c(5), c(5), c(5), { ...c(5), range: [0.5, 1] }]),
    scattered(40)
  )
]

const resizes = ['nearest', 'linear', 'cubic'].map(mode =>
  special(
    one(`Resize ${mode}`, 'Resize', [x(1, 5, 6, 5), undefined, { ...c(4), values: [1, 1, 2, 2] }], { mode }),
    scattered(75),
    mode === 'linear' ? readsBeside : undefined
  )
)

const products: SpecialCase[] = [
  special(one('MatMul', 'MatMul', [x(7, 11), c(11, 13)]), scattered(22)),
  special(one('MatMul of two inputs', 'MatMul', [x(3, 7, 11), x(3, 11, 13)]), scattered(22)),
  special(one('Gemm', 'Gemm', [x(1, 40), c(40, 23), c(23)]), scattered(40)),
  special(one('Conv 1×1', 'Conv', [x(2, 9, 6, 7), c(19, 9, 1, 1), c(19)]), scattered(90)),
  special(
    one('Conv 3×3', 'Conv', [x(2, 9, 12, 13), coarse(c(19, 9, 3, 3)), coarse(c(19))], { pads: [1, 1, 1, 1] }),
    coarselyScattered(700)
  ),
  special(
    one('Conv 5×5', 'Conv', [x(1, 8, 14, 13), coarse(c(8, 8, 5, 5))], { pads: [2, 2, 2, 2] }),
    coarselyScattered(700)
  ),
  special(
    one('Conv 3×3, stride 2', 'Conv', [x(2, 9, 12, 13), coarse(c(19, 9, 3, 3))], { strides: [2, 2] }),
    coarselyScattered(700)
  ),
  special(
    one('Conv, depthwise', 'Conv', [x(1, 24, 9, 10), c(24, 1, 3, 3)], { group: 24, pads: [1, 1, 1, 1] }),
    scattered(200)
  ),
  special(one('ConvTranspose', 'ConvTranspose', [x(1, 6, 7, 6), c(6, 5, 3, 3)], { strides: [2, 2] }), scattered(100))
]

export const specialCases: readonly SpecialCase[] = [
  ...alone,
  ...epilogues,
  swish,
  ...several,
  ...pairs,
  remainder,
  ...clips,
  ...reductions,
  ...pools,
  ...rows,
  ...asked,
  ...moved,
  ...norms,
  ...resizes,
  ...products
]
