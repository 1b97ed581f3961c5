// The runtime in pages of Chromium: with threads and without, in workers, under a strict policy, from the network, bundled.
import { copyFileSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { build as esbuild } from 'esbuild'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { build as vite } from 'vite'
import { env, InferenceSession, ParallelSession } from '../../runtime/index.js'
import {
  devices,
  isolation,
  missingInPage,
  numbersOfPlain,
  type PageDevice,
  plainOf,
  runtime,
  TestPage
} from '../support/browser/page.js'
import type { Plain, Ran, Report, Task } from '../support/browser/scripts/perform.js'
import type { Answer } from '../support/browser/serve.js'
import { compileModel, tensorsOf } from '../support/cairn.js'
import { manyKernels } from '../support/cases/many-kernels.js'
import { assertClose, sameBits } from '../support/compare.js'
import { ModelBuilder } from '../support/onnx/model.js'
import { type Named, randomFeeds } from '../support/onnx/oracle.js'
import { baseSeed, Random } from '../support/random.js'
import { root } from '../support/root.js'
import { skip } from '../support/skip.js'

const random = new Random('browser')
const strict = {
  'content-security-policy': "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'"
}
const settings = [
  { name: 'an isolated page', headers: isolation, isolated: true },
  { name: 'a page without isolation', headers: {}, isolated: false },
  { name: 'an isolated page with a strict policy', headers: { ...isolation, ...strict }, isolated: true },
  { name: 'a page with a strict policy', headers: strict, isolated: false }
]

/** A few kernels whose shaders compile quickly: SwiftShader takes seconds for each of the dense ones, in every page anew. */
function fewShaders(): ModelBuilder {
  const m = new ModelBuilder(random)
  const x = m.input(['N', 6, 'H', 'W'])
  const pooled = m.add('MaxPool', [m.add('Sigmoid', [x])], { kernel_shape: [3, 3], pads: [1, 1, 1, 1] })
  return m.output(m.add('Mul', [pooled, m.weights([6, 1, 1])]), m.add('ReduceMean', [pooled], { axes: [2, 3] }))
}

const builders: Readonly<Record<PageDevice, ModelBuilder>> = { wasm: manyKernels(random), webgpu: fewShaders() }

/** What runs in all places: a model with maps that threads divide, and two sizes of them. */
function subjectFor(device: PageDevice): { readonly file: Uint8Array<ArrayBuffer>; readonly feeds: readonly Named[] } {
  const model = builders[device]
  const sizes = [
    { N: 2, H: 24, W: 40 },
    { N: 1, H: 33, W: 17 }
  ]
  const feeds = sizes.map(bindings => randomFeeds(model.inputs, random, bindings))
  return { file: new Uint8Array(compileModel(model.encode())), feeds }
}

/** What Node's CPU path computes, with the instructions that every engine has. */
async function inNode(bytes: Uint8Array, feeds: readonly Named[]): Promise<Plain[]> {
  const session = await InferenceSession.create(bytes)
  const results: Plain[] = []
  for (const feed of feeds) results.push({ ...(await session.run(tensorsOf(feed))) })
  await session.release()
  return results
}

/** The same bits from kernels of the same instructions, and nearly the same numbers from others. */
function assertSame(device: PageDevice, actual: readonly Plain[], expected: readonly Plain[], exact = true): void {
  assert.is(actual.length, expected.length)
  actual.forEach((outputs, run) => {
    if (device !== 'wasm' || !exact) return void assertClose(numbersOfPlain(outputs), numbersOfPlain(expected[run]))
    assert.equal(Object.keys(outputs), Object.keys(expected[run]))
    for (const [name, { type, dims, data }] of Object.entries(outputs)) {
      assert.equal([type, dims], [expected[run][name].type, [...expected[run][name].dims]])
      assert.ok(sameBits(data, expected[run][name].data), `run ${run}: "${name}" is not what Node computes`)
    }
  })
}

function ranOf(report: Report, index = 0): Ran {
  const result = report.results[index]
  if ('error' in result) throw new Error(result.error)
  return result
}

/** Opens a page, and sees to it that it has nothing to complain of and asks nobody but its server. */
async function inPage(
  headers: Readonly<Record<string, string>>,
  use: (page: TestPage) => Promise<void>,
  folders: Readonly<Record<string, string>> = {}
): Promise<void> {
  const page = await TestPage.open(headers, folders)
  try {
    await use(page)
    assert.equal(page.opened.errors, [])
    assert.equal(page.opened.strangers, [])
  } finally {
    await page.close()
  }
}

const taskOf = (device: PageDevice, models: Task['models'], more: Partial<Task> = {}): Task => ({
  runtime,
  device,
  models,
  binary: 'simd',
  ...more
})

function placesOf(device: PageDevice): void {
  const test = suite(`browser, ${device} (seed ${baseSeed})`)
  const { file, feeds } = subjectFor(device)
  let expected: Plain[]
  test.before(async () => {
    env.wasm.binary = 'simd'
    expected = await inNode(file, feeds)
  })

  for (const { name, headers, isolated } of settings)
    for (const where of ['page', 'worker'] as const)
      test(where === 'page' ? name : `a worker of ${name}`, () =>
        inPage(headers, async page => {
          for (const numThreads of device === 'wasm' ? [1, 3] : [1]) {
            const report = await page.perform(
              taskOf(device, [{ file, feeds: feeds.map(plainOf) }], { numThreads }),
              where
            )
            assert.is(report.isolated, isolated)
            const ran = ranOf(report)
            assert.is(ran.device, device)
            assert.is(ran.threads, isolated ? numThreads : 1)
            assertSame(device, ran.outputs, expected)
          }
        })
      )

  if (device === 'webgpu')
    test('a compute shader', () =>
      inPage(isolation, async page => {
        const [rows, columns] = [random.int(3, 20), random.int(65, 200)]
        const x = random.ints(rows * columns, [-40, 40])
        const expected = Array.from({ length: rows }, (_, row) =>
          x.slice(row * columns, (row + 1) * columns).reduce((a, b) => a + b, 0)
        )
        assert.equal(await page.call('sum', x, rows), expected)
      }))

  test('a file from the network, which the kernels do not wait for', async () => {
    const m = new ModelBuilder(random)
    const x = m.input(['N', 3, 400, 500])
    const sum = m.add('Add', [m.add('Mul', [x, m.weights([3, 400, 500])]), m.weights([3, 400, 500])])
    const bytes = compileModel(m.output(m.add('MaxPool', [sum], { kernel_shape: [5, 5], strides: [5, 5] })).encode())
    const feed = randomFeeds(m.inputs, random, { N: 3 })
    const [output] = await inNode(bytes, [feed])
    await inPage(isolation, async page => {
      for (const asResponse of [false, true]) {
        page.site.files.set('/model.cairn', slowly(bytes, page.site.asked))
        const models = [{ file: '/model.cairn', asResponse, feeds: [plainOf(feed)] }]
        const ran = ranOf(await page.perform(taskOf(device, models, { binary: undefined })))
        assertSame(device, ran.outputs, [output], false)
        const loaded = ran.progress.map(([loaded]) => loaded)
        assert.ok(loaded.length > 3, `${loaded.length} reports of progress`)
        assert.equal(
          loaded,
          [...new Set(loaded)].sort((a, b) => a - b)
        )
        assert.is(loaded.at(-1), bytes.length)
        assert.ok(ran.progress.every(([, total]) => total === bytes.length))
      }
    })
  })
  test.run()
}

/** Sends a file in parts, the second one only when the runtime has asked for its kernels. */
function slowly(bytes: Uint8Array, asked: readonly string[]): Answer {
  return async (_, response) => {
    response.writeHead(200, { 'content-length': bytes.length })
    const part = Math.ceil(bytes.length / 8)
    const began = Date.now()
    for (let at = 0; at < bytes.length; at += part) {
      response.write(bytes.subarray(at, at + part))
      do await new Promise(resolve => setTimeout(resolve, 10))
      while (!asked.some(isKernels) && Date.now() - began < 30_000)
      if (!asked.some(isKernels)) return response.destroy()
    }
    response.end()
  }
}

const isKernels = (path: string) => /\.wasm$|\/shaders\/sources\.js$/.test(path)

function cpuPath(): void {
  const test = suite(`browser, the CPU path (seed ${baseSeed})`)
  test.before(() => {
    env.wasm.binary = 'simd'
  })

  test('a page loads one binary, and compiles it while it arrives', () =>
    inPage(isolation, async page => {
      await page.opened.page.evaluate(() => {
        const own = WebAssembly.compileStreaming
        WebAssembly.compileStreaming = source => {
          document.title = `streamed ${document.title}`
          return own(source)
        }
      })
      const { file, feeds } = subjectFor('wasm')
      const models = [{ file, feeds: feeds.map(plainOf) }]
      const ran = ranOf(await page.perform(taskOf('wasm', models, { binary: undefined })))
      assertSame('wasm', ran.outputs, await inNode(file, feeds), false)
      assert.is(await page.opened.page.title(), 'streamed Cairn')
      assert.equal(page.site.asked.filter(isKernels), ['/dist/runtime/cairn-relaxed.wasm'])
    }))

  test('what the server does not have is an error that names it', async () => {
    const page = await TestPage.open()
    const report = await page.perform(taskOf('wasm', [{ file: '/none.cairn', feeds: [] }]))
    assert.match((report.results[0] as { error: string }).error, /^CairnError: .*none\.cairn.*404/)
    await page.close()
  })

  for (const { name, headers } of settings)
    test(`a parallel session in ${name}`, () =>
      inPage(headers, async page => {
        const m = new ModelBuilder(random)
        const conv = m.add('Conv', [m.input(['N', 3, 20, 'W']), m.weights([9, 3, 3, 3])])
        const bytes = new Uint8Array(compileModel(m.output(m.add('GlobalAveragePool', [conv]), conv).encode()))
        const feed = randomFeeds(m.inputs, random, { N: 5, W: 21 })
        const session = await ParallelSession.create(bytes, { workers: 2 })
        const expected = { ...(await session.run(tensorsOf(feed))) }
        await session.release()
        const models = [{ file: bytes, feeds: [plainOf(feed)] }]
        assertSame('wasm', ranOf(await page.perform(taskOf('wasm', models, { workers: 2 }))).outputs, [expected])
      }))

  for (const [bundler, bundle] of Object.entries({ esbuild: withEsbuild, Vite: withVite }))
    test(`runtime and compiler bundled by ${bundler}, under a strict policy`, async () => {
      const folder = mkdtempSync(join(tmpdir(), 'cairn-'))
      try {
        const entry = await bundle(folder)
        await inPage({ ...isolation, ...strict }, page => fromBundle(page, `/bundle/${entry}`), { '/bundle/': folder })
      } finally {
        rmSync(folder, { recursive: true })
      }
    })
  test.run()
}

const everything = `export * from 'cairnjs'; export * from 'cairnjs/compiler'`

/** As docs/node.md says: the .wasm files beside the bundle, and the workers bundled there. */
async function withEsbuild(folder: string): Promise<string> {
  const entries = {
    'cairn.js': everything,
    'worker.js': `import './dist/runtime/worker.js'`,
    'session-worker.js': `import './dist/runtime/session-worker.js'`
  }
  for (const [name, contents] of Object.entries(entries))
    await esbuild({
      stdin: { contents, resolveDir: root },
      bundle: true,
      minify: true,
      format: 'esm',
      outfile: join(folder, name)
    })
  const runtime = join(root, 'dist', 'runtime')
  for (const name of readdirSync(runtime))
    if (name.endsWith('.wasm')) copyFileSync(join(runtime, name), join(folder, name))
  return 'cairn.js'
}

/** Finds everything by itself. */
async function withVite(folder: string): Promise<string> {
  writeFileSync(join(folder, 'entry.js'), everything)
  const dist = join(root, 'dist')
  const alias = { 'cairnjs/compiler': join(dist, 'compiler', 'index.js'), cairnjs: join(dist, 'runtime', 'index.js') }
  await vite({
    root: folder,
    configFile: false,
    logLevel: 'error',
    base: '/bundle/',
    resolve: { alias },
    build: {
      outDir: folder,
      emptyOutDir: false,
      rolldownOptions: { input: join(folder, 'entry.js'), preserveEntrySignatures: 'strict' }
    }
  })
  return `assets/${readdirSync(join(folder, 'assets')).find(name => /^entry-.*\.js$/.test(name))}`
}

/** ONNX in, threads and a parallel session: all that a bundle may have lost on the way. */
async function fromBundle(page: TestPage, bundle: string): Promise<void> {
  const m = new ModelBuilder(random)
  const conv = m.add('Conv', [m.input(['N', 5, 30, 30]), m.weights([7, 5, 3, 3])])
  const onnx = new Uint8Array(m.output(m.add('Relu', [conv])).encode())
  const feed = randomFeeds(m.inputs, random, { N: 2 })
  const [expected] = await inNode(compileModel(onnx), [feed])
  for (const more of [{ numThreads: 2 }, { workers: 2 }]) {
    const models = [{ file: more.workers ? new Uint8Array(compileModel(onnx)) : onnx, feeds: [plainOf(feed)] }]
    const ran = ranOf(await page.perform(taskOf('wasm', models, { runtime: bundle, ...more })))
    assert.is(ran.threads, more.numThreads ?? 1)
    assertSame('wasm', ran.outputs, [expected], !more.workers)
  }
  assert.ok(page.site.asked.filter(path => path.startsWith('/bundle/')).length >= 4)
  assert.not.ok(
    page.site.asked.some(
      path => /^\/dist\/runtime\/(index|\S*worker)\.js|\.wasm$/.test(path) && !path.startsWith('/bundle/')
    )
  )
}

for (const device of devices) {
  const reason = await missingInPage(device)
  if (reason) skip(`${device} in pages`, reason)
  else placesOf(device)
}
const reason = await missingInPage('wasm')
if (reason) skip('the CPU path in pages', reason)
else cpuPath()
