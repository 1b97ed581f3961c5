// Lists of providers: one that cannot be had here, for whatever reason, is passed over, and its reason told when none is
// left; what a provider has against the model is the model's, and stays an error.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type Backend, registerBackend } from '../../runtime/backend/backend.js'
import { CairnError, Unavailable } from '../../runtime/base/errors.js'
import { wasmBackend } from '../../runtime/cpu/wasm.js'
import { env, FormatError, InferenceSession } from '../../runtime/index.js'
import { compileModel, numbersOfTensors, tensorsOf } from '../support/cairn.js'
import { assertClose } from '../support/compare.js'
import { ModelBuilder } from '../support/onnx/model.js'
import { randomFeeds } from '../support/onnx/oracle.js'
import { baseSeed, Random } from '../support/random.js'
import { rejects } from '../support/rejects.js'
import { root } from '../support/root.js'

const test = suite(`providers (seed ${baseSeed})`)
const random = new Random('providers')
const model = new ModelBuilder(random)
model.output(model.add('Relu', [model.add('Conv', [model.input([1, 3, 9, 9]), model.weights([8, 3, 3, 3])])]))
const file = compileModel(model.encode())
const feeds = tensorsOf(randomFeeds(model.inputs, random, {}))

/** The CPU path under other names, each with something the matter. */
const refusing = (name: string, more: Partial<Backend>) => registerBackend({ ...wasmBackend, name, ...more })
refusing('unscripted', { missing: () => Promise.reject(new TypeError('import() is disallowed')) })
refusing('absent', { missing: async () => 'there is no adapter' })
refusing('late', { load: () => Promise.reject(new Unavailable('the GPU gives no device')) })
refusing('picky', { load: () => Promise.reject(new CairnError('it does not run training steps')) })
refusing('fine', {})
const create = (executionProviders: readonly string[], given: Parameters<typeof InferenceSession.create>[0] = file) =>
  InferenceSession.create(given, { executionProviders })

test.before.each(() => {
  env.wasm.wasmPaths = undefined
})

test('the first that can be had is taken, and the file is still whole for it', async () => {
  const plain = await create(['wasm'])
  const expected = numbersOfTensors(await plain.run(feeds))
  await plain.release()
  env.wasm.wasmPaths = undefined
  for (const given of [file, new Response(file.slice())]) {
    const session = await create(['unscripted', 'absent', 'late', 'fine'], given)
    assert.is(session.device, 'fine')
    assertClose(numbersOfTensors(await session.run(feeds)), expected, 0)
    await session.release()
  }
})

test('when none is left all reasons are told', async () => {
  const stalled = new Response(new ReadableStream())
  await rejects(() => create(['late', 'late'], stalled), /late: the GPU gives no device/)
  for (const entry of [5, {}, null])
    await rejects(() => create([entry as never]), /^executionProviders is a list of names/)
  await rejects(
    () => create(['unscripted', 'late', 'absent', 'nonsense']),
    /^no execution provider of \[unscripted, late, absent, nonsense\] is available; unscripted: import\(\) is disallowed; late: the GPU gives no device; absent: there is no adapter; nonsense: registered are /
  )
})

test('kernels that cannot be loaded are a provider that cannot be had', async () => {
  for (const [place, why] of [
    ['/nowhere', /cannot load \/nowhere\/cairn\S*\.wasm: ENOENT.*; copy it there from dist\/runtime of the package/],
    ['data:text/html,<html>/', /cannot load data:text\/html.*: it is an HTML page/],
    ['http://127.0.0.1:1', /cannot load http:\/\/127\.0\.0\.1:1\/cairn/]
  ] as const) {
    env.wasm.wasmPaths = place
    await rejects(() => create(['wasm', 'absent']), why)
    const session = await create(['wasm', 'late', 'reference'])
    assert.is(session.device, 'reference')
    await session.release()
  }
})

test('an engine that forbids compiling is told from one that lacks the file, and needs nothing compiled', async () => {
  const { Module, compile } = WebAssembly
  const bytes = readFileSync(join(root, 'dist', 'runtime', 'cairn.wasm'))
  const kernels = await compile(bytes)
  function forbidden(): never {
    throw new WebAssembly.CompileError('Wasm code generation disallowed by embedder')
  }
  WebAssembly.Module = Object.assign(forbidden, { exports: Module.exports }) as never
  WebAssembly.compile = forbidden as never
  try {
    env.wasm.wasmPaths = '/nowhere'
    await rejects(
      () => create(['wasm']),
      /wasm: WebAssembly may not be compiled here \(Wasm code generation disallowed by embedder\); env\.wasm\.wasmPaths takes a WebAssembly\.Module$/
    )
    for (const paths of [kernels, { 'cairn.wasm': kernels }]) {
      env.wasm.wasmPaths = paths
      const session = await create(['wasm'])
      await session.run(feeds)
      await session.release()
    }
    env.wasm.wasmPaths = kernels
    await rejects(
      () => InferenceSession.create(file, { numThreads: 2 }),
      /is for one thread; cairn\S*\.wasm, as a URL or a path, is needed/
    )
  } finally {
    Object.assign(WebAssembly, { Module, compile })
  }
  env.wasm.wasmPaths = await compile(Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0))
  await rejects(() => create(['wasm']), /is none of Cairn; cairn\S*\.wasm is needed/)
  env.wasm.wasmPaths = { 'cairn.wasm': `data:application/wasm;base64,${bytes.toString('base64')}` }
  const session = await InferenceSession.create(file, { numThreads: 2 })
  assert.is(session.threads, 2)
  await session.run(feeds)
  await session.release()
})

test('what is wrong with the model or a setting is no reason to take another provider', async () => {
  await rejects(() => create(['picky', 'fine']), /^it does not run training steps$/)
  const damaged = file.slice()
  damaged[damaged.length - 20] ^= 1
  await rejects(() => create(['wasm', 'fine'], damaged), /is damaged: its digest does not match/)
  await rejects(() => create(['late', 'fine'], file.slice(0, 9)), /too short to be a \.cairn file/, FormatError)
  env.wasm.binary = 'fast' as never
  await rejects(() => create(['wasm', 'fine']), /^env\.wasm\.binary is "fast"/)
  env.wasm.binary = undefined
})

test.run()
