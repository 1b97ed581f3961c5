import { refuse } from '../../errors.js'
import { isConstant, type Node, type Value } from '../../graph/index.js'
import type { Rule, Tape } from '../tape.js'

/** Operators of two or three operands that broadcast. */
const binary =
  (
    first: (tape: Tape, dy: Value, a: Value, b: Value, node: Node) => Value,
    second: (tape: Tape, dy: Value, a: Value, b: Value, node: Node) => Value
  ): Rule =>
  (node, [dy], tape) => {
    const [a, b] = node.inputs as [Value, Value]
    return [
      tape.needs(a) ? tape.unbroadcast(first(tape, dy!, a, b, node), a) : undefined,
      tape.needs(b) ? tape.unbroadcast(second(tape, dy!, a, b, node), b) : undefined
    ]
  }

const mul = (tape: Tape, ...factors: Value[]) => factors.reduce((a, b) => tape.add('Mul', [a, b]))

/** The gradient where one operand compares so to the other. */
const where = (op: string) => (tape: Tape, dy: Value, a: Value, b: Value) => mul(tape, dy, tape.add(op, [a, b]))

const exponent = (node: Node, b: Value): number => {
  if (isConstant(b) && b.data.length === 1) return b.data[0]
  throw refuse(node, 'has a gradient only where the exponent is a constant')
}

const quotient: Rule = (node, [dy], tape) => {
  const [a, b] = node.inputs as [Value, Value]
  const share = tape.add('Div', [dy, b])
  const product = () => tape.add('Neg', [mul(tape, share, node.output)])
  return [
    tape.needs(a) ? tape.unbroadcast(share, a) : undefined,
    tape.needs(b) ? tape.unbroadcast(product(), b) : undefined
  ]
}

export const arithmeticGradients: Readonly<Record<string, Rule>> = {
  Add: binary(
    (_, dy) => dy,
    (_, dy) => dy
  ),
  Sub: binary(
    (_, dy) => dy,
    (tape, dy) => tape.add('Neg', [dy])
  ),
  Mul: binary(
    (tape, dy, _, b) => mul(tape, dy, b),
    (tape, dy, a) => mul(tape, dy, a)
  ),
  Div: quotient,
  Pow: binary(
    (tape, dy, a, b, node) => {
      const power = exponent(node, b)
      return mul(tape, dy, tape.add('Pow', [a, tape.scalar(power - 1)]), tape.scalar(power))
    },
    (_, _dy, _a, b, node) => {
      throw refuse(node, `has no gradient of its exponent "${b.name}"`)
    }
  ),
  Max: binary(where('Greater'), where('LessOrEqual')),
  Min: binary(where('Less'), where('GreaterOrEqual')),
  PRelu: binary(
    (tape, dy, a, b) => {
      const negative = tape.add('Less', [a, tape.scalar(0)])
      return tape.add('Where', [negative, mul(tape, dy, b), dy])
    },
    (tape, dy, a) => mul(tape, dy, tape.add('Min', [a, tape.scalar(0)]))
  ),
  Where: (node, [dy], tape) => {
    const [condition, a, b] = node.inputs as Value[]
    const zero = tape.scalar(0)
    return [
      undefined,
      tape.needs(a) ? tape.unbroadcast(tape.add('Where', [condition, dy, zero]), a) : undefined,
      tape.needs(b) ? tape.unbroadcast(tape.add('Where', [condition, zero, dy]), b) : undefined
    ]
  },
  /** A BatchNormalization that is frozen. */
  ScaleShift: (node, [dy], tape) => {
    const [, scale, shift] = node.inputs as Value[]
    const zeros = tape.graph.constant(
      tape.graph.unique(node.name),
      new Float32Array(shift.data!.length),
      shift.shape as number[]
    )
    return [tape.add('ScaleShift', [dy, scale, zeros])]
  }
}
