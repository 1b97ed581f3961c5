import { add } from '../../algebra/index.js'
import { refuse } from '../../errors.js'
import type { DType, Node, Value } from '../../graph/index.js'
import { softmaxAxes } from '../norm/softmax.js'
import { describe, numbersOf, type Op } from '../op.js'
import { checkIndices } from '../search/bounds.js'

/** Operators that compare positions with each other or with what a run finds; the decompose pass spells them so. */

function like(node: Node): void {
  node.output.shape = node.inputs[0]!.shape
  node.output.dtype = node.inputs[0]!.dtype
}

/** The diagonal, counted from the main one to the right; beyond 2^24 there is none. */
export function diagonalOf(node: Node): number {
  const k = numbersOf(node, 1, 'k')?.[0] ?? 0
  return Math.min(Math.max(k, -(2 ** 24)), 2 ** 24)
}

const trilu: Op = {
  infer(node) {
    like(node)
    diagonalOf(node)
    if (node.output.rank < 2) throw refuse(node, `takes matrices, not ${describe(node.inputs[0]!)}`)
  }
}

const eyeLike: Op = {
  infer(node) {
    like(node)
    node.output.dtype = node.text('dtype', node.output.dtype) as DType
    if (node.output.rank !== 2) throw refuse(node, `takes the shape of a matrix, not of ${describe(node.inputs[0]!)}`)
  }
}

const hardmax: Op = {
  infer(node) {
    like(node)
    softmaxAxes(node)
  }
}

export function sequenceAxes(node: Node): { readonly time: number; readonly batch: number } {
  const time = node.number('time_axis', 0)
  const batch = node.number('batch_axis', 1)
  if ((time === 0 && batch === 1) || (time === 1 && batch === 0)) return { time, batch }
  throw refuse(node, `has time_axis ${time} and batch_axis ${batch}; 0 and 1 are allowed, one each`)
}

const reverseSequence: Op = {
  required: 2,
  infer(node) {
    const [x, lengths] = node.inputs as Value[]
    const { time, batch } = sequenceAxes(node)
    if (x.rank < 2 || lengths.rank !== 1 || !node.expectEqual(lengths.shape[0], x.shape[batch]))
      throw refuse(node, `takes a length for each of axis ${batch} of ${describe(x)}, not ${describe(lengths)}`)
    checkIndices(`${node.op} "${node.name}"`, lengths, [time], [add(x.shape[time], 1)])
    like(node)
  }
}

export const comparisons: Record<string, Op> = {
  Trilu: trilu,
  EyeLike: eyeLike,
  Hardmax: hardmax,
  ReverseSequence: reverseSequence
}
