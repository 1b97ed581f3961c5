import { env } from './base/index.js'
import type { WasmFile } from './beside.js'
import floats from './cairn.wasm'
import all from './cairn-more.wasm'

/**
 * The package where WebAssembly is compiled when a program is deployed, and by programs never (Cloudflare Workers): its exports by
 * the condition `workerd`, with kernels that the host has compiled.
 */
export const wasmPaths: Readonly<Partial<Record<WasmFile, WebAssembly.Module>>> = {
  'cairn.wasm': floats,
  'cairn-more.wasm': all
}

env.wasm.wasmPaths ??= wasmPaths

export * from './index.js'
