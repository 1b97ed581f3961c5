import type { Attribute, Node } from '../../graph/index.js'
import type { Rule } from '../tape.js'

const attributesOf = (node: Node): Record<string, Attribute> => Object.fromEntries(node.attributes)

const pool =
  (kindOf: (node: Node) => string): Rule =>
  (node, [dy], tape) => [tape.add('PoolGradient', [node.inputs[0], dy], { ...attributesOf(node), kind: kindOf(node) })]

export const poolGradients: Readonly<Record<string, Rule>> = {
  MaxPool: pool(() => 'max'),
  AveragePool: pool(node => (node.number('count_include_pad', 0) ? 'paddedMean' : 'mean')),
  SumPool: pool(() => 'sum')
}
