// GridSample: every sampling with every padding, aligned at corners or not, places far outside, both spellings.
import { type Case, c, given, one, within, x } from '../../support/cases/case.js'

const modes = ['nearest', 'bilinear', 'bicubic']
const paddings = ['zeros', 'border', 'reflection']
/** Places inside and some way outside; far away as well. */
const grid = within(x(2, 5, 6, 2), -1.6, 1.6)
const far = within(x(2, 12, 10, 2), -4, 4)
const edges = given([-1, -1, 1, 1, -1, 1, 0, 0, 1, -1, -1.2, 0.3, 0.25, 1, 3, -3], [1, 2, 4, 2])

export const gridsample: readonly Case[] = [
  ...modes.flatMap(mode =>
    paddings.flatMap(padding_mode =>
      [0, 1].flatMap(align_corners => {
        const how = `${mode}, ${padding_mode}, align_corners ${align_corners}`
        const attributes = { mode, padding_mode, align_corners }
        return [
          one(`GridSample, ${how}`, 'GridSample', [x(2, 3, 4, 7), grid], attributes),
          one(`GridSample, ${how}, far outside`, 'GridSample', [x(2, 4, 5, 3), far], attributes),
          one(`GridSample, ${how}, at the edges`, 'GridSample', [x(1, 5, 4, 4), edges], attributes)
        ]
      })
    )
  ),
  ...['linear', 'cubic'].map(mode =>
    one(`GridSample, ${mode} of opset 20`, 'GridSample', [x(2, 3, 4, 7), grid], { mode }, { opset: 20 })
  ),
  one('GridSample of opset 22, by default', 'GridSample', [x(2, 3, 4, 7), grid], {}, { opset: 22 }),
  one('GridSample of one channel', 'GridSample', [x(2, 1, 4, 7), grid]),
  one('GridSample of one pixel', 'GridSample', [x(2, 8, 1, 1), grid], { padding_mode: 'reflection', align_corners: 1 }),
  one('GridSample of a constant', 'GridSample', [c(2, 4, 4, 7), grid]),
  one('GridSample by a constant', 'GridSample', [x(2, 12, 4, 7), within(c(2, 5, 6, 2), -1.2, 1.2)]),
  one(
    'GridSample behind a convolution',
    'Conv',
    [x(2, 3, 9, 8), c(8, 3, 3, 3)],
    {},
    {
      next: [{ op: 'GridSample', operands: [grid] }, { op: 'Relu' }]
    }
  ),
  one(
    'GridSample by a grid that is turned',
    'Transpose',
    [within(x(2, 2, 5, 6), -1.3, 1.3)],
    { perm: [0, 2, 3, 1] },
    {
      next: [{ op: 'GridSample', operands: [x(2, 4, 5, 5), 'previous'] }]
    }
  ),
  one(
    'GridSample of free sizes',
    'GridSample',
    [x('N', 3, 'H', 'W'), within(x('N', 'A', 'B', 2), -1.2, 1.2)],
    {},
    {
      bindings: [
        { N: 1, H: 4, W: 5, A: 3, B: 6 },
        { N: 3, H: 7, W: 2, A: 4, B: 1 }
      ]
    }
  )
]
