import { product, sameShape } from '../../../algebra/index.js'
import type { Value } from '../../../graph/index.js'
import type { Writer } from '../../../infer/index.js'
import { type Equation, equationOf } from '../../../ops/index.js'
import { type Rewrite, wholes } from '../rewrite.js'

/** A tensor with a label for each axis. */
interface Labelled {
  readonly value: Value
  readonly labels: readonly string[]
}

/** Operands one after the other: each product keeps the labels that the output or a later operand has. */
export const einsum: Rewrite = (write, node) => {
  const equation = equationOf(node)
  const { operands, output } = equation
  const all = operands.map((labels, i) => distinct(write, { value: node.inputs[i]!, labels }, equation))
  let result = all[0]
  all.slice(1).forEach((next, i) => {
    const wanted = new Set([...output, ...all.slice(i + 2).flatMap(({ labels }) => labels)])
    result = multiply(write, result, next, wanted)
  })
  const summed = sumOf(write, result, label => output.includes(label))
  // Labels that only operands of size 1 had are gone.
  const there = output.filter(label => summed.labels.includes(label))
  return write.reshape(arranged(write, summed, there), node.output.shape)
}

/**
 * Without labels that stand twice, of which it takes the diagonal, and without sizes of 1 that stand for larger ones; free sizes
 * that may be 1 beside others are repeated.
 */
function distinct(write: Writer, { value, labels }: Labelled, { sizes }: Equation): Labelled {
  const solid = labels.map((_, axis) => axis).filter(axis => value.shape[axis] !== 1 || sizes.get(labels[axis]) === 1)
  const shape = solid.map(axis => value.shape[axis])
  const kept = solid.map(axis => labels[axis])
  const full = kept.map(label => sizes.get(label)!)
  const narrow = solid.length === labels.length ? value : write.reshape(value, shape)
  const whole = sameShape(shape, full) ? narrow : write.add('Expand', [narrow, write.sizes(full)])
  let result: Labelled = { value: whole, labels: kept }
  for (const label of new Set(result.labels))
    while (result.labels.indexOf(label) !== result.labels.lastIndexOf(label)) result = diagonal(write, result, label)
  return result
}

/** Two axes of one label, of size n, become one of n * n, of which every element n + 1 behind the last is taken. */
function diagonal(write: Writer, { value, labels }: Labelled, label: string): Labelled {
  const [first, second] = [labels.indexOf(label), labels.indexOf(label, labels.indexOf(label) + 1)]
  const rest = labels.map((_, axis) => axis).filter(axis => axis !== first && axis !== second)
  const perm = [...rest, first, second]
  const moved = write.add('Transpose', [value], { perm })
  const size = value.shape[first] as number
  const shape = rest.map(axis => value.shape[axis])
  const flat = write.reshape(moved, [...shape, size * size])
  const [from, to, axis, step] = [0, size * size, rest.length, size + 1].map(n => wholes(write, [n], 'int64'))
  const taken = write.add('Slice', [flat, from, to, axis, step])
  return { value: taken, labels: [...rest.map(axis => labels[axis]), label] }
}

function sumOf(write: Writer, { value, labels }: Labelled, keep: (label: string) => boolean): Labelled {
  const axes = labels.map((_, axis) => axis).filter(axis => !keep(labels[axis]))
  if (!axes.length) return { value, labels }
  return { value: write.add('ReduceSum', [value], { axes, keepdims: 0 }), labels: labels.filter(keep) }
}

function arranged(write: Writer, { value, labels }: Labelled, wanted: readonly string[]): Value {
  const perm = wanted.map(label => labels.indexOf(label))
  return perm.every((axis, i) => axis === i) ? value : write.add('Transpose', [value], { perm })
}

/**
 * A matrix product over the labels that both have and nobody wants, a plain one where there are none of these; what both have
 * and is wanted is its batch.
 */
function multiply(write: Writer, a: Labelled, b: Labelled, wanted: ReadonlySet<string>): Labelled {
  const left = sumOf(write, a, label => wanted.has(label) || b.labels.includes(label))
  const right = sumOf(write, b, label => wanted.has(label) || a.labels.includes(label))
  const shared = left.labels.filter(label => right.labels.includes(label))
  const batch = shared.filter(label => wanted.has(label))
  const inner = shared.filter(label => !wanted.has(label))
  const rows = left.labels.filter(label => !shared.includes(label))
  const columns = right.labels.filter(label => !shared.includes(label))
  const sizesOf = ({ value, labels }: Labelled, of: readonly string[]) =>
    of.map(label => value.shape[labels.indexOf(label)])
  const joined = (operand: Labelled, ...groups: (readonly string[])[]) =>
    write.reshape(
      arranged(write, operand, groups.flat()),
      groups.flatMap((group, i) => (i || group.length ? [product(sizesOf(operand, group))] : []))
    )
  const op = inner.length ? 'MatMul' : 'Mul'
  const value = write.add(op, [joined(left, batch, rows, inner), joined(right, batch, inner, columns)])
  return {
    value: write.reshape(value, [...sizesOf(left, batch), ...sizesOf(left, rows), ...sizesOf(right, columns)]),
    labels: [...batch, ...rows, ...columns]
  }
}
