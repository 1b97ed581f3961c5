import { env } from './base/index.js'
import type { WasmFile } from './beside.js'
import { inlined } from './inlined.js'

/**
 * The kernels inside of the JavaScript, for bundlers and hosts that bring no .wasm files along: what `env.wasm.wasmPaths` is set
 * to by `import 'cairnjs/inline'`, unless it is set already. For one thread, without relaxed SIMD.
 */
export const wasmPaths: Readonly<Partial<Record<WasmFile, string>>> = {
  'cairn.wasm': inlined,
  'cairn-more.wasm': inlined
}

env.wasm.wasmPaths ??= wasmPaths
