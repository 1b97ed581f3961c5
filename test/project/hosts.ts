// Where programs really run: Node's older versions, whose empty event loop can wait for ever, bundles for Node, and
// Cloudflare's workerd, which compiles no WebAssembly.
import { execFile } from 'node:child_process'
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { build as esbuild } from 'esbuild'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { InferenceSession } from '../../runtime/index.js'
import { compileModel, numbersOfTensors, tensorsOf } from '../support/cairn.js'
import { assertClose } from '../support/compare.js'
import { ModelBuilder } from '../support/onnx/model.js'
import { randomFeeds } from '../support/onnx/oracle.js'
import { baseSeed, Random } from '../support/random.js'
import { root } from '../support/root.js'

const test = suite(`hosts (seed ${baseSeed})`)
const random = new Random('hosts')
const model = new ModelBuilder(random)
const x = model.input(['N', 3, 'H', 'W'], 'float32', [-1, 1], 'x')
const y = model.add('Relu', [model.add('Conv', [x, model.weights([4, 3, 3, 3])], { pads: [1, 1, 1, 1] })])
model.output(y)
const file = compileModel(model.encode())
const folder = mkdtempSync(join(tmpdir(), 'cairn-hosts-'))
const path = join(folder, 'model.cairn')
writeFileSync(path, file)

/** What a program prints that has to end, by itself, within the minutes that a busy machine may take. */
const printed = async (script: string, ...args: string[]) =>
  (await promisify(execFile)(process.execPath, [script, ...args], { timeout: 240_000, killSignal: 'SIGKILL' })).stdout

const cycles = join(root, 'dist', 'test', 'project', 'engine', 'cycles.js')
for (const [kind, count, size, runs] of [
  ['single', 100, 256, 4],
  ['threads', 15, 32, 1],
  ['parallel', 4, 32, 1]
] as const)
  test(`${count} sessions one after the other, ${kind}, by a program that only awaits`, async () => {
    for (let run = 0; run < runs; run++)
      assert.is(await printed(cycles, path, kind, String(count), String(size)), String(count))
  })

const feeds = randomFeeds(model.inputs, random, { N: 2, H: 9, W: 8 })
const data = Array.from(feeds.x.data)

async function assertRight(outputs: readonly (readonly number[])[]): Promise<void> {
  const session = await InferenceSession.create(file)
  const expected = numbersOfTensors(await session.run(tensorsOf(feeds)))
  for (const data of outputs) assertClose({ [y]: { ...expected[y], data } }, expected)
  await session.release()
}

/** Threads and a parallel session, told as JSON on standard output. */
const program = `
  import { InferenceSession, ParallelSession, Tensor } from 'cairnjs'
  const main = async () => {
    const x = new Tensor('float32', Float32Array.from(${JSON.stringify(data)}), [2, 3, 9, 8])
    const session = await InferenceSession.create(${JSON.stringify(path)}, { numThreads: 2 })
    const pool = await ParallelSession.create(${JSON.stringify(path)}, { workers: 2 })
    const results = [await session.run({ x }), await pool.run({ x })]
    const { threads } = session
    await Promise.all([session.release(), pool.release()])
    console.log(JSON.stringify({ threads, outputs: results.map(({ ${y}: y }) => [...y.data]) }))
  }
  main().catch(error => console.log(JSON.stringify({ error: error.message })))`

/** A folder whose plain scripts are CommonJS, as a program's that says nothing, with the package in reach. */
function place(name: string): string {
  const own = join(folder, name)
  mkdirSync(join(own, 'node_modules'), { recursive: true })
  writeFileSync(join(own, 'package.json'), '{}')
  writeFileSync(join(own, 'program.js'), program)
  symlinkSync(root, join(own, 'node_modules', 'cairnjs'), 'junction')
  return own
}

async function assertRuns(script: string): Promise<void> {
  const { threads, outputs, error } = JSON.parse(await printed(script))
  assert.is(error, undefined)
  assert.is(threads, 2)
  await assertRight(outputs)
}

