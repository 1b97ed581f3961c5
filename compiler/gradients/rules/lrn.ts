import { product } from '../../algebra/index.js'
import type { Value } from '../../graph/index.js'
import type { Rule } from '../tape.js'

/**
 * y = x D^-β with D = bias + α/size Σ x², summed over a window of channels (Krizhevsky et al., "ImageNet classification with deep
 * convolutional neural networks", 2012, section 3.3): dx = dy D^-β - 2 α β / size x Σ' dy x D^-(β+1), where Σ' is over the channels in
 * whose window x lies, the window turned around.
 */
const lrn: Rule = (node, [dy], tape) => {
  const x = node.inputs[0]!
  const size = node.number('size', 1)
  const [alpha, beta, bias] = [node.number('alpha', 1e-4), node.number('beta', 0.75), node.number('bias', 1)]
  const [batch, channels, ...spatial] = x.shape
  const before = Math.floor((size - 1) / 2)
  /** Sums over windows that reach `from` channels to the front. */
  const summed = (value: Value, from: number): Value => {
    const rows = tape.reshape(value, [batch, 1, channels, product(spatial)])
    const attributes = { kernel_shape: [size, 1], pads: [from, 0, size - 1 - from, 0] }
    return tape.reshape(tape.add('SumPool', [rows], attributes), x.shape)
  }
  const mul = (a: Value, b: Value) => tape.add('Mul', [a, b])
  const scaled = mul(summed(mul(x, x), before), tape.scalar(alpha / size))
  const base = tape.add('Add', [scaled, tape.scalar(bias)])
  const own = mul(dy!, tape.add('Pow', [base, tape.scalar(-beta)]))
  const others = summed(tape.add('Div', [mul(own, x), base]), size - 1 - before)
  return [tape.add('Sub', [own, mul(mul(x, others), tape.scalar((2 * alpha * beta) / size))])]
}

export const lrnGradients: Readonly<Record<string, Rule>> = { LRN: lrn }
