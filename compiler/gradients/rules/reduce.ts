import { product } from '../../algebra/index.js'
import type { Node, Value } from '../../graph/index.js'
import { reducedAxes } from '../../ops/index.js'
import type { Rule, Tape } from '../tape.js'

const spatial = (node: Node) => node.inputs[0]!.shape.map((_, axis) => axis).slice(2)

/** A value of the output's shape with the reduced axes kept as 1. */
function kept(tape: Tape, value: Value, x: Value, axes: readonly number[]): Value {
  return tape.reshape(
    value,
    x.shape.map((size, axis) => (axes.includes(axis) ? 1 : size))
  )
}

type Reduced = (tape: Tape, dy: Value, x: Value, y: Value, axes: readonly number[]) => Value

const rule =
  (axesFrom: (node: Node) => readonly number[], gradient: Reduced): Rule =>
  (node, [dy], tape) => {
    const x = node.inputs[0]!
    const axes = axesFrom(node)
    const wide = (value: Value) => kept(tape, value, x, axes)
    return [gradient(tape, wide(dy!), x, wide(node.output), axes)]
  }

const sum: Reduced = (tape, dy, x) => tape.expand(dy, x)

const mean: Reduced = (tape, dy, x, _, axes) =>
  tape.expand(tape.add('Div', [dy, tape.size(product(axes.map(axis => x.shape[axis])))]), x)

/** Elements that are the extreme share the gradient. */
const extreme: Reduced = (tape, dy, x, y, axes) => {
  const mask = tape.add('Mul', [tape.add('Equal', [x, y]), tape.scalar(1)])
  return tape.add('Mul', [mask, tape.add('Div', [dy, tape.add('ReduceSum', [mask], { axes, keepdims: 1 })])])
}

const sumOfSquares: Reduced = (tape, dy, x) => tape.add('Mul', [x, tape.add('Mul', [dy, tape.scalar(2)])])

const norm: Reduced = (tape, dy, x, y) => tape.add('Mul', [x, tape.add('Div', [dy, y])])

const sumOfMagnitudes: Reduced = (tape, dy, x) => tape.add('Mul', [tape.add('Sign', [x]), dy])

const logOfSum: Reduced = (tape, dy, x, y) =>
  tape.expand(tape.add('Mul', [dy, tape.add('Exp', [tape.add('Neg', [y])])]), x)

const logOfSumOfExp: Reduced = (tape, dy, x, y) => tape.add('Mul', [dy, tape.add('Exp', [tape.add('Sub', [x, y])])])

/** Sums from the other end. */
const cumSum: Rule = (node, [dy], tape) => {
  const attributes = { exclusive: node.number('exclusive', 0), reverse: node.number('reverse', 0) ? 0 : 1 }
  return [tape.add('CumSum', [dy, node.inputs[1]], attributes)]
}

export const reduceGradients: Readonly<Record<string, Rule>> = {
  ReduceSum: rule(reducedAxes, sum),
  ReduceMean: rule(reducedAxes, mean),
  ReduceMax: rule(reducedAxes, extreme),
  ReduceMin: rule(reducedAxes, extreme),
  ReduceSumSquare: rule(reducedAxes, sumOfSquares),
  ReduceL2: rule(reducedAxes, norm),
  ReduceL1: rule(reducedAxes, sumOfMagnitudes),
  ReduceLogSum: rule(reducedAxes, logOfSum),
  ReduceLogSumExp: rule(reducedAxes, logOfSumOfExp),
  CumSum: cumSum,
  GlobalAveragePool: rule(spatial, mean),
  GlobalMaxPool: rule(spatial, extreme)
}
