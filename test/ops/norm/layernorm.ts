// Layer normalisation over the last axes, and on maps whose channels lie innermost.
import { c, one, x } from '../../support/cases/case.js'
import { float } from '../../support/onnx/model.js'

export const layernorm = [
  one('last axis', 'LayerNormalization', [x(3, 5, 10), c(10), c(10)]),
  one('without bias', 'LayerNormalization', [x(3, 5, 10), c(10)]),
  one('two axes', 'LayerNormalization', [x(3, 5, 10), c(5, 10), c(5, 10)], { axis: 1 }),
  one('all axes', 'LayerNormalization', [x(3, 5, 10), c(3, 5, 10), c(3, 5, 10)], { axis: 0 }),
  one('negative axis', 'LayerNormalization', [x(3, 5, 10), c(5, 10), c(5, 10)], { axis: -2, epsilon: float(0.01) }),
  one('rank 4', 'LayerNormalization', [x(2, 3, 4, 6), c(6), c(6)]),
  one('rank 4, three axes', 'LayerNormalization', [x(2, 3, 4, 6), c(3, 4, 6), c(3, 4, 6)], { axis: 1 }),
  one('odd size', 'LayerNormalization', [x(2, 3), c(3), c(3)]),
  one(
    'free rows',
    'LayerNormalization',
    [x('N', 'S', 7), c(7), c(7)],
    {},
    {
      bindings: [
        { N: 2, S: 3 },
        { N: 1, S: 6 }
      ]
    }
  ),
  one(
    'channels last, as ConvNeXt',
    'Conv',
    [x(1, 3, 8, 9), c(10, 3, 3, 3)],
    {},
    {
      next: [
        { op: 'Transpose', attributes: { perm: [0, 2, 3, 1] } },
        { op: 'LayerNormalization', operands: [c(10), c(10)], attributes: { epsilon: float(1e-6) } },
        { op: 'MatMul', operands: [c(10, 12)] },
        { op: 'Add', operands: [c(12)] },
        { op: 'Gelu' },
        { op: 'Transpose', attributes: { perm: [0, 3, 1, 2] } },
        { op: 'Conv', operands: [c(6, 12, 1, 1)] }
      ],
      opset: 20
    }
  )
]
