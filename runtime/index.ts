import { registerBackend } from './backend.js'
import { wasmBackend } from './wasm.js'

registerBackend(wasmBackend)

// Loaded when a session asks for it, so that others do not download it.
const webgpu = async () => (await import('./webgpu/index.js')).webgpuBackend
registerBackend({
  name: 'webgpu',
  missing: async () => (await webgpu()).missing(),
  isFallback: async () => (await webgpu()).isFallback(),
  load: async (file, options) => (await webgpu()).load(file, options)
})

export { CairnError, type GpuDispatch, type ProviderOptions } from './backend.js'
export { env, type WasmEnvironment, type WasmFile, type WebGpuEnvironment } from './env.js'
export { FormatError } from './format.js'
export {
  type FitOptions,
  type FloatOptions,
  type ImageSource,
  type ImageTensorOptions,
  type Picture,
  type Scored,
  softmax,
  topK
} from './image.js'
export { type ParallelOptions, ParallelSession } from './parallel.js'
export {
  type CallTime,
  type Feeds,
  InferenceSession,
  type Location,
  type Results,
  type SessionOptions,
  type TopOptions
} from './session.js'
export { type GpuTensorOptions, Tensor, type Type } from './tensor.js'
