export { type Comparison, compareAccuracy, type Examples, scoresOf } from './evaluate.js'
export { type Evaluation, evaluatePair, evaluationText, type Pair } from './report.js'
