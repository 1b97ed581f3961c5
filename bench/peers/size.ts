import { readdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { build } from 'esbuild'
import type { EngineName } from '../../cli/measure/index.js'

/** What a page downloads before its first model: gzipped at level 9, file by file. */
export interface Download {
  readonly engine: EngineName
  readonly files: readonly { readonly name: string; readonly bytes: number; readonly gzipped: number }[]
  readonly bytes: number
  readonly gzipped: number
}

const require = createRequire(import.meta.url)
const root = fileURLToPath(new URL('../../../', import.meta.url))

function downloadOf(engine: EngineName, files: readonly (readonly [string, Uint8Array])[]): Download {
  const listed = files.map(([name, data]) => ({
    name,
    bytes: data.length,
    gzipped: gzipSync(data, { level: 9 }).length
  }))
  const sum = (key: 'bytes' | 'gzipped') => listed.reduce((total, file) => total + file[key], 0)
  return { engine, files: listed, bytes: sum('bytes'), gzipped: sum('gzipped') }
}

/**
 * What a page of the CPU path loads: the runtime's JavaScript minified, without the part that only WebGPU asks for, and the
 * largest of the binaries for networks in floats, of which a browser loads one.
 */
async function cairn(): Promise<Download> {
  const runtime = join(root, 'dist', 'runtime')
  const { outputFiles, metafile } = await build({
    entryPoints: [join(runtime, 'index.js')],
    bundle: true,
    minify: true,
    format: 'esm',
    target: 'es2022',
    splitting: true,
    outdir: runtime,
    metafile: true,
    write: false
  })
  const loaded = new Set<string>()
  const follow = (path: string) => {
    loaded.add(path)
    for (const { path: next, kind } of metafile.outputs[path].imports)
      if (kind === 'import-statement' && !loaded.has(next)) follow(next)
  }
  follow(Object.keys(metafile.outputs).find(path => metafile.outputs[path].entryPoint?.endsWith('index.js'))!)
  const scripts = outputFiles.filter(({ path }) => [...loaded].some(name => path.endsWith(name)))
  const binaries = readdirSync(runtime)
    .filter(name => name.endsWith('.wasm') && !name.includes('-more'))
    .map(name => [name, readFileSync(join(runtime, name))] as const)
  const largest = binaries.reduce((a, b) => (b[1].length > a[1].length ? b : a))
  const named = scripts.map(({ contents }, i) => [`runtime, minified, ${i + 1}`, contents] as const)
  return downloadOf('cairn', [...named, largest])
}

function fromPackages(engine: EngineName, files: readonly (readonly [string, string])[]): Download {
  return downloadOf(
    engine,
    files.map(([name, file]) => [file, readFileSync(join(dirname(require.resolve(name)), file))] as const)
  )
}

/** Cairn, onnxruntime-web's bundle for WebAssembly alone, and TensorFlow.js with its WebAssembly backend. */
export async function downloads(): Promise<Download[]> {
  return [
    await cairn(),
    fromPackages('ort-web', [
      ['onnxruntime-web', 'ort.wasm.bundle.min.mjs'],
      ['onnxruntime-web', 'ort-wasm-simd-threaded.wasm']
    ]),
    fromPackages('tfjs', [
      ['@tensorflow/tfjs-core', 'tf-core.min.js'],
      ['@tensorflow/tfjs-backend-wasm', 'tf-backend-wasm.min.js'],
      ['@tensorflow/tfjs-backend-wasm', 'tfjs-backend-wasm-simd.wasm']
    ])
  ]
}
