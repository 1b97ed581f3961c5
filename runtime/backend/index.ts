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
  missing,
  mostMemory,
  type Place,
  type Provider,
  type ProviderOptions,
  type Ran,
  registerBackend,
  registerCompiler,
  type TopRows
} from './backend.js'
export { refuseFaults } from './faults.js'
