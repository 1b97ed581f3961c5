export { kernelsFor } from './binary.js'
export {
  type Barrier,
  type BoundCall,
  Control,
  type Entrance,
  grain,
  type Kernel,
  type Membership,
  readTable
} from './lockstep.js'
export { listen, mayUseWorkers, type Spawned, spawn } from './spawn.js'
export { wasmBackend } from './wasm.js'
