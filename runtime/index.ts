export type { GpuDispatch, ProviderOptions } from './backend.js'
export type { WasmFile } from './beside.js'
export type { Feeds } from './binding.js'
export { copyFloats } from './elements.js'
export { env, type WasmEnvironment, type WebGpuEnvironment } from './env.js'
export { CairnError, FormatError } from './errors.js'
export type { LayerCheck, Verification } from './golden.js'
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
} from './image.js'
export { InferenceSession } from './inference.js'
export type { Location } from './location.js'
export { type ParallelOptions, ParallelSession } from './parallel.js'
export type { CallTime, Results, RunOptions, SessionOptions, TopOptions } from './session.js'
export { type GpuTensorOptions, Tensor, type Type } from './tensor.js'
