export type { GpuDispatch, ProviderOptions } from './backend/index.js'
export {
  CairnError,
  type Environment,
  env,
  FormatError,
  type WasmEnvironment,
  type WebGpuEnvironment
} from './base/index.js'
export type { WasmFile } from './beside.js'
export type {
  CallTime,
  Feeds,
  LayerCheck,
  Location,
  Results,
  RunOptions,
  SessionOptions,
  TopOptions,
  Verification
} from './session/index.js'
export { InferenceSession, type ParallelOptions, ParallelSession } from './session/index.js'
export {
  copyFloats,
  type FitOptions,
  type FloatOptions,
  fit,
  type GpuTensorOptions,
  type ImageSource,
  type ImageTensorOptions,
  imageNet,
  letterbox,
  type Picture,
  resize,
  type Scored,
  softmax,
  Tensor,
  type Type,
  toFloatData,
  topK
} from './tensor/index.js'
