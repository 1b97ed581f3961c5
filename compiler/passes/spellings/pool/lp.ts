import type { Value } from '../../../graph/index.js'
import type { Writer } from '../../../infer/index.js'
import { axisOf, exponentOf } from '../../../ops/index.js'
import type { Rewrite } from '../rewrite.js'

function powers(write: Writer, x: Value, p: number): Value {
  if (p === 2) return write.add('Mul', [x, x])
  const size = write.add('Abs', [x])
  return p === 1 ? size : write.add('Pow', [size, write.scalar(p)])
}

function root(write: Writer, sum: Value, p: number): Value {
  if (p === 1) return sum
  return p === 2 ? write.add('Sqrt', [sum]) : write.add('Pow', [sum, write.scalar(1 / p)])
}

export const lpPool: Rewrite = (write, node) => {
  const p = exponentOf(node)
  const sums = write.add('SumPool', [powers(write, node.inputs[0]!, p)], Object.fromEntries(node.attributes))
  return root(write, sums, p)
}

export const globalLpPool: Rewrite = (write, node) => {
  const p = exponentOf(node)
  const x = node.inputs[0]!
  const axes = Array.from({ length: x.rank - 2 }, (_, i) => i + 2)
  return root(write, write.add('ReduceSum', [powers(write, x, p)], { axes, keepdims: 1 }), p)
}

/** What has no length stays as it is: nothing. */
export const lpNormalization: Rewrite = (write, node) => {
  const p = exponentOf(node)
  const x = node.inputs[0]!
  const axes = [axisOf(node, node.number('axis', -1), x.rank)]
  const length = root(write, write.add('ReduceSum', [powers(write, x, p)], { axes, keepdims: 1 }), p)
  const none = write.add('Equal', [length, write.scalar(0)])
  return write.add('Div', [x, write.add('Where', [none, write.scalar(1), length])])
}
