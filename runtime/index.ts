export type { GpuDispatch, ProviderOptions } from './backend/backend.js'
export { env, type WasmEnvironment, type WebGpuEnvironment } from './base/env.js'
export { CairnError, FormatError } from './base/errors.js'
export type { WasmFile } from './beside.js'
export type { Feeds } from './session/binding.js'
export type { LayerCheck, Verification } from './session/golden.js'
export { InferenceSession } from './session/inference.js'
export type { Location } from './session/location.js'
export { type ParallelOptions, ParallelSession } from './session/parallel.js'
export type { CallTime, Results, RunOptions, SessionOptions, TopOptions } from './session/session.js'
export { copyFloats } from './tensor/elements.js'
export {
  type FitOptions,
  type FloatOptions,
  fit,
  type ImageSource,
  type ImageTensorOptions,
  imageNet,
  letterbox,
  type Picture,
  resize,
  type Scored,
  softmax,
  toFloatData,
  topK
} from './tensor/image.js'
export { type GpuTensorOptions, Tensor, type Type } from './tensor/tensor.js'
