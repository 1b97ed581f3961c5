import type { Graph, Value } from '../../compiler/graph/index.js'
import { Writer } from '../../compiler/infer/index.js'

/** What is made small: how far the scores of an example are from its class, in the graph of a step and of scores that are there. */
export type Loss = keyof typeof losses

interface Written {
  /** Of each example, [N, 1], from scores and targets [N, K]. */
  readonly graph: (write: Writer, scores: Value, targets: Value) => Value
  /** Of one example with the class `label`. */
  readonly plain: (scores: Float32Array, label: number) => number
  /** What it is where all of K classes get the same, the best that guessing can do. */
  readonly guessing: (classes: number) => number
}

const sum = (write: Writer, value: Value) => write.add('ReduceSum', [value], { axes: [1], keepdims: 1 })

export const losses = {
  /** -Σ t log softmax(s), in nats. */
  'cross-entropy': {
    graph(write, scores, targets) {
      const likelihood = write.add('Mul', [targets, write.add('LogSoftmax', [scores], { axis: -1 })])
      return write.add('Neg', [sum(write, likelihood)])
    },
    plain: (scores, label) => logSumExp(scores) - scores[label],
    guessing: Math.log
  },
  /** Mean squared error: the mean over the classes of (s - t)², where t is 1 for the example's class, else 0. */
  mse: {
    graph(write, scores, targets) {
      const apart = write.add('Sub', [scores, targets])
      return write.add('ReduceMean', [write.add('Mul', [apart, apart])], { axes: [1], keepdims: 1 })
    },
    plain: (scores, label) =>
      scores.reduce((all, score, k) => all + (score - Number(k === label)) ** 2, 0) / scores.length,
    guessing: classes => (classes - 1) / classes ** 2
  },
  /** Multiclass hinge: Σ max(0, s - s of the class + 1) over the other classes (Weston and Watkins, 1999). */
  hinge: {
    graph(write, scores, targets) {
      const own = sum(write, write.add('Mul', [scores, targets]))
      const margin = write.add('Add', [write.add('Sub', [scores, own]), write.scalar(1)])
      const others = write.add('Sub', [write.scalar(1), targets])
      return sum(write, write.add('Mul', [write.add('Max', [margin, write.scalar(0)]), others]))
    },
    plain: (scores, label) =>
      scores.reduce((all, score, k) => (k === label ? all : all + Math.max(0, score - scores[label] + 1)), 0),
    guessing: classes => classes - 1
  }
} satisfies Record<string, Written>

/** Names of losses that `TrainerOptions.loss` takes. */
export const lossNames = Object.keys(losses) as readonly Loss[]

/** The sum over the batch of each example's own loss times its weight; `targets` [N, K], `weights` [N, 1]. */
export function writeLoss(graph: Graph, loss: Loss, scores: Value, targets: Value, weights: Value): Value {
  const write = new Writer(graph, 'loss')
  const each = losses[loss].graph(write, scores, targets)
  return write.add('ReduceSum', [write.add('Mul', [each, weights])], { axes: [0, 1], keepdims: 0 })
}

export function logSumExp(row: Float32Array): number {
  const largest = row.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY)
  return largest + Math.log(row.reduce((all, value) => all + Math.exp(value - largest), 0))
}
