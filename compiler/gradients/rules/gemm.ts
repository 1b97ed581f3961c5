import type { Value } from '../../graph/index.js'
import type { Rule, Tape } from '../tape.js'

function transposed(tape: Tape, value: Value): Value {
  const perm = value.shape.map((_, axis) => axis)
  return tape.add('Transpose', [value], { perm: [...perm.slice(0, -2), perm[perm.length - 1], perm[perm.length - 2]] })
}

/** Y = A B: dA = dY Bt and dB = At dY, over broadcast batches summed. */
const matmul: Rule = (node, [dy], tape) => {
  const [a, b] = node.inputs as [Value, Value]
  return [
    tape.needs(a) ? tape.unbroadcast(tape.add('MatMul', [dy, transposed(tape, b)]), a) : undefined,
    tape.needs(b) ? tape.unbroadcast(tape.add('MatMul', [transposed(tape, a), dy]), b) : undefined
  ]
}

/** With constant weights, which is what other Gemms are not any more. */
const gemm: Rule = (node, [dy], tape) => [
  tape.add('Gemm', [dy, node.inputs[1]], { transB: node.number('transB', 0) ? 0 : 1 })
]

export const gemmGradients: Readonly<Record<string, Rule>> = { MatMul: matmul, Gemm: gemm }
