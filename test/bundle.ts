// What a bundler makes of the runtime: nothing of Node's in it, nothing that is not used, and little of it.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { build } from 'esbuild'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { root } from './support/root.js'

const test = suite('bundle')

/** What a page downloads, in bytes gzipped: JavaScript and one binary, and for the GPU JavaScript and shaders. */
const limit = 80 * 1024
const limitOnGpu = 60 * 1024

/** A minified bundle of `script`, which imports by the package's name. */
async function bundle(script: string): Promise<string> {
  const { outputFiles, warnings, metafile } = await build({
    stdin: { contents: script, resolveDir: root },
    bundle: true,
    minify: true,
    platform: 'browser',
    format: 'esm',
    target: 'es2022',
    write: false,
    metafile: true,
    logLevel: 'silent'
  })
  assert.equal(warnings, [])
  for (const { imports } of Object.values(metafile.outputs)) assert.equal(imports, [])
  return outputFiles[0].text
}

const gzipped = (data: string | Uint8Array) => gzipSync(data, { level: 9 }).length
const using = (...names: string[]) => `import { ${names} } from 'cairn'; console.log(${names})`
const kib = (bytes: number) => `${(bytes / 1024).toFixed(1)} KiB`

test('a page downloads little', async () => {
  const session = gzipped(await bundle(using('InferenceSession')))
  const everything = gzipped(await bundle(`export * from 'cairn'`))
  const folder = join(root, 'dist', 'runtime')
  const binaries = readdirSync(folder).filter(name => name.endsWith('.wasm'))
  assert.is(binaries.length, 4)
  const binary = Math.max(...binaries.map(name => gzipped(readFileSync(join(folder, name)))))
  console.log(`InferenceSession ${kib(session)}, all ${kib(everything)}, a binary ${kib(binary)}`)
  assert.ok(session < everything)
  assert.ok(everything + binary <= limit, `${everything + binary} bytes`)
  assert.ok(everything <= limitOnGpu, `${everything} bytes`)
})

for (const entry of [
  `export * from 'cairn'`,
  `import './dist/runtime/worker.js'`,
  `import './dist/runtime/session-worker.js'`
])
  test(`nothing of Node's in a bundle of ${entry}`, async () => {
    const text = await bundle(entry)
    assert.ok(text.length > 500)
    // Node's modules are asked for at run time, of a function that browsers do not have.
    assert.not.match(text.replace(/getBuiltinModule\?\.\("node:\w+"\)/g, ''), /["'`]node:/)
    assert.not.match(text, /\brequire\(|\beval\(|\bFunction\(|createObjectURL/)
  })

test('what is not used is left out', async () => {
  const [session, parallel, tensor, top] = await Promise.all(
    ['InferenceSession', 'ParallelSession', 'Tensor', 'topK'].map(name => bundle(using(name)))
  )
  assert.match(session, /cairn-relaxed\.wasm/)
  assert.not.match(session, /session-worker\.js/)
  assert.match(parallel, /session-worker\.js/)
  assert.ok(tensor.length < session.length / 4, `Tensor alone takes ${tensor.length} of ${session.length} bytes`)
  assert.ok(top.length < session.length / 20, `topK alone takes ${top.length} of ${session.length} bytes`)
  for (const text of [tensor, top]) assert.not.match(text, /\.wasm|new Worker/)
})

test.run()
