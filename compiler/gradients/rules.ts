import { activationGradients } from './activation.js'
import { arithmeticGradients } from './arithmetic.js'
import { convGradients } from './conv.js'
import { gemmGradients } from './gemm.js'
import { movementGradients } from './movement.js'
import { poolGradients } from './pool.js'
import { reduceGradients } from './reduce.js'
import { softmaxGradients } from './softmax.js'
import type { Rule } from './tape.js'

/** The gradient of every operator that has one, by its name. Normalisations are spelled out before (normalize.ts). */
export const gradients: Readonly<Record<string, Rule>> = {
  ...activationGradients,
  ...arithmeticGradients,
  ...convGradients,
  ...gemmGradients,
  ...movementGradients,
  ...poolGradients,
  ...reduceGradients,
  ...softmaxGradients
}
