export { differentiate } from './differentiate.js'
export { fakeQuantise } from './fake-quantise.js'
export { spellBatchStatistics, spellNorms } from './normalize.js'
export { rectifiedGradients } from './rules/rectified.js'
