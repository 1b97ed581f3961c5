import type { Declared } from '../../compiler/onnx/index.js'
import type { Given } from '../../runtime/file/index.js'

/** A compiled model: the file, and what the model declares of its inputs and outputs. */
export interface Kept {
  readonly ports: Declared
  readonly file: Given
}

/** Where compiled models are kept from one visit, or one process, to the next. What goes wrong there is as if nothing was kept. */
export interface Cache {
  find(key: string): Promise<Kept | undefined>
  keep(key: string, ports: Declared, file: Uint8Array): Promise<void>
  /** The digest of the bytes that a mark stood for. */
  recall(mark: string): Promise<string | undefined>
  remember(mark: string, digest: string): Promise<void>
}
