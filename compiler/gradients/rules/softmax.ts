import type { Node, Value } from '../../graph/index.js'
import { softmaxAxes } from '../../ops/index.js'
import type { Rule, Tape } from '../tape.js'

const total = (tape: Tape, value: Value, node: Node) =>
  tape.add('ReduceSum', [value], { axes: softmaxAxes(node), keepdims: 1 })

/** dx = (dy - sum(dy y)) y */
const softmax: Rule = (node, [dy], tape) => {
  const weighted = tape.add('Mul', [dy, node.output])
  return [tape.add('Mul', [tape.add('Sub', [dy, total(tape, weighted, node)]), node.output])]
}

/** dx = dy - sum(dy) e^y */
const logSoftmax: Rule = (node, [dy], tape) => {
  const probabilities = tape.add('Exp', [node.output])
  return [tape.add('Sub', [dy, tape.add('Mul', [probabilities, total(tape, dy!, node)])])]
}

export const softmaxGradients: Readonly<Record<string, Rule>> = { Softmax: softmax, LogSoftmax: logSoftmax }
