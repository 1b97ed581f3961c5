import { registerBackend } from './backend.js'
import { wasmBackend } from './wasm.js'

registerBackend(wasmBackend)

export { CairnError } from './backend.js'
export { env, type WasmEnvironment, type WasmFile } from './env.js'
export { FormatError } from './format.js'
export {
  type FitOptions,
  type FloatOptions,
  fit,
  type ImageTensorOptions,
  imageNet,
  type Picture,
  resize,
  type Scored,
  softmax,
  toFloatData,
  topK
} from './image.js'
export { type ParallelOptions, ParallelSession } from './parallel.js'
export { type CallTime, type Feeds, InferenceSession, type Results, type SessionOptions } from './session.js'
export { copyFloats, Tensor, type Type } from './tensor.js'
