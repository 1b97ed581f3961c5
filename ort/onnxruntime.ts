/** Importing this makes Cairn the backend of onnxruntime-common: of each of the two instances that Node may have. */
import * as common from 'onnxruntime-common'
import { registerWith } from './register.js'
import type { OnnxRuntime } from './types.js'

export type { CairnSettings, OnnxRuntime } from './types.js'

/** Makes Cairn the backend of one more instance of onnxruntime-common, such as a bundle of onnxruntime-web holds; once is enough. */
export const register: (ort: OnnxRuntime) => void = registerWith

register(common)
registerOther()

/** Node's `require` has an instance of its own, which onnxruntime-node uses. */
function registerOther(): void {
  const modules = globalThis.process?.versions?.node ? globalThis.process.getBuiltinModule?.('node:module') : undefined
  try {
    if (modules) register(modules.createRequire(import.meta.url)('onnxruntime-common') as OnnxRuntime)
  } catch {
    // Bundles may have no package beside them.
  }
}
