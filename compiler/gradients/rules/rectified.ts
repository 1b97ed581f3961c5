import type { Node } from '../../graph/index.js'
import { actOf } from '../../passes/index.js'
import type { Rule } from '../tape.js'
import { activationGradients } from './activation.js'

/** Rules for rectifiers that are no gradients, but show what a network sees. All else keeps its own. */

/** A bound at 0 from below: Relu, and Relu6. */
const rectifies = (node: Node) => actOf(node) === 'clip' && node.number('alpha', 0) === 0

const instead =
  (rule: Rule): Rule =>
  (node, gradients, tape) =>
    (rectifies(node) ? rule : activationGradients.Activation)(node, gradients, tape)

/** What is below 0 of a gradient does not go back. */
const positive: Rule = (_, [dy], tape) => [tape.add('Activation', [dy], { act: 'clip', alpha: 0, beta: Infinity })]

export const rectifiedGradients = {
  /** Where the rectifier let something through, and only what is positive (Springenberg et al., arXiv 1412.6806, section 3.4). */
  guided: {
    Activation: instead((node, gradients, tape) =>
      activationGradients.Activation(node, positive(node, gradients, tape), tape)
    )
  },
  /** Rectifies the gradient alone, whatever went through (Zeiler and Fergus, arXiv 1311.2901, section 2.1). */
  deconvnet: { Activation: instead(positive) }
} satisfies Record<string, Readonly<Record<string, Rule>>>
