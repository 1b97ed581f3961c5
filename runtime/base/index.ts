export { brandOf, bytesOf, isBytes } from './brand.js'
export { digest } from './digest.js'
export {
  type Environment,
  env,
  mostThreads,
  threadsOf,
  type WasmEnvironment,
  type WasmPlace,
  type WebGpuEnvironment
} from './env.js'
export { CairnError, FormatError, Unavailable } from './errors.js'
export { floatToHalf, fromHalves, halfToFloat, isHalf, toHalves } from './half.js'
export { finalise } from './hash.js'
export { held } from './held.js'
export { beginning, standIn, standIns, telling } from './kind.js'
export { Breath, finish } from './turns.js'
