import { CairnError } from './backend.js'
import { env, type WasmFile } from './env.js'
import { standIn } from './kind.js'

/**
 * The kernels' WebAssembly: four binaries of one source beside this file, of which a process loads those that it uses,
 * once. Each URL is spelled out, because that is how bundlers find the files that they have to bring along.
 */
const places: Readonly<Record<WasmFile, () => URL>> = {
  'cairn.wasm': () => new URL('./cairn.wasm', import.meta.url),
  'cairn-relaxed.wasm': () => new URL('./cairn-relaxed.wasm', import.meta.url),
  'cairn-threads.wasm': () => new URL('./cairn-threads.wasm', import.meta.url),
  'cairn-relaxed-threads.wasm': () => new URL('./cairn-relaxed-threads.wasm', import.meta.url)
}

/** `(func (drop (f32x4.relaxed_madd …)))`: a module that is valid where relaxed SIMD is. */
const relaxedProbe = Uint8Array.of(
  ...[0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00], // magic, version
  ...[0x01, 0x04, 0x01, 0x60, 0x00, 0x00], // one type, () -> ()
  ...[0x03, 0x02, 0x01, 0x00], // one function of it
  ...[0x0a, 0x14, 0x01, 0x12, 0x00], // its body, no locals
  ...[0x41, 0x00, 0xfd, 0x11], // i32.const 0, i32x4.splat
  ...[0x41, 0x00, 0xfd, 0x11],
  ...[0x41, 0x00, 0xfd, 0x11],
  ...[0xfd, 0x85, 0x02], // f32x4.relaxed_madd
  ...[0x1a, 0x0b] // drop, end
)

let relaxed: boolean | undefined

function fileFor(threads: boolean): WasmFile {
  relaxed ??= WebAssembly.validate(relaxedProbe)
  const { binary = relaxed ? 'relaxed' : 'simd' } = env.wasm
  if (binary === 'relaxed' && !relaxed)
    throw new CairnError('env.wasm.binary is "relaxed", which this engine does not have; "simd" is allowed')
  if (binary === 'relaxed') return threads ? 'cairn-relaxed-threads.wasm' : 'cairn-relaxed.wasm'
  if (binary === 'simd') return threads ? 'cairn-threads.wasm' : 'cairn.wasm'
  throw new CairnError(`env.wasm.binary is "${binary}"; "simd" and "relaxed" are allowed`)
}

const compiled = new Map<string, Promise<WebAssembly.Module>>()

/** The best binary that the engine takes, or the one that `env` asks for. */
export async function compileKernels(threads: boolean): Promise<WebAssembly.Module> {
  const file = fileFor(threads)
  const place = placeOf(file)
  const known = compiled.get(place)
  if (known) return known
  const module = load(place).catch(error => {
    compiled.delete(place)
    throw new CairnError(`cannot load ${place}: ${(error as Error).message}; see env.wasm.wasmPaths`)
  })
  compiled.set(place, module)
  return module
}

/** Where the files are, for a worker, to which this page's relative places and URL objects mean nothing. */
export function absolutePaths(): Partial<Record<WasmFile, string>> | undefined {
  if (env.wasm.wasmPaths === undefined) return undefined
  const base = globalThis.location?.href
  const files = Object.keys(places) as WasmFile[]
  return Object.fromEntries(files.map(file => [file, base ? String(new URL(placeOf(file), base)) : placeOf(file)]))
}

function placeOf(file: WasmFile): string {
  const { wasmPaths } = env.wasm
  if (typeof wasmPaths === 'string') return `${wasmPaths.replace(/\/?$/, '/')}${file}`
  return String(wasmPaths?.[file] ?? places[file]())
}

/** Node's fetch does not read files; a place without a scheme is a path there, and relative to the page in a browser. */
async function load(place: string): Promise<WebAssembly.Module> {
  const files = globalThis.process?.getBuiltinModule?.('node:fs')
  if (files && !/^(https?|data|blob):/.test(place))
    return compiledFrom(await files.promises.readFile(place.startsWith('file:') ? new URL(place) : place))
  const response = await fetch(place)
  if (!response.ok) throw new Error(`status ${response.status}`)
  // Engines compile while they download, but only from servers that know the type.
  if (response.headers.get('content-type') === 'application/wasm') return WebAssembly.compileStreaming(response)
  return compiledFrom(new Uint8Array(await response.arrayBuffer()))
}

async function compiledFrom(bytes: Uint8Array<ArrayBuffer>): Promise<WebAssembly.Module> {
  const other = standIn(bytes)
  if (other) throw new Error(`it is ${other}`)
  return WebAssembly.compile(bytes)
}
