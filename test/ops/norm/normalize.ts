// Batch normalisation in every place, local response normalisation.
import { c, ints, type Operand, one, type Rest, type Step, within, x } from '../../support/cases/case.js'
import { float } from '../../support/onnx/model.js'

/** Scale, bias, mean and a variance that is positive. */
const statistics = (channels: number): Operand[] => [
  within(c(channels), 0.5, 2),
  c(channels),
  c(channels),
  within(c(channels), 0.3, 2)
]
const norm = (channels: number): Step => ({
  op: 'BatchNormalization',
  operands: statistics(channels),
  attributes: { epsilon: float(1e-3) }
})

const chain = (
  name: string,
  op: string,
  operands: Operand[],
  attributes: Parameters<typeof one>[3],
  next: Step[],
  rest: Rest = {}
) => one(name, op, operands, attributes, { next, ...rest })

export const normalize = [
  one('BatchNormalization alone', 'BatchNormalization', [x(2, 7, 5, 6), ...statistics(7)]),
  // Rows that do not follow each other, of odd lengths.
  one(
    'BatchNormalization of a part',
    'MaxPool',
    [x(2, 8, 6, 8)],
    { kernel_shape: [2, 2] },
    {
      next: [
        { op: 'Slice', operands: [ints(0, 1), ints(4, 6), ints(2, 3)] },
        { op: 'BatchNormalization', operands: statistics(8) },
        { op: 'Relu' }
      ]
    }
  ),
  ...[1, 2, 3].map(axis =>
    one(
      `BatchNormalization into a part, axis ${axis}`,
      'BatchNormalization',
      [x(3, 8, 5, 7), ...statistics(8)],
      {},
      {
        next: [{ op: 'Concat', operands: [x(3, 8, 5, 7)], attributes: { axis } }]
      }
    )
  ),
  one('BatchNormalization of rank 2', 'BatchNormalization', [x(3, 10), ...statistics(10)]),
  one('BatchNormalization of rank 3', 'BatchNormalization', [x(3, 10, 4), ...statistics(10)]),
  one('BatchNormalization of rank 5', 'BatchNormalization', [x(1, 3, 4, 3, 2), ...statistics(3)]),
  one(
    'BatchNormalization, opset 7',
    'BatchNormalization',
    [x(2, 7, 5, 6), ...statistics(7)],
    { momentum: float(0.9) },
    { opset: 7 }
  ),
  one(
    'BatchNormalization, opset 9',
    'BatchNormalization',
    [x(2, 7, 5, 6), ...statistics(7)],
    { epsilon: float(0.01) },
    { opset: 9 }
  ),
  one(
    'BatchNormalization of free sizes',
    'BatchNormalization',
    [x('N', 7, 'H', 'W'), ...statistics(7)],
    {},
    {
      bindings: [
        { N: 2, H: 3, W: 5 },
        { N: 1, H: 7, W: 4 }
      ]
    }
  ),
  chain('behind Conv', 'Conv', [x(1, 3, 7, 8), c(6, 3, 3, 3), c(6)], {}, [norm(6)]),
  chain('behind Conv without bias, then Relu', 'Conv', [x(1, 3, 7, 8), c(6, 3, 3, 3)], {}, [norm(6), { op: 'Relu' }]),
  chain('behind grouped Conv', 'Conv', [x(1, 4, 7, 8), c(6, 2, 3, 3)], { group: 2 }, [norm(6)]),
  chain('behind depthwise Conv', 'Conv', [x(1, 6, 7, 8), c(6, 1, 3, 3)], { group: 6 }, [norm(6)]),
  chain('behind ConvTranspose', 'ConvTranspose', [x(1, 3, 7, 8), c(3, 6, 3, 3), c(6)], { strides: [2, 2] }, [norm(6)]),
  chain('behind grouped ConvTranspose', 'ConvTranspose', [x(1, 4, 7, 8), c(4, 3, 3, 3)], { group: 2 }, [norm(6)]),
  chain('behind Gemm', 'Gemm', [x(3, 5), c(5, 8), c(8)], {}, [norm(8)]),
  chain('behind Gemm, transB', 'Gemm', [x(3, 5), c(8, 5)], { transB: 1 }, [norm(8)]),
  chain('behind MatMul', 'MatMul', [x(3, 5), c(5, 8)], {}, [norm(8)]),
  chain('behind MatMul of rank 3', 'MatMul', [x(3, 8, 5), c(5, 6)], {}, [norm(8)]),
  chain('behind Relu', 'Relu', [x(2, 6, 5, 4)], {}, [norm(6)]),
  chain('behind Conv and Relu', 'Conv', [x(1, 3, 7, 8), c(6, 3, 3, 3)], {}, [{ op: 'Relu' }, norm(6)]),
  chain('in front of Conv', 'BatchNormalization', [x(1, 5, 7, 8), ...statistics(5)], {}, [
    { op: 'Conv', operands: [c(6, 5, 3, 3), c(6)] }
  ]),
  chain('in front of a padded Conv', 'BatchNormalization', [x(1, 5, 7, 8), ...statistics(5)], {}, [
    { op: 'Conv', operands: [c(6, 5, 3, 3), c(6)], attributes: { pads: [1, 1, 1, 1] } }
  ]),
  chain('in front of a SAME_UPPER Conv', 'BatchNormalization', [x(1, 5, 7, 8), ...statistics(5)], {}, [
    { op: 'Conv', operands: [c(6, 5, 3, 3)], attributes: { auto_pad: 'SAME_UPPER' } }
  ]),
  chain('in front of a grouped Conv', 'BatchNormalization', [x(1, 4, 7, 8), ...statistics(4)], {}, [
    { op: 'Conv', operands: [c(6, 2, 3, 3)], attributes: { group: 2 } }
  ]),
  chain('in front of Gemm', 'BatchNormalization', [x(3, 5), ...statistics(5)], {}, [
    { op: 'Gemm', operands: [c(5, 6), c(6)] }
  ]),
  chain('Relu in front of Conv (DenseNet)', 'BatchNormalization', [x(1, 5, 7, 8), ...statistics(5)], {}, [
    { op: 'Relu' },
    { op: 'Conv', operands: [c(6, 5, 1, 1)] },
    norm(6),
    { op: 'Relu' }
  ]),
  chain('two in a row behind Conv', 'Conv', [x(1, 3, 7, 8), c(6, 3, 3, 3)], {}, [norm(6), norm(6)]),
  chain('two in a row alone', 'BatchNormalization', [x(1, 5, 7, 8), ...statistics(5)], {}, [norm(5)]),
  chain('behind AveragePool', 'AveragePool', [x(1, 6, 8, 8)], { kernel_shape: [2, 2], strides: [2, 2] }, [norm(6)]),
  chain('behind a transpose', 'Transpose', [x(2, 5, 4, 6)], { perm: [0, 3, 1, 2] }, [norm(6)]),
  one('LRN', 'LRN', [x(2, 9, 5, 6)], { size: 5, alpha: float(0.02), beta: float(0.6), bias: float(2) }),
  one('LRN with defaults', 'LRN', [within(x(1, 12, 4, 5), 5, 50)], { size: 5 }),
  one('LRN wider than the channels', 'LRN', [x(1, 3, 4, 5)], { size: 9, alpha: float(0.5) }),
  one('LRN of size 1', 'LRN', [x(1, 6, 4, 5)], { size: 1, alpha: float(0.5) }),
  one('LRN, beta 1', 'LRN', [x(1, 6, 4, 5)], { size: 3, alpha: float(0.5), beta: float(1) }),
  one(
    'LRN of free sizes',
    'LRN',
    [x('N', 6, 'H', 'W')],
    { size: 3, alpha: float(0.5) },
    {
      bindings: [
        { N: 2, H: 3, W: 4 },
        { N: 1, H: 5, W: 7 }
      ]
    }
  )
]
