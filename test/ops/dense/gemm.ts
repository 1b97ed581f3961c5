// Matrix products: Gemm with every spelling of its operands, MatMul with its broadcasting.

import { c, type Operand, one, scalar, x } from '../../support/cases/case.js'
import { type Attributes, float } from '../../support/onnx/model.js'

const transposes: readonly Attributes[] = [{}, { transB: 1 }, { transA: 1 }, { transA: 1, transB: 1 }]
const bias: Readonly<Record<string, Operand | undefined>> = {
  none: undefined,
  'a row': c(11),
  'a row of rank 2': c(1, 11),
  'a column': c(6, 1),
  'a matrix': c(6, 11),
  'a scalar': scalar(0.75),
  'one element': c(1)
}

export const gemm = [
  ...transposes.map(attributes =>
    one(
      `constant weights ${JSON.stringify(attributes)}`,
      'Gemm',
      [attributes.transA ? x(7, 6) : x(6, 7), attributes.transB ? c(11, 7) : c(7, 11), c(11)],
      attributes
    )
  ),
  ...transposes.map(attributes =>
    one(
      `two activations ${JSON.stringify(attributes)}`,
      'Gemm',
      [attributes.transA ? x(7, 6) : x(6, 7), attributes.transB ? x(11, 7) : x(7, 11), x(6, 11)],
      { ...attributes, alpha: float(0.5), beta: float(1.5) }
    )
  ),
  ...Object.entries(bias).map(([name, operand]) =>
    one(`bias is ${name}`, 'Gemm', [x(6, 7), c(7, 11), operand], {}, { opset: 11 })
  ),
  ...Object.entries(bias).map(([name, operand]) =>
    one(`alpha and beta, bias is ${name}`, 'Gemm', [x(6, 7), c(7, 11), operand], {
      alpha: float(0.25),
      beta: float(-2)
    })
  ),
  one('bias is an activation', 'Gemm', [x(6, 7), c(7, 11), x(11)]),
  one('constant on the left', 'Gemm', [c(6, 7), x(7, 11), c(11)]),
  one('beta is 0', 'Gemm', [x(6, 7), c(7, 11), c(11)], { beta: float(0) }),
  one('one row', 'Gemm', [x(1, 37), c(37, 19), c(19)]),
  one('one column', 'Gemm', [x(5, 37), c(37, 1), c(1)]),
  one('one inner', 'Gemm', [x(5, 1), c(1, 9), c(9)]),
  one('many columns', 'Gemm', [x(3, 20), c(100, 20), c(100)], { transB: 1 }),
  one('long inner', 'Gemm', [x(2, 1500), c(1500, 10), c(10)]),
  one('long inner, rows', 'Gemm', [x(9, 1500), c(1500, 10), c(10)]),
  one('long inner, rows, free', 'Gemm', [x('N', 904), c(904, 24), c(24)], {}, { bindings: [{ N: 3 }, { N: 40 }] }),
  one('long inner, two stacks', 'MatMul', [x(2, 6, 900), x(2, 900, 9)]),
  one('free batch', 'Gemm', [x('N', 9), c(9, 12), c(12)], {}, { bindings: [{ N: 1 }, { N: 7 }, { N: 3 }] }),
  one('opset 7', 'Gemm', [x(4, 9), c(9, 12), c(12)], {}, { opset: 7 }),
  one('constant matrix', 'MatMul', [x(5, 7), c(7, 9)]),
  one('constant matrix, rank 3', 'MatMul', [x(2, 5, 7), c(7, 9)]),
  one('constant matrix, rank 4', 'MatMul', [x(2, 3, 5, 7), c(7, 9)]),
  one('constant stack', 'MatMul', [x(3, 5, 7), c(3, 7, 9)]),
  one('constant on the left', 'MatMul', [c(5, 7), x(7, 9)]),
  one('constant stack on the left', 'MatMul', [c(3, 5, 7), x(3, 7, 9)]),
  one('two activations', 'MatMul', [x(5, 7), x(7, 9)]),
  one('two stacks', 'MatMul', [x(3, 5, 7), x(3, 7, 9)]),
  one('two stacks of rank 4', 'MatMul', [x(2, 3, 5, 7), x(2, 3, 7, 9)]),
  one('broadcast on the right', 'MatMul', [x(2, 3, 5, 7), x(7, 9)]),
  one('broadcast on the left', 'MatMul', [x(5, 7), x(2, 3, 7, 9)]),
  one('broadcast by an axis of 1', 'MatMul', [x(2, 1, 5, 7), x(1, 3, 7, 9)]),
  one('vector on the right', 'MatMul', [x(5, 7), x(7)]),
  one('vector on the left', 'MatMul', [x(7), x(7, 5)]),
  one('constant vector on the right', 'MatMul', [x(2, 5, 7), c(7)]),
  one('constant vector on the left', 'MatMul', [c(7), x(7, 5)]),
  one('two vectors', 'MatMul', [x(2, 7), x(7, 1)]),
  one('odd sizes', 'MatMul', [x(13, 1), x(1, 17)]),
  one(
    'free sizes',
    'MatMul',
    [x('N', 'S', 6), x('N', 6, 'S')],
    {},
    {
      bindings: [
        { N: 2, S: 5 },
        { N: 1, S: 9 }
      ]
    }
  ),
  one(
    'free rows, constant',
    'MatMul',
    [x('N', 'S', 6), c(6, 10)],
    {},
    {
      bindings: [
        { N: 2, S: 5 },
        { N: 1, S: 9 }
      ]
    }
  ),
  one('then a bias', 'MatMul', [x(4, 6), c(6, 10)], {}, { next: [{ op: 'Add', operands: [c(10)] }, { op: 'Relu' }] }),
  one('a bias in front', 'MatMul', [x(4, 6), c(6, 10)], {}, { next: [{ op: 'Add', operands: [c(10), 'previous'] }] }),
  one(
    'of a transpose',
    'Transpose',
    [x(3, 9, 5)],
    { perm: [0, 2, 1] },
    { next: [{ op: 'MatMul', operands: [x(3, 9, 4)] }] }
  ),
  one(
    'by a transpose',
    'Transpose',
    [x(3, 9, 5)],
    { perm: [0, 2, 1] },
    { next: [{ op: 'MatMul', operands: [x(3, 4, 5), 'previous'] }] }
  ),
  one('Flatten in front', 'Flatten', [x(2, 6, 3, 5)], {}, { next: [{ op: 'Gemm', operands: [c(90, 8), c(8)] }] }),
  one(
    'a map that is flattened',
    'Conv',
    [x(2, 3, 6, 5), c(10, 3, 3, 3)],
    {},
    {
      next: [{ op: 'Flatten' }, { op: 'Gemm', operands: [c(7, 120), c(7)], attributes: { transB: 1 } }]
    }
  ),
  one(
    'a map that is flattened, weights not transposed',
    'Conv',
    [x('N', 3, 6, 5), c(10, 3, 3, 3)],
    {},
    {
      next: [{ op: 'Flatten' }, { op: 'Gemm', operands: [c(120, 7), c(7)] }],
      bindings: [{ N: 2 }, { N: 1 }]
    }
  )
]
