// Norms over windows, maps and axes: every exponent, and what opsets have added.
import { type Case, given, one, type Rest, x } from '../../support/cases/case.js'
import type { Attributes } from '../../support/onnx/model.js'

const pool = (name: string, attributes: Attributes, dims: (number | string)[] = [2, 5, 9, 10], rest: Rest = {}): Case =>
  one(`LpPool, ${name}`, 'LpPool', [x(...dims)], { kernel_shape: [3, 3], ...attributes }, { opset: 18, ...rest })

const free = { bindings: [{ H: 9 }, { H: 12 }] }
const pools = [
  pool('by default', {}),
  pool('p 1', { p: 1 }),
  pool('p 3', { p: 3, strides: [2, 1] }),
  pool('opset 2', { p: 2, pads: [1, 0, 1, 1], strides: [2, 2] }, [2, 5, 9, 10], { opset: 10 }),
  pool('pads and strides', { p: 1, pads: [1, 1, 0, 2], strides: [2, 3] }),
  pool('a last window that hangs over', { strides: [2, 2], ceil_mode: 1 }, [1, 16, 8, 8]),
  pool('dilations', { dilations: [2, 3] }, [1, 8, 11, 12]),
  pool('SAME_UPPER', { auto_pad: 'SAME_UPPER', strides: [2, 2] }),
  pool('SAME_LOWER', { auto_pad: 'SAME_LOWER', strides: [2, 2], p: 1 }),
  pool('one axis', { kernel_shape: [4], strides: [2] }, [2, 3, 17]),
  pool('three axes', { kernel_shape: [2, 2, 3] }, [1, 4, 5, 6, 7]),
  pool('many channels', { kernel_shape: [2, 2], p: 1 }, [1, 37, 6, 6]),
  pool('a free size', { pads: [1, 1, 1, 1] }, [1, 4, 'H', 8], free)
]

const everywhere = [
  ...[1, 2, 3].map(p => one(`p ${p}`, 'GlobalLpPool', [x(2, 5, 6, 7)], { p })),
  one('by default', 'GlobalLpPool', [x(2, 3, 11)]),
  one('GlobalLpPool of free sizes', 'GlobalLpPool', [x(2, 3, 'H', 5)], {}, free)
]

const lengths = [
  ...[1, 2].map(p => one(`p ${p}`, 'LpNormalization', [x(4, 9)], { p })),
  one('of channels', 'LpNormalization', [x(2, 8, 5, 6)], { axis: 1 }),
  one('of a middle axis', 'LpNormalization', [x(3, 4, 5)], { axis: -2, p: 1 }),
  one('opset 22', 'LpNormalization', [x(3, 4, 5)], {}, { opset: 22 }),
  one(
    'of what has no length',
    'LpNormalization',
    [given([3, 4, 0, 0, -1, 2], [3, 2])],
    {},
    {
      next: [{ op: 'Mul', operands: [x(3, 2)] }]
    }
  ),
  one('of free sizes', 'LpNormalization', [x('N', 6)], {}, { bindings: [{ N: 1 }, { N: 9 }] })
]

export const lp: readonly Case[] = [...pools, ...everywhere, ...lengths]
