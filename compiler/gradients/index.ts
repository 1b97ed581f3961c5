export { differentiate } from './differentiate.js'
export { spellBatchStatistics, spellNorms } from './normalize.js'
