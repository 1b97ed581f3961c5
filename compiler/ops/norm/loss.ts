import { refuse } from '../../errors.js'
import { largestFolded, type Value } from '../../graph/index.js'
import type { Op } from '../op.js'

const reductions = ['none', 'sum', 'mean']

/** Spelled by the decompose pass with a LogSoftmax and comparisons with the classes. */
const softmaxCrossEntropyLoss: Op = {
  gives: 2,
  required: 2,
  infer(node) {
    const [scores, labels] = node.inputs as Value[]
    const reduction = node.text('reduction', 'mean')
    if (!reductions.includes(reduction))
      throw refuse(node, `has reduction "${reduction}"; ${reductions.join(', ')} are allowed`)
    const classes = scores.shape[1]
    if (typeof classes !== 'number' || classes > largestFolded)
      throw refuse(node, `needs scores of a known number of classes, up to ${largestFolded}`)
    node.output.shape = reduction === 'none' ? labels.shape : []
    node.output.dtype = scores.dtype
    const logarithms = node.outputs[1]
    if (!logarithms) return
    logarithms.shape = scores.shape
    logarithms.dtype = scores.dtype
  }
}

export const losses: Record<string, Op> = { SoftmaxCrossEntropyLoss: softmaxCrossEntropyLoss }
