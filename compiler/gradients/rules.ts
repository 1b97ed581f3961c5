import { activationGradients } from './rules/activation.js'
import { arithmeticGradients } from './rules/arithmetic.js'
import { convGradients } from './rules/conv.js'
import { gatherGradients } from './rules/gather.js'
import { gemmGradients } from './rules/gemm.js'
import { lrnGradients } from './rules/lrn.js'
import { movementGradients } from './rules/movement.js'
import { poolGradients } from './rules/pool.js'
import { reduceGradients } from './rules/reduce.js'
import { resizeGradients } from './rules/resize.js'
import { softmaxGradients } from './rules/softmax.js'
import type { Rule } from './tape.js'

/** The gradient of every operator that has one, by its name. Normalisations are spelled out before (normalize.ts). */
export const gradients: Readonly<Record<string, Rule>> = {
  ...activationGradients,
  ...arithmeticGradients,
  ...convGradients,
  ...gatherGradients,
  ...gemmGradients,
  ...lrnGradients,
  ...movementGradients,
  ...poolGradients,
  ...reduceGradients,
  ...resizeGradients,
  ...softmaxGradients
}
