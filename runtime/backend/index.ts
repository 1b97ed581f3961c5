export {
  type Backend,
  backendNamed,
  type Elements,
  type Executor,
  type ExternalData,
  findCompiler,
  firstAvailable,
  type GpuDispatch,
  type GpuMemory,
  type LoadOptions,
  mostMemory,
  notWorthTrying,
  type Place,
  type Provider,
  type ProviderOptions,
  type Ran,
  registerBackend,
  registerCompiler,
  type StateMemory,
  type TopRows
} from './backend.js'
export { refuseFaults } from './faults.js'
export { registerWebGpu } from './later.js'
