// Convolution: every attribute, kernels that are not square, groups of all kinds, one to three spatial axes.
import { c, ints, one, type Rest, x } from '../../support/cases/case.js'

const conv1 = (
  name: string,
  attributes: Parameters<typeof one>[3],
  input = [2, 5, 11, 13],
  weights = [7, 5, 3, 3],
  rest: Rest = {}
) => one(name, 'Conv', [x(...input), c(...weights), c(weights[0])], attributes, rest)

export const conv = [
  conv1('3×3', { pads: [1, 1, 1, 1] }),
  conv1('3×3 without kernel_shape or padding', {}),
  one('weights and bias are inputs', 'Conv', [x(1, 4, 9, 9), x(8, 4, 3, 3), x(8)], { pads: [1, 1, 1, 1] }),
  one('weights are inputs, few channels', 'Conv', [x(1, 3, 7, 6), x(5, 3, 3, 2)]),
  one('weights are inputs, 1×1', 'Conv', [x(2, 12, 3, 4), x(8, 12, 1, 1), x(8)]),
  one('weights are inputs, groups', 'Conv', [x(1, 6, 7, 6), x(8, 3, 3, 3), x(8)], { group: 2 }),
  one('weights are inputs, depthwise', 'Conv', [x(1, 8, 7, 6), x(8, 1, 3, 3), x(8)], { group: 8 }),
  one('weights are inputs, depthwise, 5 channels', 'Conv', [x(1, 5, 7, 6), x(5, 1, 3, 3)], { group: 5 }),
  one(
    'weights are computed',
    'Mul',
    [x(8, 4, 3, 3), x(8, 1, 1, 1)],
    {},
    { next: [{ op: 'Conv', operands: [x(1, 4, 9, 9), 'previous', x(8)] }, { op: 'Relu' }] }
  ),
  one(
    'the bias is a slice of an input',
    'Slice',
    [x(9), ints(1), ints(9)],
    {},
    { next: [{ op: 'Conv', operands: [x(1, 16, 9, 9), c(8, 16, 3, 3), 'previous'] }] }
  ),
  one('only the bias is an input', 'Conv', [x(1, 4, 9, 9), c(8, 4, 3, 3), x(8)]),
  one('only the bias is an input, many channels', 'Conv', [x(1, 32, 9, 9), c(32, 32, 3, 3), x(32)]),
  one('without bias', 'Conv', [x(1, 4, 9, 9), c(8, 4, 3, 3)], { kernel_shape: [3, 3] }),
  conv1('1×1', {}, [2, 5, 7, 6], [9, 5, 1, 1]),
  conv1('1×1, one pixel', {}, [1, 16, 1, 1], [24, 16, 1, 1]),
  conv1('1×1, one output channel', {}, [1, 6, 9, 7], [1, 6, 1, 1]),
  conv1('1×1, one filter of 8 channels', { strides: [2, 1] }, [2, 8, 5, 7], [1, 8, 1, 1], {
    next: [{ op: 'Sigmoid' }]
  }),
  conv1('1×1, one filter, short rows', {}, [1, 12, 5, 3], [1, 12, 1, 1], { next: [{ op: 'Relu' }] }),
  // Outputs behind the input, of which there is no pixel.
  conv1('1×1, one filter, padded behind', { pads: [0, 0, 1, 1] }, [2, 8, 5, 7], [1, 8, 1, 1]),
  conv1('1×1, one filter, padded behind, strides', { pads: [0, 0, 2, 3], strides: [2, 2] }, [1, 8, 7, 9], [1, 8, 1, 1]),
  conv1('1×1, one filter, padded in front', { pads: [1, 2, 0, 0] }, [1, 8, 5, 7], [1, 8, 1, 1]),
  conv1('1×1, 64 to 40 channels', {}, [1, 64, 9, 7], [40, 64, 1, 1]),
  // Sums that the GPU divides among workgroups.
  conv1('long sums of few pixels', { pads: [1, 1, 1, 1] }, [1, 160, 7, 7], [24, 160, 3, 3]),
  conv1('long sums of few pixels, odd channels', { strides: [2, 1] }, [1, 85, 7, 6], [21, 85, 3, 3]),
  conv1('long sums of two groups', { group: 2, pads: [1, 1, 1, 1] }, [1, 160, 5, 4], [32, 80, 3, 3]),
  // So many that invocations on the GPU make two rows.
  conv1('depthwise, a large image', { group: 64, pads: [1, 1, 1, 1] }, [1, 64, 67, 66], [64, 1, 3, 3]),
  conv1('depthwise, a large image, stride 2', { group: 64, strides: [2, 2] }, [1, 64, 133, 131], [64, 1, 5, 4]),
  conv1('groups of 4, a large image', { group: 16, pads: [1, 0, 1, 2] }, [1, 64, 67, 66], [64, 4, 3, 3]),
  conv1('1×1 strided', { strides: [2, 3] }, [2, 5, 11, 13], [8, 5, 1, 1]),
  conv1('1×1 padded', { pads: [1, 0, 2, 1] }, [1, 5, 4, 6], [8, 5, 1, 1]),
  conv1('1×7', { pads: [0, 3, 0, 3] }, [1, 6, 9, 12], [10, 6, 1, 7]),
  conv1('7×1', { pads: [3, 0, 3, 0] }, [1, 6, 9, 12], [10, 6, 7, 1]),
  conv1('5×3, strides 3 and 2', { strides: [3, 2], pads: [2, 1, 2, 1] }, [1, 3, 17, 15], [6, 3, 5, 3]),
  conv1('2×2, even kernel', { pads: [1, 0, 0, 1] }, [1, 3, 8, 9], [6, 3, 2, 2]),
  conv1('4×6, even kernel', { strides: [2, 2] }, [1, 3, 12, 13], [5, 3, 4, 6]),
  conv1('7×7 stride 2, three channels', { strides: [2, 2], pads: [3, 3, 3, 3] }, [1, 3, 21, 25], [32, 3, 7, 7]),
  conv1('one channel in', { pads: [2, 2, 2, 2] }, [1, 1, 12, 10], [20, 1, 5, 5]),
  conv1('asymmetric pads', { pads: [0, 2, 3, 1] }),
  conv1('pads wider than the image', { pads: [4, 5, 4, 5] }, [1, 2, 2, 3], [3, 2, 3, 3]),
  conv1('windows wholly in the padding', { pads: [3, 3, 3, 3] }, [1, 2, 4, 4], [3, 2, 2, 2]),
  conv1('a kernel as large as the image', {}, [2, 3, 5, 7], [4, 3, 5, 7]),
  conv1('dilations 2 and 3', { dilations: [2, 3], pads: [2, 3, 2, 3] }),
  conv1(
    'dilation and stride',
    { dilations: [3, 2], strides: [2, 3], pads: [1, 2, 3, 0] },
    [1, 4, 17, 19],
    [6, 4, 3, 3]
  ),
  conv1('two groups', { group: 2, pads: [1, 1, 1, 1] }, [1, 6, 9, 8], [10, 3, 3, 3]),
  conv1('three groups of odd width', { group: 3, pads: [1, 1, 1, 1] }, [2, 15, 6, 7], [9, 5, 3, 3]),
  conv1('groups of 8 filters', { group: 4, pads: [1, 1, 1, 1] }, [1, 32, 6, 7], [32, 8, 3, 3]),
  // Tiles of eight outputs of a row, of which the last is not whole, with kernel rows apart and filters that fill no vector.
  conv1('groups of 2, long rows', { group: 8, pads: [1, 1, 1, 1] }, [1, 16, 3, 19], [16, 2, 3, 3]),
  conv1(
    'groups of 5 filters, long rows',
    { group: 2, pads: [2, 1, 2, 0], dilations: [2, 1] },
    [2, 6, 5, 18],
    [10, 3, 3, 3]
  ),
  conv1('long rows, Sigmoid', { pads: [0, 1, 0, 1], strides: [2, 1] }, [1, 4, 7, 17], [4, 4, 3, 3], {
    next: [{ op: 'Sigmoid' }]
  }),
  conv1('groups of 16, stride 2', { group: 3, strides: [2, 2], pads: [1, 1, 1, 1] }, [2, 48, 13, 19], [48, 16, 3, 3]),
  conv1('groups of 36 channels, 20 filters', { group: 2, pads: [1, 1, 1, 1] }, [1, 72, 11, 10], [40, 36, 3, 3]),
  conv1('groups, 1×1', { group: 3 }, [1, 12, 6, 7], [15, 4, 1, 1]),
  conv1(
    'groups, strided and dilated',
    { group: 2, strides: [2, 1], dilations: [1, 2], pads: [1, 2, 0, 1] },
    [1, 8, 11, 12],
    [6, 4, 3, 3]
  ),
  conv1('depthwise 3×3', { group: 8, pads: [1, 1, 1, 1] }, [2, 8, 9, 11], [8, 1, 3, 3]),
  conv1('depthwise, odd channels', { group: 13, pads: [1, 1, 1, 1] }, [1, 13, 9, 11], [13, 1, 3, 3]),
  conv1('depthwise, three channels', { group: 3, pads: [1, 1, 1, 1] }, [1, 3, 6, 5], [3, 1, 3, 3]),
  conv1('depthwise, stride 2', { group: 12, strides: [2, 2], pads: [0, 0, 1, 1] }, [1, 12, 10, 13], [12, 1, 3, 3]),
  conv1('depthwise 5×5', { group: 10, pads: [2, 2, 2, 2] }, [1, 10, 7, 6], [10, 1, 5, 5]),
  conv1('depthwise 7×7', { group: 6, pads: [3, 3, 3, 3] }, [1, 6, 9, 8], [6, 1, 7, 7]),
  conv1('depthwise 3×5, dilated', { group: 6, dilations: [2, 2], pads: [2, 4, 2, 4] }, [1, 6, 9, 10], [6, 1, 3, 5]),
  conv1('depthwise, asymmetric pads', { group: 5, strides: [1, 2], pads: [0, 1, 2, 3] }, [1, 5, 7, 9], [5, 1, 3, 2]),
  conv1('depthwise, no padding', { group: 9 }, [1, 9, 7, 9], [9, 1, 3, 3]),
  conv1('depthwise, 40 channels', { group: 40, pads: [1, 1, 1, 1] }, [1, 40, 14, 14], [40, 1, 3, 3]),
  conv1('depth multiplier 2', { group: 6, pads: [1, 1, 1, 1] }, [1, 6, 8, 9], [12, 1, 3, 3]),
  conv1('depth multiplier 3, odd channels', { group: 5, strides: [2, 2] }, [1, 5, 9, 9], [15, 1, 3, 3]),
  conv1('many filters', { pads: [1, 1, 1, 1] }, [1, 9, 6, 6], [67, 9, 3, 3]),
  conv1('many channels', { pads: [1, 1, 1, 1] }, [1, 130, 5, 6], [9, 130, 3, 3]),
  conv1('wide rows', { pads: [1, 1, 1, 1] }, [1, 4, 3, 101], [8, 4, 3, 3]),
  conv1('batch of 5', { pads: [1, 1, 1, 1] }, [5, 3, 6, 5], [4, 3, 3, 3]),
  conv1('SAME_UPPER', { auto_pad: 'SAME_UPPER', strides: [2, 2] }, [1, 3, 10, 13], [4, 3, 3, 4]),
  conv1('SAME_LOWER', { auto_pad: 'SAME_LOWER', strides: [2, 2] }, [1, 3, 10, 13], [4, 3, 3, 4]),
  conv1(
    'SAME_UPPER, stride wider than the kernel',
    { auto_pad: 'SAME_UPPER', strides: [3, 3] },
    [1, 3, 10, 13],
    [4, 3, 2, 2]
  ),
  conv1('VALID', { auto_pad: 'VALID', strides: [2, 1] }),
  conv1('SAME_UPPER, depthwise', { auto_pad: 'SAME_UPPER', group: 4, strides: [2, 2] }, [1, 4, 9, 8], [4, 1, 3, 3]),
  conv1('1-D', { pads: [1, 2], strides: [2] }, [2, 4, 19], [6, 4, 4]),
  conv1('1-D dilated', { dilations: [3], pads: [3, 3] }, [1, 4, 19], [6, 4, 3]),
  conv1('1-D depthwise', { group: 6, pads: [1, 1] }, [1, 6, 17], [6, 1, 3]),
  conv1('1-D grouped', { group: 2 }, [1, 6, 17], [8, 3, 5]),
  conv1('1-D pointwise', {}, [2, 6, 17], [8, 6, 1]),
  conv1('3-D', { pads: [1, 0, 1, 1, 2, 0], strides: [1, 2, 1] }, [1, 3, 5, 7, 6], [4, 3, 3, 3, 2]),
  conv1('3-D dilated', { dilations: [1, 2, 2], pads: [1, 2, 2, 1, 2, 2] }, [1, 2, 4, 7, 6], [4, 2, 3, 3, 3]),
  conv1('3-D depthwise', { group: 4, pads: [1, 1, 1, 1, 1, 1] }, [1, 4, 4, 5, 6], [4, 1, 3, 3, 3]),
  conv1('3-D grouped', { group: 2 }, [2, 4, 4, 5, 6], [6, 2, 2, 3, 2]),
  conv1('3-D strided in depth', { strides: [2, 1, 1] }, [1, 4, 5, 6, 12], [6, 4, 1, 3, 3]),
  conv1('3-D padded in depth', { pads: [1, 1, 1, 1, 1, 1] }, [2, 4, 3, 6, 12], [6, 4, 1, 3, 3]),
  conv1('3-D pointwise, strided', { strides: [2, 2, 2] }, [2, 4, 5, 7, 16], [8, 4, 1, 1, 1]),
  conv1('3-D pointwise', {}, [1, 4, 3, 5, 4], [9, 4, 1, 1, 1]),
  one(
    'free batch',
    'Conv',
    [x('N', 3, 9, 8), c(6, 3, 3, 3), c(6)],
    { pads: [1, 1, 1, 1] },
    { bindings: [{ N: 1 }, { N: 4 }, { N: 2 }] }
  ),
  one(
    'free batch, height and width',
    'Conv',
    [x('N', 3, 'H', 'W'), c(6, 3, 3, 5), c(6)],
    { pads: [1, 2, 0, 1], strides: [2, 3] },
    {
      bindings: [
        { N: 1, H: 9, W: 7 },
        { N: 3, H: 16, W: 21 },
        { N: 1, H: 5, W: 4 }
      ]
    }
  ),
  one(
    'SAME_UPPER of free sizes',
    'Conv',
    [x(1, 3, 'H', 'W'), c(6, 3, 3, 4)],
    { auto_pad: 'SAME_UPPER', strides: [2, 2] },
    {
      bindings: [
        { H: 9, W: 7 },
        { H: 16, W: 22 }
      ]
    }
  ),
  one(
    'SAME_LOWER of free sizes, depthwise',
    'Conv',
    [x('N', 5, 'H', 'W'), c(5, 1, 4, 3)],
    { auto_pad: 'SAME_LOWER', strides: [3, 2], group: 5 },
    {
      bindings: [
        { N: 2, H: 9, W: 7 },
        { N: 1, H: 16, W: 22 }
      ]
    }
  ),
  one(
    '1×1 of free sizes',
    'Conv',
    [x('N', 6, 'H', 'W'), c(10, 6, 1, 1), c(10)],
    {},
    {
      bindings: [
        { N: 2, H: 3, W: 7 },
        { N: 1, H: 8, W: 5 }
      ]
    }
  ),
  one('opset 1 spelling', 'Conv', [x(1, 3, 6, 6), c(4, 3, 3, 3)], { pads: [1, 1, 1, 1] }, { opset: 7 }),
  one('opset 22', 'Conv', [x(1, 3, 6, 6), c(4, 3, 3, 3)], { pads: [1, 1, 1, 1] }, { opset: 22 })
]
