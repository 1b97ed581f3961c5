// RoiAlign: both modes and ways to count coordinates, samples by number and by size, regions that lie outside.
import {
  type Case,
  c,
  given,
  ints,
  type Operand,
  one,
  type Rest,
  scalar,
  typed,
  within,
  x
} from '../../support/cases/case.js'
import type { Attributes } from '../../support/onnx/model.js'

const images = typed(x(6), 'int64', [0, 1])
const small = { output_height: 3, output_width: 4, spatial_scale: { float: 0.25 } }

/** Regions whose second corner lies behind the first, some of them partly outside of the image: onnxruntime takes no others. */
const ordered = (
  name: string,
  image: Operand,
  attributes: Attributes = small,
  rest: Rest = {},
  regions: number | string = 6
): Case =>
  one(
    name,
    'CumSum',
    [within(x(regions, 2, 2), 0.1, 20), ints(1)],
    {},
    {
      ...rest,
      next: [
        { op: 'Reshape', operands: [ints(-1, 4)] },
        { op: 'Sub', operands: [scalar(5)] },
        {
          op: 'RoiAlign',
          operands: [image, 'previous', regions === 6 ? images : typed(x(regions), 'int64', [0, 0])],
          attributes
        },
        ...(rest.next ?? [])
      ]
    }
  )
/** Corners in any order, so that some regions have no size. */
const corners = within(x(6, 4), -4, 40)
const whole = given([0, 0, 8, 8, 1, 2, 7, 5, 3, 3, 3, 3, 0, 0, 6, 12], [4, 4])

export const roialign: readonly Case[] = [
  ...['avg', 'max'].flatMap(mode =>
    ['half_pixel', 'output_half_pixel'].flatMap(coordinate_transformation_mode =>
      [0, 2].map(sampling_ratio => {
        const attributes = { ...small, mode, coordinate_transformation_mode, sampling_ratio }
        return ordered(
          `${mode}, ${coordinate_transformation_mode}, ${sampling_ratio} samples`,
          x(2, 5, 9, 7),
          attributes
        )
      })
    )
  ),
  one('RoiAlign of regions without a size', 'RoiAlign', [x(2, 5, 9, 7), corners, images], {
    ...small,
    sampling_ratio: 2
  }),
  one('RoiAlign of opset 10', 'RoiAlign', [x(2, 5, 9, 7), corners, images], small, { opset: 12 }),
  one('RoiAlign of whole regions', 'RoiAlign', [x(1, 4, 12, 12), whole, given([0, 0, 0, 0], [4], 'int64')], {
    output_height: 3,
    output_width: 3
  }),
  ordered('one bin by default', x(2, 8, 9, 7), {}),
  ordered('images that are constants', c(2, 8, 9, 7)),
  ordered('then Relu', x(2, 8, 9, 7), small, { next: [{ op: 'Relu' }] }),
  ordered(
    'free sizes',
    x('N', 3, 'H', 'W'),
    small,
    {
      bindings: [
        { N: 1, H: 6, W: 5, R: 3 },
        { N: 2, H: 4, W: 9, R: 7 }
      ]
    },
    'R'
  ),
  one(
    'behind a convolution',
    'Conv',
    [x(2, 3, 9, 8), c(8, 3, 3, 3)],
    {},
    {
      next: [
        { op: 'RoiAlign', operands: [corners, images], attributes: { ...small, sampling_ratio: 3 } },
        { op: 'Relu' }
      ]
    }
  )
]
