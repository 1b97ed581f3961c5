export { type Comparison, compareAccuracy, type Examples, scoresOf } from './evaluate.js'
export {
  type Evaluation,
  evaluateOptions,
  evaluatingNames,
  evaluationFacts,
  evaluationRows,
  evaluationText,
  openEvaluation
} from './evaluation.js'
export { checkQuantising, quantiseOptions, quantisingNames } from './flags.js'
export { type QuantisedModel, quantiseModel } from './quantise-model.js'
export { quantisedFacts, sectionsOf } from './tables.js'
export { tell } from './tell.js'
