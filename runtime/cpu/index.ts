export { kernelsFor } from './binary.js'
export {
  type BoundCall,
  Control,
  grain,
  type Kernel,
  type Membership,
  readTable,
  type ThreadExports
} from './lockstep.js'
export { listen, mayUseWorkers, type Spawned, spawn } from './spawn.js'
export { wasmBackend } from './wasm.js'
