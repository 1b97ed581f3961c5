export { quantiseOptions } from './flags.js'
export { quantiseModel } from './quantise-model.js'
export { quantisedFacts, sectionsOf } from './tables.js'
export { tell } from './tell.js'
