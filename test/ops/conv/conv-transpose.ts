// Transposed convolution: output_padding, output_shape, groups, dilations.
import { c, one, type Rest, x } from '../../support/cases/case.js'

const transposed = (
  name: string,
  attributes: Parameters<typeof one>[3],
  input = [2, 5, 6, 7],
  weights = [5, 4, 3, 3],
  rest: Rest = {}
) => {
  const groups = typeof attributes?.group === 'number' ? attributes.group : 1
  return one(name, 'ConvTranspose', [x(...input), c(...weights), c(weights[1] * groups)], attributes, rest)
}

export const convTranspose = [
  transposed('stride 1', {}),
  transposed('stride 2, kernel 2', { strides: [2, 2] }, [1, 8, 5, 6], [8, 6, 2, 2]),
  transposed('stride 2, kernel 4, pad 1', { strides: [2, 2], pads: [1, 1, 1, 1] }, [1, 3, 5, 6], [3, 9, 4, 4]),
  transposed('stride 2, kernel 3, output_padding 1', { strides: [2, 2], pads: [1, 1, 1, 1], output_padding: [1, 1] }),
  transposed('output_padding on one axis', { strides: [3, 2], output_padding: [2, 0] }),
  transposed('strides 3 and 2, kernel 5×2', { strides: [3, 2] }, [1, 3, 4, 5], [3, 2, 5, 2]),
  transposed('stride wider than the kernel', { strides: [4, 3] }, [1, 3, 4, 5], [3, 2, 2, 2]),
  // One remainder ends with a tile of two outputs, three apart; others end in other ways.
  transposed(
    'one filter, outputs of a remainder three apart',
    { strides: [3, 3], pads: [0, 2, 0, 2] },
    [1, 8, 13, 17],
    [8, 1, 4, 3]
  ),
  transposed('one filter, stride 3, kernel 4', { strides: [3, 3] }, [2, 8, 13, 17], [8, 1, 4, 4]),
  transposed('asymmetric pads', { strides: [2, 2], pads: [0, 1, 2, 1] }),
  transposed('dilations', { dilations: [2, 3], strides: [2, 1] }),
  transposed('dilations and pads', { dilations: [2, 2], pads: [1, 2, 1, 0] }),
  transposed('two groups', { group: 2, strides: [2, 2] }, [1, 6, 4, 5], [6, 5, 3, 3]),
  transposed('groups of 8', { group: 2, strides: [2, 2] }, [1, 16, 4, 5], [16, 8, 2, 2]),
  transposed('depthwise', { group: 6, strides: [2, 2], pads: [1, 1, 1, 1] }, [1, 6, 4, 5], [6, 1, 4, 4]),
  transposed('depth multiplier 2', { group: 5, strides: [2, 2] }, [1, 5, 4, 5], [5, 2, 3, 3]),
  transposed('output_shape', { strides: [2, 2], output_shape: [12, 15] }, [1, 5, 6, 7], [5, 4, 3, 3]),
  transposed('output_shape beyond the taps', { strides: [3, 2], output_shape: [10, 8] }, [1, 1, 3, 3], [1, 2, 3, 3]),
  transposed(
    'output_shape, SAME_UPPER',
    { strides: [2, 2], output_shape: [12, 14], auto_pad: 'SAME_UPPER' },
    [1, 5, 6, 7],
    [5, 4, 3, 3]
  ),
  transposed(
    'output_shape, SAME_LOWER',
    { strides: [2, 2], output_shape: [12, 14], auto_pad: 'SAME_LOWER' },
    [1, 5, 6, 7],
    [5, 4, 3, 3]
  ),
  transposed('SAME_UPPER', { strides: [2, 2], auto_pad: 'SAME_UPPER' }, [1, 5, 6, 7], [5, 4, 3, 3]),
  transposed('SAME_LOWER', { strides: [2, 2], auto_pad: 'SAME_LOWER' }, [1, 5, 6, 7], [5, 4, 3, 3]),
  transposed('VALID', { strides: [2, 2], auto_pad: 'VALID' }),
  transposed('1×1', {}, [1, 6, 4, 5], [6, 9, 1, 1]),
  transposed('1-D', { strides: [3], pads: [1, 0], output_padding: [1] }, [2, 4, 7], [4, 3, 4]),
  transposed('3-D', { strides: [2, 1, 2], pads: [1, 0, 1, 1, 1, 0] }, [1, 3, 3, 4, 3], [3, 2, 3, 2, 3]),
  one('weights and bias are inputs', 'ConvTranspose', [x(1, 3, 4, 5), x(3, 6, 2, 2), x(6)], { strides: [2, 2] }),
  one('without bias', 'ConvTranspose', [x(1, 3, 4, 5), c(3, 2, 2, 2)], { strides: [2, 2] }),
  one(
    'of one row, where a remainder by the stride has none',
    'ConvTranspose',
    [x(1, 4, 'H', 'W'), c(4, 3, 2, 2), c(3)],
    { strides: [3, 3], pads: [1, 0, 0, 0] },
    {
      bindings: [
        { H: 1, W: 5 },
        { H: 2, W: 3 }
      ]
    }
  ),
  one(
    'free sizes',
    'ConvTranspose',
    [x('N', 3, 'H', 'W'), c(3, 5, 3, 4), c(5)],
    { strides: [2, 2], pads: [1, 1, 0, 1] },
    {
      bindings: [
        { N: 1, H: 4, W: 6 },
        { N: 3, H: 7, W: 5 }
      ]
    }
  )
]
