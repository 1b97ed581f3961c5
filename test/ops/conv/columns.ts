// Operators around a convolution's columns, and those that cut and pad around a middle: CenterCropPad, Col2Im, DeformConv, AffineGrid.
import { type Case, c, ints, one, typed, within, x } from '../../support/cases/case.js'
import type { Attributes } from '../../support/onnx/model.js'

const opset = (version: number, rest: object = {}) => ({ opset: version, ...rest })

const crop = (
  name: string,
  dims: (number | string)[],
  shape: number[],
  attributes: Attributes = {},
  rest: object = {}
) => one(`CenterCropPad, ${name}`, 'CenterCropPad', [x(...dims), ints(...shape)], attributes, opset(18, rest))
const crops = [
  crop('cut', [10, 9], [7, 6]),
  crop('padded', [4, 5], [7, 8]),
  crop('both', [11, 4, 5], [4, 9, 5]),
  crop('some axes', [3, 8, 9], [5, 12], { axes: [1, 2] }),
  crop('axes from the end', [3, 8, 9], [12, 5], { axes: [-1, -2] }),
  crop('a free size', [2, 'H', 7], [6, 4], { axes: [1, 2] }, { bindings: [{ H: 3 }, { H: 6 }, { H: 11 }] }),
  one('CenterCropPad of integers', 'CenterCropPad', [typed(x(6, 7), 'int64', [-9, 9]), ints(4, 10)], {}, opset(18)),
  crop('nothing to do', [3, 4], [3, 4], {}, { next: [{ op: 'Relu' }] })
]

const blocks = (
  name: string,
  dims: (number | string)[],
  image: number[],
  block: number[],
  attributes: Attributes = {},
  rest = {}
) => one(`Col2Im, ${name}`, 'Col2Im', [x(...dims), ints(...image), ints(...block)], attributes, opset(18, rest))
const images = [
  blocks('blocks side by side', [1, 5, 5], [5, 5], [1, 5]),
  blocks('overlapping', [2, 3 * 9, 24], [6, 8], [3, 3]),
  blocks('strides', [1, 2 * 9, 4], [5, 5], [3, 3], { strides: [2, 2] }),
  blocks('pads', [1, 2 * 5, 15], [5, 5], [1, 5], { pads: [0, 1, 0, 1] }),
  blocks('dilations', [1, 3 * 4, 5], [6, 6], [2, 2], { dilations: [1, 5] }),
  blocks('three axes', [2, 10, 12], [3, 4, 5], [1, 1, 5]),
  blocks('one axis', [1, 4 * 3, 8], [10], [3]),
  blocks('a free batch', ['N', 2 * 4, 9], [4, 4], [2, 2], {}, { bindings: [{ N: 1 }, { N: 3 }] })
]

interface Deform {
  readonly batch?: number | string
  readonly channels?: number
  readonly filters?: number
  readonly size?: readonly (number | string)[]
  readonly kernel?: readonly number[]
  readonly out: readonly (number | string)[]
  readonly offsets?: number
  readonly bias?: boolean
  readonly mask?: boolean
  readonly attributes?: Attributes
}

function deform(
  name: string,
  { batch = 2, channels = 4, filters = 6, size = [8, 9], kernel = [3, 3], ...rest }: Deform,
  more = {}
) {
  const { out, offsets = 1, bias, mask, attributes = {} } = rest
  const taps = kernel[0] * kernel[1] * offsets
  const groups = (attributes.group as number | undefined) ?? 1
  const operands = [
    x(batch, channels, ...size),
    c(filters, channels / groups, ...kernel),
    within(x(batch, 2 * taps, ...out), -3, 3),
    bias ? c(filters) : undefined,
    mask ? within(x(batch, taps, ...out), 0, 1) : undefined
  ]
  while (!operands[operands.length - 1]) operands.pop()
  const own: Attributes = offsets > 1 ? { ...attributes, offset_group: offsets } : attributes
  return one(`DeformConv, ${name}`, 'DeformConv', operands, own, opset(19, more))
}

const deforms = [
  deform('offsets alone', { out: [6, 7] }),
  deform('bias and mask', { out: [6, 7], bias: true, mask: true }),
  deform('a mask alone', { out: [6, 7], mask: true }),
  deform('pads, strides and dilations', {
    size: [9, 11],
    out: [4, 11],
    attributes: { pads: [1, 2, 1, 2], strides: [2, 1], dilations: [2, 2] }
  }),
  deform('groups', { channels: 8, out: [6, 7], bias: true, attributes: { group: 2 } }),
  deform('groups of offsets', { channels: 8, out: [6, 7], offsets: 2, mask: true }),
  deform('groups of both', {
    channels: 8,
    filters: 8,
    out: [6, 7],
    offsets: 4,
    bias: true,
    mask: true,
    attributes: { group: 2 }
  }),
  deform('one row of taps', { kernel: [1, 4], out: [8, 6] }),
  deform('opset 22', { out: [6, 7], mask: true }, { opset: 22 }),
  deform(
    'free sizes',
    { size: ['H', 'W'], out: ['H', 'W'], attributes: { pads: [1, 1, 1, 1] } },
    {
      bindings: [
        { H: 5, W: 6 },
        { H: 8, W: 3 }
      ]
    }
  ),
  deform('a free batch', { batch: 'N', out: [6, 7], mask: true }, { bindings: [{ N: 1 }, { N: 3 }] })
]

const grid = (name: string, n: number | string, size: number[], attributes: Attributes = {}, rest: object = {}) => {
  const axes = size.length - 2
  return one(`AffineGrid, ${name}`, 'AffineGrid', [x(n, axes, axes + 1), ints(...size)], attributes, opset(20, rest))
}
const grids = [
  grid('of a plane', 2, [2, 3, 5, 6]),
  grid('of a plane, corners', 2, [2, 3, 5, 6], { align_corners: 1 }),
  grid('of a volume', 2, [2, 1, 3, 4, 5]),
  grid('of a volume, corners', 1, [1, 1, 3, 4, 5], { align_corners: 1 }),
  one(
    'AffineGrid of free sizes',
    'Shape',
    [x('N', 3, 'H', 'W')],
    {},
    {
      opset: 20,
      next: [{ op: 'AffineGrid', operands: [x('N', 2, 3), 'previous'] }],
      bindings: [
        { N: 2, H: 4, W: 5 },
        { N: 1, H: 7, W: 2 }
      ]
    }
  ),
  grid(
    'then sampled',
    2,
    [2, 3, 5, 6],
    {},
    {
      next: [{ op: 'GridSample', operands: [x(2, 3, 7, 8), 'previous'], attributes: { align_corners: 0 } }]
    }
  )
]

export const columns: readonly Case[] = [...crops, ...images, ...deforms, ...grids]
