export { type GoldenOptions, goldenOf } from './golden.js'
export { type CallInfo, type Inspection, inspect, type PortInfo } from './inspect.js'
export { type LayerInfo, layerInfos } from './layers.js'
export { lower } from './lower.js'
export {
  type MemoryPlan,
  memoryPlan,
  type PlannedStorage,
  type Schedule,
  type WithConstants,
  weightBytes
} from './memory-report.js'
export { type Demand, laidConstant, layNode, layTranspose, liesIn, logicalIndices } from './order.js'
export { Interpreter, referenceBackend } from './reference.js'
