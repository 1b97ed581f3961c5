// Gemm with weights that memory keeps as halves. Every constant is a half already, so that results are as close to
// onnxruntime's as those of single precision.

import { type Case, halves, one, type Step, x } from '../../support/cases/case.js'

const options = { weights: 'f16', kernels: ['gemmHalf'] } as const

const follows: readonly (readonly [string, readonly Step[]])[] = [
  ['Relu', [{ op: 'Relu' }]],
  ['Sigmoid', [{ op: 'Sigmoid' }]],
  ['HardSwish', [{ op: 'HardSwish' }]],
  ['PRelu', [{ op: 'PRelu', operands: [halves(13)] }]]
]

/** Behind a layer of `rows` and 13 columns. */
function residuals(rows: number): readonly (readonly [string, readonly Step[]])[] {
  const residual: Step = { op: 'Add', operands: [x(rows, 13)] }
  return [
    ['residual', [residual]],
    ['residual, then Relu', [residual, { op: 'Relu' }]],
    ['residual, then Sigmoid', [residual, { op: 'Sigmoid' }]],
    ['Sigmoid, then residual', [{ op: 'Sigmoid' }, residual]]
  ]
}

export const gemmHalf: readonly Case[] = [
  ...[1, 2, 3, 5, 9, 130].flatMap(rows => [
    one(`${rows} rows`, 'Gemm', [x(rows, 37), halves(37, 19), halves(19)], {}, { options }),
    one(`${rows} rows, whole panels`, 'Gemm', [x(rows, 36), halves(24, 36)], { transB: 1 }, { options }),
    ...[...follows, ...residuals(rows)].map(([name, next]) =>
      one(`${rows} rows, ${name}`, 'Gemm', [x(rows, 21), halves(21, 13), halves(13)], {}, { opset: 17, options, next })
    )
  ]),
  ...[1, 2, 3, 4, 5, 6, 7].map(columns =>
    one(`one row, ${columns} columns`, 'Gemm', [x(1, 11), halves(11, columns), halves(columns)], {}, { options })
  ),
  one('one inner', 'Gemm', [x(1, 1), halves(1, 9), halves(9)], {}, { options }),
  one('many columns', 'Gemm', [x(1, 20), halves(300, 20), halves(300)], { transB: 1 }, { options }),
  one('long inner', 'Gemm', [x(1, 1501), halves(1501, 10), halves(10)], {}, { options }),
  one('subnormal weights alone', 'Gemm', [x(1, 30), { ...halves(30, 17), subnormal: 'all' }], {}, { options }),
  one('rows of subnormal weights alone', 'Gemm', [x(3, 30), { ...halves(30, 17), subnormal: 'all' }], {}, { options }),
  one(
    'free batch',
    'Gemm',
    [x('N', 9), halves(9, 12), halves(12)],
    {},
    { options, bindings: [{ N: 1 }, { N: 7 }, { N: 3 }] }
  ),
  one(
    'a map that is flattened',
    'Conv',
    [x(1, 3, 6, 5), halves(10, 3, 3, 3)],
    {},
    {
      options,
      next: [{ op: 'Flatten' }, { op: 'Gemm', operands: [halves(7, 120), halves(7)], attributes: { transB: 1 } }]
    }
  )
]
