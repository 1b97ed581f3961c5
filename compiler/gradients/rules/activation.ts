import type { Node, Value } from '../../graph/index.js'
import type { ActivationName } from '../../ops/index.js'
import { actOf } from '../../passes/index.js'
import type { Rule, Tape } from '../tape.js'

/** dx = dy * f'(x), in one pass over memory. A bound's derivative can be told from the output as well, which may then be fused. */
const activation =
  (of: (node: Node) => readonly [ActivationName, number?, number?]): Rule =>
  (node, [dy], tape) => {
    const [act, alpha = 0, beta = 0] = of(node)
    const from = act === 'clip' ? node.output : node.inputs[0]
    return [tape.add('ActivationGradient', [dy, from], { act, alpha, beta })]
  }

const none: Rule = () => []

const derived = activation(node => [actOf(node), node.number('alpha', 0), node.number('beta', 0)])

/** dx = dy * factor(x), of a function whose derivative is no row of its own. */
const times =
  (factor: (tape: Tape, x: Value) => Value): Rule =>
  (node, [dy], tape) => [tape.add('Mul', [dy, factor(tape, node.inputs[0]!)])]

export const activationGradients: Readonly<Record<string, Rule>> = {
  /** The rounding of a fake quantisation is taken for the identity. */
  Activation: (node, [dy], tape) => (node.number('straightThrough', 0) ? [dy] : derived(node, [dy], tape)),
  Selu: activation(node => [
    'selu',
    node.number('alpha', 1.6732632423543772),
    node.number('gamma', 1.0507009873554805)
  ]),
  Softsign: activation(() => ['softsign']),
  ThresholdedRelu: activation(node => ['thresholdedRelu', node.number('alpha', 1)]),
  Erf: activation(() => ['erf']),
  Exp: activation(() => ['exp']),
  Log: activation(() => ['log']),
  Sqrt: activation(() => ['sqrt']),
  Abs: activation(() => ['abs']),
  Neg: activation(() => ['neg']),
  Reciprocal: activation(() => ['reciprocal']),
  Sin: times((tape, x) => tape.add('Cos', [x])),
  Cos: times((tape, x) => tape.add('Neg', [tape.add('Sin', [x])])),
  Sinh: times((tape, x) => tape.add('Cosh', [x])),
  Cosh: times((tape, x) => tape.add('Sinh', [x])),
  Floor: none,
  Ceil: none,
  Round: none,
  Sign: none
}
