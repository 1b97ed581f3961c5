// Instance and group normalisation, the latter with its operands by group and by channel.
import { c, one, x } from '../../support/cases/case.js'
import { float } from '../../support/onnx/model.js'

export const groupnorm = [
  one('InstanceNormalization', 'InstanceNormalization', [x(2, 7, 5, 6), c(7), c(7)]),
  one('InstanceNormalization, epsilon', 'InstanceNormalization', [x(2, 8, 5, 6), c(8), c(8)], { epsilon: float(0.1) }),
  one('InstanceNormalization, 1-D', 'InstanceNormalization', [x(2, 5, 17), c(5), c(5)]),
  one('InstanceNormalization, 3-D', 'InstanceNormalization', [x(1, 5, 3, 4, 5), c(5), c(5)]),
  one(
    'InstanceNormalization of free sizes',
    'InstanceNormalization',
    [x('N', 5, 'H', 'W'), c(5), c(5)],
    {},
    {
      bindings: [
        { N: 2, H: 3, W: 5 },
        { N: 1, H: 9, W: 8 }
      ]
    }
  ),
  one(
    'InstanceNormalization, then Relu',
    'InstanceNormalization',
    [x(2, 9, 5, 6), c(9), c(9)],
    {},
    { next: [{ op: 'Relu' }] }
  ),
  // Large maps, which a GPU cuts into slices.
  one('InstanceNormalization of a large map', 'InstanceNormalization', [x(2, 8, 67, 71), c(8), c(8)]),
  one('InstanceNormalization of a large map, odd channels', 'InstanceNormalization', [x(1, 3, 67, 71), c(3), c(3)]),
  one(
    'GroupNormalization of a large map',
    'GroupNormalization',
    [x(1, 16, 37, 35), c(16), c(16)],
    { num_groups: 2 },
    { opset: 21 }
  ),
  // onnxruntime takes [channels] from opset 21 on.
  one('GroupNormalization', 'GroupNormalization', [x(2, 12, 5, 6), c(12), c(12)], { num_groups: 3 }, { opset: 21 }),
  one(
    'GroupNormalization, one group',
    'GroupNormalization',
    [x(2, 6, 5, 6), c(6), c(6)],
    { num_groups: 1 },
    { opset: 21 }
  ),
  one(
    'GroupNormalization, a group a channel',
    'GroupNormalization',
    [x(2, 6, 5, 6), c(6), c(6)],
    { num_groups: 6 },
    { opset: 21 }
  ),
  one(
    'GroupNormalization, groups of odd width',
    'GroupNormalization',
    [x(1, 15, 4, 3), c(15), c(15)],
    { num_groups: 3, epsilon: float(0.01) },
    { opset: 21 }
  ),
  one(
    'GroupNormalization, by group (opset 18)',
    'GroupNormalization',
    [x(2, 12, 5, 6), c(4), c(4)],
    { num_groups: 4 },
    { opset: 18 }
  ),
  one('GroupNormalization, 1-D', 'GroupNormalization', [x(2, 12, 17), c(12), c(12)], { num_groups: 4 }, { opset: 21 }),
  one(
    'GroupNormalization of free sizes',
    'GroupNormalization',
    [x('N', 12, 'H', 'W'), c(12), c(12)],
    { num_groups: 4 },
    {
      opset: 21,
      bindings: [
        { N: 2, H: 3, W: 5 },
        { N: 1, H: 9, W: 8 }
      ]
    }
  )
]
