import type { Backend, Env, InferenceSessionFactory, TensorConstructor, TensorFactory } from 'onnxruntime-common'

/** What of onnxruntime-common, or of a bundle that holds it, Cairn registers with. */
export interface OnnxRuntime {
  /** Its settings. */
  readonly env: Env
  /** Its tensors, which are what sessions give. */
  readonly Tensor: TensorConstructor & TensorFactory
  /** Its sessions. */
  readonly InferenceSession: InferenceSessionFactory
  /** Takes what makes sessions for an execution provider. */
  registerBackend(name: string, backend: Backend, priority: number): void
}

/** What of Cairn can be set beside onnxruntime's settings: `ort.env.cairn = { … }`, in front of the first session. */
export interface CairnSettings {
  /** Whether compiled models are kept, and in Node, where: a folder. By default they are. */
  readonly cache?: boolean | string
  /** Where Cairn's .wasm files are, as `env.wasm.wasmPaths` of `cairnjs`; onnxruntime's own setting of that name is not for these. */
  readonly wasmPaths?: string | WebAssembly.Module | Readonly<Record<string, string | URL | WebAssembly.Module>>
  /** Whether pages compile in a worker; by default they do. */
  readonly worker?: boolean
}
