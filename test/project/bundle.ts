// What a bundler makes of the runtime: nothing of Node's in it, nothing that is not used, and little of it.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { build, type Plugin } from 'esbuild'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { compileModel } from '../support/cairn.js'
import { ModelBuilder } from '../support/onnx/model.js'
import { Random } from '../support/random.js'
import { root } from '../support/root.js'

const test = suite('bundle')

/** What a page downloads, in bytes gzipped: on the CPU a sixtieth of onnxruntime-web 1.30's 3,676,078, on the GPU little more. */
const limit = 61_267
const limitOnGpu = 65_536

/** A minified bundle of `script`, which imports by the package's name; with `later` without what is loaded only when it is asked for. */
async function bundle(script: string, later?: (path: string) => boolean) {
  const apart: Plugin = {
    name: 'apart',
    setup: ({ onResolve }) =>
      onResolve({ filter: /./ }, ({ kind, path }) =>
        kind === 'dynamic-import' && later?.(path) ? { path, external: true } : undefined
      )
  }
  const { outputFiles, warnings, metafile } = await build({
    stdin: { contents: script, resolveDir: root },
    bundle: true,
    minify: true,
    platform: 'browser',
    format: 'esm',
    target: 'es2022',
    write: false,
    metafile: true,
    logLevel: 'silent',
    plugins: [apart]
  })
  assert.equal(warnings, [])
  for (const { imports } of Object.values(metafile.outputs))
    for (const { kind, path } of imports) assert.ok(kind === 'dynamic-import' && later?.(path), path)
  return outputFiles
}

const gzipped = (data: string | Uint8Array) => gzipSync(data, { level: 9 }).length
const using = (...names: string[]) => `import { ${names} } from 'cairnjs'; console.log(${names})`
const kib = (bytes: number) => `${(bytes / 1024).toFixed(1)} KiB`

test('a page downloads little', async () => {
  // Apart are self-checks, times by call, the trial of devices, and what is Node's alone.
  const sizeOf = async (...args: Parameters<typeof bundle>) => gzipped((await bundle(...args))[0].text)
  const session = await sizeOf(using('InferenceSession'), () => true)
  const onGpu = await sizeOf(using('InferenceSession'), path => !path.includes('webgpu/webgpu'))
  const everything = await sizeOf(`export * from 'cairnjs'`)
  const folder = join(root, 'dist', 'runtime')
  const binaries = readdirSync(folder).filter(name => name.endsWith('.wasm'))
  assert.is(binaries.length, 5)
  const largest = (names: string[]) => Math.max(...names.map(name => gzipped(readFileSync(join(folder, name)))))
  const hasMore = (name: string) => name.includes('-more') || name.includes('-wide')
  const binary = largest(binaries.filter(name => !hasMore(name)))
  const binaryOfMore = largest(binaries.filter(hasMore))
  console.log(
    `on the CPU ${kib(session)}, with WebGPU ${kib(onGpu)}, all ${kib(everything)}, a binary ${kib(binary)}, for quantised models and training ${kib(binaryOfMore)}`
  )
  assert.ok(session < onGpu && onGpu < everything)
  assert.ok(session + binary <= limit, `${session + binary} bytes`)
  assert.ok(onGpu <= limitOnGpu, `${onGpu} bytes`)
})

for (const entry of [
  `export * from 'cairnjs'`,
  `import './dist/runtime/worker.js'`,
  `import './dist/runtime/session-worker.js'`
])
  test(`nothing of Node's in a bundle of ${entry}`, async () => {
    const [{ text }] = await bundle(entry)
    assert.ok(text.length > 500)
    // Node's modules are asked for at run time, of a function that browsers do not have.
    assert.not.match(text.replace(/getBuiltinModule\?\.\("node:\w+"\)/g, ''), /["'`]node:/)
    assert.not.match(text, /\brequire\(|\beval\(|\bFunction\(|createObjectURL/)
  })

test('what is not used is left out', async () => {
  const [session, parallel, tensor, top] = await Promise.all(
    ['InferenceSession', 'ParallelSession', 'Tensor', 'topK'].map(async name => (await bundle(using(name)))[0].text)
  )
  assert.match(session, /cairn-relaxed\.wasm/)
  assert.not.match(session, /session-worker\.js/)
  assert.match(parallel, /session-worker\.js/)
  assert.ok(tensor.length < session.length / 4, `Tensor alone takes ${tensor.length} of ${session.length} bytes`)
  assert.ok(top.length < session.length / 20, `topK alone takes ${top.length} of ${session.length} bytes`)
  for (const text of [tensor, top]) assert.not.match(text, /\.wasm|new Worker/)
})

test('with the kernels inside nothing lies beside a bundle', async () => {
  const [{ text }] = await bundle(`import 'cairnjs/inline'
import { InferenceSession } from 'cairnjs'
globalThis.InferenceSession = InferenceSession`)
  await import(`data:text/javascript,${encodeURIComponent(text)}`)
  const { InferenceSession } = globalThis as unknown as typeof import('../../runtime/index.js')
  const m = new ModelBuilder(new Random('bundle'))
  m.output(m.add('Relu', [m.input([2])]))
  const { device, threads } = await InferenceSession.create(compileModel(m.encode()))
  assert.equal([device, threads], ['wasm', 1])
})

test('training alone brings the CPU path that it runs on', async () => {
  const [{ text }] = await bundle(`import { Trainer } from 'cairnjs/train'; console.log(Trainer)`)
  assert.match(text, /cairn-relaxed\.wasm/)
})

test.run()
