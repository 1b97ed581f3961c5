// Resize: every mode with every coordinate mode, by scales and by sizes, up and down; Upsample.

import { type Case, floats, ints, one, type Rest, x } from '../../support/cases/case.js'
import { type Attribute, type Attributes, float } from '../../support/onnx/model.js'

const coordinates = ['half_pixel', 'half_pixel_symmetric', 'pytorch_half_pixel', 'align_corners', 'asymmetric']
const roundings = ['round_prefer_floor', 'round_prefer_ceil', 'floor', 'ceil']

const bySizes = (name: string, sizes: number[], attributes: Attributes, rest: Rest = {}, input = x(2, 5, 6, 7)) =>
  one(name, 'Resize', [input, undefined, undefined, ints(...sizes)], attributes, { opset: 19, ...rest })
const byScales = (name: string, scales: number[], attributes: Attributes, rest: Rest = {}, input = x(2, 5, 6, 7)) =>
  one(name, 'Resize', [input, undefined, floats(...scales)], attributes, { opset: 19, ...rest })

const modes: readonly [string, Record<string, Attribute>][] = [
  ...roundings.map((rounding): [string, Record<string, Attribute>] => [
    `nearest ${rounding}`,
    { mode: 'nearest', nearest_mode: rounding }
  ]),
  ['linear', { mode: 'linear' }],
  ['cubic', { mode: 'cubic' }]
]

const grid: readonly Case[] = modes.flatMap(([mode, attributes]) =>
  coordinates.flatMap(coordinate => {
    const all = { ...attributes, coordinate_transformation_mode: coordinate }
    return [
      bySizes(`${mode}, ${coordinate}, up`, [2, 5, 13, 17], all),
      bySizes(`${mode}, ${coordinate}, down`, [2, 5, 4, 3], all),
      byScales(`${mode}, ${coordinate}, scales up`, [1, 1, 2, 3], all),
      byScales(`${mode}, ${coordinate}, scales down and up`, [1, 1, 0.6, 1.7], all)
    ]
  })
)

const crop = { coordinate_transformation_mode: 'tf_crop_and_resize', extrapolation_value: float(0.7) }
const cropped = (mode: string) =>
  one(
    `${mode}, tf_crop_and_resize`,
    'Resize',
    [x(1, 3, 8, 9), floats(0, 0, 0.2, 0.3, 1, 1, 0.8, 1.2), undefined, ints(1, 3, 7, 10)],
    { mode, ...crop },
    { opset: 13 }
  )

