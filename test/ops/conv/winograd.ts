// 3×3 and 5×5 convolutions of many channels on every Winograd variant that takes them, and without.
import { type Case, c, one, type Step, x } from '../../support/cases/case.js'
import type { Attributes } from '../../support/onnx/model.js'

interface Shape {
  readonly name: string
  readonly input: readonly (number | string)[]
  readonly filters: number
  readonly group?: number
  readonly attributes?: Attributes
  readonly next?: readonly Step[]
  readonly bindings?: Case['bindings']
}

const same: Attributes = { pads: [1, 1, 1, 1] }
const channel = (filters: number) => c(filters, 1, 1)

const shapes: readonly Shape[] = [
  { name: 'even size', input: [1, 16, 8, 8], filters: 16, attributes: same },
  { name: 'odd size', input: [1, 16, 7, 9], filters: 24, attributes: same },
  { name: 'odd channels and filters', input: [2, 19, 6, 5], filters: 21, attributes: same },
  { name: 'no padding', input: [1, 17, 9, 6], filters: 33 },
  { name: 'asymmetric pads', input: [1, 16, 6, 7], filters: 18, attributes: { pads: [0, 2, 1, 0] } },
  { name: 'wide pads', input: [1, 16, 4, 3], filters: 16, attributes: { pads: [3, 3, 2, 4] } },
  { name: 'SAME_LOWER', input: [1, 16, 5, 6], filters: 16, attributes: { auto_pad: 'SAME_LOWER' } },
  { name: 'one pixel', input: [1, 20, 1, 1], filters: 16, attributes: same },
  { name: 'one row', input: [1, 16, 1, 13], filters: 17, attributes: same },
  { name: 'more tiles than a block', input: [3, 64, 30, 29], filters: 48, attributes: same },
  { name: 'groups', input: [2, 40, 9, 10], filters: 34, group: 2, attributes: same },
  { name: 'many channels', input: [1, 150, 6, 6], filters: 40, attributes: same },
  { name: 'Relu', input: [1, 16, 6, 7], filters: 18, attributes: same, next: [{ op: 'Relu' }] },
  { name: 'Sigmoid', input: [1, 16, 6, 7], filters: 18, attributes: same, next: [{ op: 'Sigmoid' }] },
  {
    name: 'PRelu',
    input: [1, 16, 6, 7],
    filters: 18,
    attributes: same,
    next: [{ op: 'PRelu', operands: [channel(18)] }]
  },
  {
    name: 'residual, then Relu',
    input: [1, 16, 6, 7],
    filters: 18,
    attributes: same,
    next: [{ op: 'Add', operands: [x(1, 18, 6, 7)] }, { op: 'Relu' }]
  },
  {
    name: 'Relu, then residual',
    input: [1, 16, 6, 7],
    filters: 18,
    attributes: same,
    next: [{ op: 'Relu' }, { op: 'Add', operands: [x(1, 18, 6, 7)] }]
  },
  {
    name: 'scaled, into a concatenation',
    input: [1, 16, 6, 7],
    filters: 18,
    attributes: same,
    next: [
      { op: 'Mul', operands: [channel(18)] },
      { op: 'Concat', operands: [x(1, 5, 6, 7)], attributes: { axis: 1 } }
    ]
  },
  {
    name: 'two in a row',
    input: [1, 16, 6, 7],
    filters: 18,
    attributes: same,
    next: [{ op: 'Relu' }, { op: 'Conv', operands: [c(16, 18, 3, 3)], attributes: same }]
  },
  {
    name: 'of a part of a map',
    input: [1, 16, 6, 7],
    filters: 40,
    attributes: same,
    next: [
      { op: 'Slice', operands: [slice(3), slice(21), slice(1)] },
      { op: 'Conv', operands: [c(16, 18, 3, 3)], attributes: same }
    ]
  },
  {
    name: 'free sizes',
    input: ['N', 16, 'H', 'W'],
    filters: 16,
    attributes: same,
    bindings: [
      { N: 1, H: 5, W: 6 },
      { N: 2, H: 13, W: 3 },
      { N: 1, H: 4, W: 4 }
    ]
  }
]

function slice(value: number) {
  return { kind: 'constant' as const, dims: [1], dtype: 'int64' as const, range: [0, 0] as const, values: [value] }
}

/** The attributes of the 3x3 convolution for a k x k one. */
function attributesFor(k: number, attributes: Attributes | undefined, group: number): Attributes {
  if (attributes !== same) return { ...attributes, group }
  return { pads: new Array<number>(4).fill((k - 1) / 2), group }
}

/** Every variant on every shape that it takes; F(0) is direct. */
const tiles = [
  { winograd: 0, kernels: [], k: 3 },
  { winograd: 2, kernels: ['winograd2'], k: 3 },
  { winograd: 4, kernels: ['winograd4'], k: 3 },
  { winograd: 0, kernels: [], k: 5 },
  { winograd: 4, kernels: ['winograd2x5'], k: 5 }
] as const

export const winograd: readonly Case[] = shapes.flatMap(
  ({ name, input, filters, group = 1, attributes, next, bindings }) =>
    tiles.map(({ winograd, kernels, k }) => {
      const channels = (input[1] as number) / group
      const operands = [x(...input), c(filters, channels, k, k), c(filters)]
      return one(
        `${name}, ${k}x${k}, ${kernels[0] ?? 'direct'}`,
        'Conv',
        operands,
        attributesFor(k, attributes, group),
        {
          next,
          bindings,
          options: { winograd, kernels }
        }
      )
    })
)