for (const format of ['cjs', 'esm'] as const)
  test(`an esbuild bundle for Node, ${format}: says what to copy, and runs with it`, async () => {
    const own = place(format)
    const outfile = join(own, 'out', format === 'cjs' ? 'bundle.cjs' : 'bundle.mjs')
    const options = { bundle: true, platform: 'node', format, logLevel: 'error' } as const
    await esbuild({ ...options, entryPoints: [join(own, 'program.js')], outfile })
    assert.match(await printed(outfile), /cairn\S*\.wasm: ENOENT.*; copy it there from dist\/runtime of the package/)
    const runtime = join(root, 'dist', 'runtime')
    const copy = (names: RegExp) => {
      for (const name of readdirSync(runtime).filter(name => names.test(name)))
        copyFileSync(join(runtime, name), join(own, 'out', name))
    }
    copy(/\.wasm$/)
    assert.match(await printed(outfile), /there is no \S*[/\\]out[/\\]worker\.js; copy it there from dist\/runtime/)
    copy(/^(session-)?worker\.js$/)
    await assertRuns(outfile)
  })

test('a webpack bundle for Node finds everything by itself', async () => {
  const own = place('webpack')
  const { default: webpack } = await import('webpack')
  const output = { path: join(own, 'out'), filename: 'bundle.js' }
  const compiler = webpack({
    context: own,
    target: 'node',
    mode: 'development',
    devtool: false,
    entry: './program.js',
    output
  })!
  const stats = await promisify(compiler.run.bind(compiler))()
  assert.equal(stats!.toJson({ all: false, errors: true, warnings: true }).errors, [])
  await promisify(compiler.close.bind(compiler))()
  await assertRuns(join(own, 'out', 'bundle.js'))
})

/** docs/node.md's, with a request that names what is tried. */
const worker = `
  import { env, InferenceSession, ParallelSession, Tensor } from 'cairnjs'
  import wasm from './cairn.wasm'
  import model from './model.cairn'
  const x = new Tensor('float32', Float32Array.from(${JSON.stringify(data)}), [2, 3, 9, 8])
  const settings = {
    module: [wasm, {}], map: [{ 'cairn.wasm': wasm }, {}], threads: [wasm, { numThreads: 4 }],
    auto: [wasm, { executionProviders: ['auto'] }], list: [wasm, { executionProviders: ['webgpu', 'wasm'] }],
    nothing: [undefined, {}], url: ['https://example.com/', {}]
  }
  const run = async (paths, options) => {
    env.wasm.wasmPaths = paths
    const session = await InferenceSession.create(model, options)
    const { ${y}: y } = await session.run({ x })
    return { device: session.device, threads: session.threads, output: [...y.data] }
  }
  const early = await run(wasm, {})
  export default {
    async fetch(request) {
      const name = new URL(request.url).pathname.slice(1)
      try {
        if (name === 'early') return Response.json(early)
        if (name === 'parallel') return Response.json(await ParallelSession.create(model))
        return Response.json(await run(...settings[name]))
      } catch (error) {
        return Response.json({ error: String(error) })
      }
    }
  }`

for (const [compatibilityDate, compatibilityFlags] of [
  ['2025-01-01', []],
  ['2026-04-01', ['nodejs_compat']]
] as const)
  test(`workerd as of ${[compatibilityDate, ...compatibilityFlags].join(' with ')}`, async () => {
    const external = ['*.wasm', '*.cairn', 'node:*']
    const options = { bundle: true, format: 'esm', external, write: false, logLevel: 'error' } as const
    const { outputFiles } = await esbuild({ ...options, stdin: { contents: worker, resolveDir: root } })
    const { Miniflare } = await import('miniflare')
    const host = new Miniflare({
      ...{ host: '127.0.0.1', compatibilityDate, compatibilityFlags: [...compatibilityFlags] },
      modules: [
        { type: 'ESModule', path: 'worker.js', contents: outputFiles[0].text },
        {
          type: 'CompiledWasm',
          path: 'cairn.wasm',
          contents: readFileSync(join(root, 'dist', 'runtime', 'cairn.wasm'))
        },
        { type: 'Data', path: 'model.cairn', contents: file }
      ]
    })
    try {
      const ask = async (name: string) =>
        (await (await host.dispatchFetch(`http://localhost/${name}`)).json()) as Record<string, never>
      for (const name of ['early', 'module', 'map', 'threads', 'auto', 'list']) {
        const { device, threads, output, error } = await ask(name)
        assert.equal([name, error, device, threads], [name, undefined, 'wasm', 1])
        await assertRight([output])
      }
      assert.match((await ask('nothing')).error, /wasm: .* env\.wasm\.wasmPaths takes it as a WebAssembly\.Module$/)
      assert.match((await ask('url')).error, /may not be compiled here \(.*disallowed.*\); env\.wasm\.wasmPaths takes/)
      assert.match((await ask('parallel')).error, /needs workers, which this host does not have/)
    } finally {
      await host.dispose()
    }
  })

test.after(() => rmSync(folder, { recursive: true }))
test.run()
