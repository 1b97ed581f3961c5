/** A device that sessions can be made on, as onnxruntime-node tells of it. */
export interface SupportedBackend {
  /** The name of the execution provider. */
  readonly name: string
  /** Whether nothing else has to be installed for it. */
  readonly bundled: boolean
}

/** The execution providers that sessions can be made with, as onnxruntime-node lists them. */
export const listSupportedBackends = (): SupportedBackend[] => [
  { name: 'cpu', bundled: true },
  { name: 'webgpu', bundled: typeof navigator === 'object' && 'gpu' in navigator }
]
