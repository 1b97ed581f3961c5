/**
 * The builds of asm/: with the kernels on bytes, which quantised models need, or without; with relaxed SIMD or without. That for
 * engines that join vectors (`env.wasm.wide`) has relaxed SIMD and no kernels on bytes.
 */
export type WasmFile = `cairn${'' | '-more' | '-relaxed' | '-more-relaxed' | '-wide'}.wasm`

/**
 * The kernels' WebAssembly: binaries of one source beside this file, of which a process loads those that it uses, once.
 * Each URL is spelled out, because that is how bundlers find the files that they have to bring along.
 */
export const places: Readonly<Record<WasmFile, () => URL>> = {
  'cairn.wasm': () => new URL('./cairn.wasm', import.meta.url),
  'cairn-relaxed.wasm': () => new URL('./cairn-relaxed.wasm', import.meta.url),
  'cairn-more.wasm': () => new URL('./cairn-more.wasm', import.meta.url),
  'cairn-more-relaxed.wasm': () => new URL('./cairn-more-relaxed.wasm', import.meta.url),
  'cairn-wide.wasm': () => new URL('./cairn-wide.wasm', import.meta.url)
}

/**
 * Where a file of the package is: at the URL that is spelled out for bundlers, who see to it that the file is there. A
 * bundle of CommonJS has no such URLs; there it is beside the bundle. Undefined where the engine knows no places at all.
 */
export function beside(file: string, spelled: () => URL): URL | undefined {
  try {
    return spelled()
  } catch {
    const urls = globalThis.process?.getBuiltinModule?.('node:url')
    return urls && typeof __filename === 'string' ? new URL(file, urls.pathToFileURL(__filename)) : undefined
  }
}
