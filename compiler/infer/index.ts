export { counted, countOutputs, filledBehind, fillInputs, room, runSize } from './counting.js'
export { infer } from './infer.js'
export { inferNode } from './node.js'
export { Writer } from './writer.js'