export const resize: readonly Case[] = [
  ...grid,
  ...['linear', 'nearest'].map(cropped),
  one(
    'nearest, tf_half_pixel_for_nn',
    'Resize',
    [x(2, 5, 6, 7), floats(), floats(), ints(2, 5, 11, 9)],
    { mode: 'nearest', coordinate_transformation_mode: 'tf_half_pixel_for_nn' },
    { opset: 11 }
  ),
  bySizes('cubic, coefficient -0.5', [2, 5, 13, 5], { mode: 'cubic', cubic_coeff_a: float(-0.5) }),
  bySizes('cubic, exclude_outside', [2, 5, 13, 5], { mode: 'cubic', exclude_outside: 1 }),
  bySizes('linear, one axis only', [2, 5, 6, 17], { mode: 'linear' }),
  bySizes('nearest, one axis only', [2, 5, 17, 7], { mode: 'nearest' }),
  bySizes('cubic, one axis only', [2, 5, 6, 17], { mode: 'cubic' }),
  bySizes('linear, aligned channels', [2, 8, 13, 17], { mode: 'linear' }, {}, x(2, 8, 6, 7)),
  bySizes('nearest, aligned channels', [2, 8, 13, 17], { mode: 'nearest' }, {}, x(2, 8, 6, 7)),
  bySizes('linear to one pixel', [2, 5, 1, 1], { mode: 'linear' }),
  bySizes('linear to one pixel, pytorch_half_pixel', [2, 5, 1, 1], {
    mode: 'linear',
    coordinate_transformation_mode: 'pytorch_half_pixel'
  }),
  bySizes('linear to one pixel, align_corners', [2, 5, 1, 1], {
    mode: 'linear',
    coordinate_transformation_mode: 'align_corners'
  }),
  bySizes('linear from one pixel', [2, 5, 4, 3], { mode: 'linear' }, {}, x(2, 5, 1, 1)),
  bySizes('same size', [2, 5, 6, 7], { mode: 'linear' }, { next: [{ op: 'Relu' }] }),
  ...['nearest', 'linear', 'cubic'].map(mode =>
    bySizes(`${mode}, antialias`, [2, 5, 3, 4], { mode, antialias: mode === 'nearest' ? 0 : 1 }, {}, x(2, 5, 9, 11))
  ),
  bySizes('linear, antialias up and down', [2, 5, 4, 23], { mode: 'linear', antialias: 1 }, {}, x(2, 5, 9, 11)),
  byScales('nearest of channels too', [1, 2, 2, 1], {
    mode: 'nearest',
    coordinate_transformation_mode: 'asymmetric',
    nearest_mode: 'floor'
  }),
  byScales('nearest, 1-D', [1, 1, 2.5], { mode: 'nearest' }, {}, x(2, 5, 9)),
  byScales('linear, 1-D', [1, 1, 2.5], { mode: 'linear' }, {}, x(2, 5, 9)),
  byScales('nearest, 3-D', [1, 1, 2, 1.5, 3], { mode: 'nearest' }, {}, x(1, 2, 3, 4, 3)),
  byScales('linear, 3-D', [1, 1, 2, 1.5, 3], { mode: 'linear' }, {}, x(1, 2, 3, 4, 3)),
  one('axes', 'Resize', [x(2, 5, 6, 7), undefined, floats(2, 0.5)], { mode: 'linear', axes: [2, 3] }, { opset: 18 }),
  one(
    'axes out of order',
    'Resize',
    [x(2, 5, 6, 7), undefined, undefined, ints(3, 11)],
    { mode: 'linear', axes: [3, 2] },
    { opset: 18 }
  ),
  one(
    'keep_aspect_ratio_policy not_larger',
    'Resize',
    [x(1, 3, 6, 7), undefined, undefined, ints(12, 10)],
    { mode: 'linear', axes: [2, 3], keep_aspect_ratio_policy: 'not_larger' },
    { opset: 18 }
  ),
  one(
    'keep_aspect_ratio_policy not_smaller',
    'Resize',
    [x(1, 3, 6, 7), undefined, undefined, ints(12, 10)],
    { mode: 'linear', axes: [2, 3], keep_aspect_ratio_policy: 'not_smaller' },
    { opset: 18 }
  ),
  one(
    'an empty roi',
    'Resize',
    [x(1, 3, 6, 7), floats(), floats(1, 1, 2, 2)],
    { mode: 'nearest', coordinate_transformation_mode: 'asymmetric', nearest_mode: 'floor' },
    { opset: 11 }
  ),
  one(
    'an empty roi and empty scales',
    'Resize',
    [x(1, 3, 6, 7), floats(), floats(), ints(1, 3, 9, 9)],
    { mode: 'linear', coordinate_transformation_mode: 'pytorch_half_pixel' },
    { opset: 11 }
  ),
  one('opset 10, nearest', 'Resize', [x(1, 3, 6, 7), floats(1, 1, 2, 2)], { mode: 'nearest' }, { opset: 10 }),
  one('opset 10, linear', 'Resize', [x(1, 3, 6, 7), floats(1, 1, 2, 1.5)], { mode: 'linear' }, { opset: 10 }),
  one('Upsample 9, nearest', 'Upsample', [x(1, 5, 6, 7), floats(1, 1, 2, 3)], { mode: 'nearest' }, { opset: 9 }),
  one('Upsample 9, linear', 'Upsample', [x(1, 5, 6, 7), floats(1, 1, 2, 2)], { mode: 'linear' }, { opset: 9 }),
  one('Upsample 7', 'Upsample', [x(1, 5, 6, 7)], { mode: 'nearest', scales: { floats: [1, 1, 2, 2] } }, { opset: 7 }),
  ...['nearest', 'linear', 'cubic'].map(mode =>
    one(
      `${mode} of free sizes, by scales`,
      'Resize',
      [x('N', 3, 'H', 'W'), undefined, floats(1, 1, 2, 1.5)],
      { mode },
      {
        opset: 13,
        bindings: [
          { N: 1, H: 5, W: 6 },
          { N: 2, H: 8, W: 9 }
        ]
      }
    )
  ),
  one(
    'free sizes to fixed ones',
    'Resize',
    [x(1, 3, 'H', 'W'), undefined, undefined, ints(1, 3, 9, 10)],
    { mode: 'linear' },
    {
      opset: 13,
      bindings: [
        { H: 5, W: 6 },
        { H: 18, W: 3 }
      ]
    }
  )
]
