export { type Comparison, compareAccuracy, type Examples, scoresOf } from './evaluate.js'
export {
  type Evaluation,
  evaluateOptions,
  evaluatePair,
  evaluationFacts,
  evaluationText,
  type Pair
} from './evaluation.js'
export { quantiseOptions } from './flags.js'
export { quantiseModel } from './quantise-model.js'
export { quantisedFacts, sectionsOf } from './tables.js'
export { tell } from './tell.js'
