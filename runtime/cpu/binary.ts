import { brandOf, CairnError, env, held, standIn, Unavailable, type WasmPlace } from '../base/index.js'
import { beside, places, type WasmFile } from '../beside.js'
import type { Header } from '../file/index.js'

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

/** A module of nothing. */
const smallest = relaxedProbe.subarray(0, 8)

let relaxed: boolean | undefined

/** What of the binaries is needed: memory that threads share, more kernels than networks in floats have, wide ones. */
interface Needs {
  readonly threads: boolean
  readonly more?: boolean
  readonly wide?: boolean
}

/** What speaks for the wide binaries, where it was asked for. */
export let widening: typeof import('./wide.js') | undefined

function fileFor({ more, wide }: Needs): WasmFile {
  relaxed ??= WebAssembly.validate(relaxedProbe)
  const { binary, wasmPaths } = env.wasm
  if (binary === 'relaxed' && !relaxed)
    throw new CairnError('env.wasm.binary is "relaxed", which this engine does not have; "simd" is allowed')
  if (binary !== undefined && binary !== 'simd' && binary !== 'relaxed')
    throw new CairnError(`env.wasm.binary is "${binary}"; "simd" and "relaxed" are allowed`)
  const [best, plain] = (['-relaxed', ''] as const).map(
    simd => `cairn${wide ? '-wide' : (more ? '-more' : '') + simd}.wasm` as WasmFile
  )
  if (binary) return binary === 'relaxed' ? best : plain
  // Who says where only one of the two is has no other.
  const given = (typeof wasmPaths === 'object' ? wasmPaths : {}) as Partial<Record<WasmFile, WasmPlace>>
  return relaxed && (given[best] || !given[plain]) ? best : plain
}

const compiled = new Map<string, Promise<WebAssembly.Module>>()

/**
 * The binary that a file needs. The smaller one is fetched while the file is still on its way: it is all that most files
 * need, but for layers on bytes and for training.
 */
export async function kernelsFor(
  file: Promise<{ readonly header: Pick<Header, 'kernels' | 'constants'> }>,
  threads: boolean
): Promise<WebAssembly.Module> {
  const early = compileKernels({ threads })
  early.catch(() => undefined)
  const { header } = await file
  const module = await early
  const has = exportsOf(module)
  const suffices = header.kernels.every(({ name }) => has(name)) && !header.constants.some(({ kept }) => kept === 'i8')
  if (!suffices) return compileKernels({ threads, more: true })
  const { binary, wide = /revec/.test(`${globalThis.process?.execArgv}`) && 'auto' } = env.wasm
  if (!wide || binary === 'simd') return module
  widening = await import('./wide.js')
  return widening.widest(module, wide, () => compileKernels({ threads, wide: true }))
}

/** The best binary that the engine takes, or the one that `env` asks for; throws Unavailable where there is none. */
export async function compileKernels(needs: Needs): Promise<WebAssembly.Module> {
  if (typeof WebAssembly === 'undefined') throw new Unavailable('this engine has no WebAssembly')
  const place = placeOf(needs)
  if (typeof place !== 'string') return suited(place, needs)
  const key = `${needs.threads} ${place}`
  const known = compiled.get(key)
  if (known) return known
  refuseForbidden()
  const module = held(load(place, needs.threads)).catch(error => {
    compiled.delete(key)
    throw new Unavailable(
      `cannot load ${place}: ${(error as Error).message}; copy it there from dist/runtime of the package, or say in env.wasm.wasmPaths where it is`
    )
  })
  compiled.set(key, module)
  return module
}

/** Told before anything is fetched: policies of pages and some engines let programs compile no WebAssembly. */
function refuseForbidden(): void {
  try {
    new WebAssembly.Module(smallest)
  } catch (error) {
    throw new Unavailable(
      `WebAssembly may not be compiled here (${(error as Error).message}); env.wasm.wasmPaths takes a WebAssembly.Module`
    )
  }
}

function placeOf(needs: Needs): string | WebAssembly.Module {
  const { wasmPaths } = env.wasm
  if (isModule(wasmPaths)) return wasmPaths as WebAssembly.Module
  const file = fileFor(needs)
  if (typeof wasmPaths === 'string') return `${wasmPaths.replace(/\/?$/, '/')}${file}`
  const place = (wasmPaths as Partial<Record<WasmFile, WasmPlace>> | undefined)?.[file] ?? beside(file, places[file])
  if (place === undefined)
    throw new Unavailable(
      `this engine does not know where ${file} is; env.wasm.wasmPaths takes it as a WebAssembly.Module`
    )
  return isModule(place) ? (place as WebAssembly.Module) : String(place)
}

const isModule = (value: unknown) => brandOf(value) === 'WebAssembly.Module'

const exportsOf = (module: WebAssembly.Module) => {
  const names = new Set(WebAssembly.Module.exports(module).map(({ name }) => name))
  return (name: string) => names.has(name)
}

/** A module that was given, if it is one of Cairn's, and with all kernels where these are needed. It is for one thread. */
function suited(module: WebAssembly.Module, needs: Needs): WebAssembly.Module {
  const has = exportsOf(module)
  const { threads, more } = needs
  const hasMore = has('gemm8')
  if (has('digest') && !threads && (hasMore || !more)) return module
  const found = !has('digest') ? 'none of Cairn' : more && !hasMore ? 'one without int8 or training' : 'for one thread'
  const wanted = `${fileFor(needs)}${threads ? ', as a URL or a path,' : ''}`
  throw new Unavailable(`the WebAssembly.Module of env.wasm.wasmPaths is ${found}; ${wanted} is needed`)
}

/** Node's fetch does not read files; a place without a scheme is a path there, and relative to the page in a browser. */
async function load(place: string, threads: boolean): Promise<WebAssembly.Module> {
  const files = globalThis.process?.getBuiltinModule?.('node:fs')
  if (files && !/^(https?|data|blob):/.test(place))
    return compiledFrom(await files.promises.readFile(place.startsWith('file:') ? new URL(place) : place), threads)
  const response = await fetch(place)
  if (!response.ok) throw new Error(`status ${response.status}`)
  // Engines compile while they download, but only from servers that know the type.
  if (!threads && response.headers.get('content-type') === 'application/wasm')
    return WebAssembly.compileStreaming(response)
  return compiledFrom(new Uint8Array(await response.arrayBuffer()), threads)
}

async function compiledFrom(bytes: Uint8Array<ArrayBuffer>, threads: boolean): Promise<WebAssembly.Module> {
  const other = standIn(bytes)
  if (other) throw new Error(`it is ${other}`)
  // As runtime/inline.ts has it.
  if (bytes[0] === 0x1f) {
    const unpacked = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('gzip'))
    return compiledFrom(new Uint8Array(await new Response(unpacked).arrayBuffer()), threads)
  }
  return WebAssembly.compile(threads ? (await import('./shared.js')).shared(bytes) : bytes)
}

/** At once, but for a window's thread: there some browsers take large modules only in the background. */
export async function instantiate(
  module: WebAssembly.Module,
  memory: WebAssembly.Memory
): Promise<WebAssembly.Instance> {
  const imports = { env: { memory } }
  try {
    if (typeof document === 'undefined') return new WebAssembly.Instance(module, imports)
    return await held(WebAssembly.instantiate(module, imports))
  } catch (error) {
    throw new Unavailable(`the kernels do not start: ${(error as Error).message}`)
  }
}
