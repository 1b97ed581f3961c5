// The stand-in on a page: models compile in a worker, are kept for the next visit, and run on WebGPU with buffers that stay there.
import { join } from 'node:path'
import { build } from 'esbuild'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { openPage, withoutChromium } from '../support/browser/chromium.js'
import { Site } from '../support/browser/serve.js'
import { assertClose } from '../support/compare.js'
import type { Named } from '../support/onnx/oracle.js'
import { sample } from '../support/ort/sample.js'
import { baseSeed, Random } from '../support/random.js'
import { root } from '../support/root.js'
import { skip } from '../support/skip.js'

const test = suite(`stand-in on pages (seed ${baseSeed})`)
const random = new Random('ort page')

const { model, input, feeds, expected } = await sample(random)
const [output] = Object.keys(expected)

const imports = { 'onnxruntime-common': '/common/dist/esm/index.js', 'cairnjs/ort': '/dist/ort/index.js' }
const script = `
import * as ort from 'cairnjs/ort'
const bytes = async name => (await fetch(name)).arrayBuffer()
ort.env.wasm.wasmPaths = 'https://cdn.invalid/'
globalThis.runOn = async (executionProviders, preferredOutputLocation) => {
  const session = await ort.InferenceSession.create('/model.onnx', { executionProviders, preferredOutputLocation })
  const input = new ort.Tensor('float32', new Float32Array(await bytes('/input.bin')), [1, 3, 9, 7])
  const { '${output}': result } = await session.run({ '${input}': input })
  const { location, dims } = result
  const data = [...(await result.getData(true))]
  await session.release()
  return { location, output: { dtype: 'float32', dims, data } }
}
globalThis.picture = async () => {
  const canvas = document.createElement('canvas')
  canvas.getContext('2d').fillRect(0, 0, 3, 2)
  const image = new Image()
  image.src = canvas.toDataURL()
  await image.decode()
  const tensor = await ort.Tensor.fromImage(image)
  return [tensor.dims, tensor.toDataURL().slice(0, 22), tensor.toImageData().width]
}
globalThis.ready = true
`

interface InPage {
  runOn(providers?: string[], location?: string): Promise<{ location: string; output: Named[string] }>
  picture(): Promise<unknown>
}

const noBrowser = await withoutChromium()

async function visit(body: (site: Site, open: () => ReturnType<typeof openPage>) => Promise<void>): Promise<void> {
  const site = await Site.open({
    folders: {
      '/dist/': join(root, 'dist'),
      '/files/': join(root, 'dist', 'runtime'),
      '/common/': join(root, 'node_modules', 'onnxruntime-common')
    }
  })
  const head = `<script type="importmap">${JSON.stringify({ imports })}</script><script type="module" src="/main.js"></script>`
  const binary = (bytes: Uint8Array) => ({ type: 'application/octet-stream', body: bytes })
  site.files.set('/', { type: 'text/html', body: `<!doctype html><title>Cairn</title>${head}` })
  site.files.set('/main.js', { type: 'text/javascript', body: script })
  site.files.set('/favicon.ico', { type: 'image/png', body: '' })
  site.files.set('/model.onnx', binary(model))
  site.files.set('/input.bin', binary(new Uint8Array(Float32Array.from(feeds[input].data).buffer)))
  try {
    await body(site, async () => {
      const opened = await openPage(`${site.origin}/`)
      await opened.page.waitForFunction(() => (globalThis as { ready?: boolean }).ready)
      return opened
    })
  } finally {
    await site.close()
  }
}

const asks = (site: Site, path: string) => site.asked.filter(asked => asked === path).length

function inBrowser(name: string, body: () => Promise<void>): void {
  if (noBrowser) skip(name, noBrowser)
  else test(name, body)
}

inBrowser('a model compiles in a worker, and not again on the next visit', () =>
  visit(async (site, open) => {
    const { page, errors, strangers } = await open()
    const first = await page.evaluate(() => (globalThis as unknown as InPage).runOn())
    assertClose({ [output]: first.output }, expected, 1e-5)
    assert.is(first.location, 'cpu')
    assert.is(asks(site, '/dist/runtime/compile-worker.js'), 1)
    // Of a page without a bundler the worker loads the modules as they are.
    assert.is(asks(site, '/dist/compiler/index.js'), 1)
    await page.reload()
    await page.waitForFunction(() => (globalThis as { ready?: boolean }).ready)
    const second = await page.evaluate(() => (globalThis as unknown as InPage).runOn(['wasm']))
    assert.equal(second, first)
    assert.is(asks(site, '/dist/runtime/compile-worker.js'), 1)
    assert.equal([errors, strangers], [[], []])
    await page.context().close()
  })
)

inBrowser('a model whose server says that it is the same is not read again', () =>
  visit(async (site, open) => {
    const serve = (etag: string, body: Uint8Array) =>
      site.files.set('/model.onnx', (_, response) => response.writeHead(200, { etag }).end(body))
    serve('"first"', model)
    const { page } = await open()
    const run = () => page.evaluate(() => (globalThis as unknown as InPage).runOn(['wasm']))
    const first = await run()
    const rest = model.slice(0, 20)
    serve('"first"', rest)
    assert.equal(await run(), first)
    serve('"second"', rest)
    const failed = await run().then(
      () => undefined,
      (error: Error) => error.message
    )
    assert.match(failed ?? '', /model|ONNX/)
    await page.context().close()
  })
)

inBrowser('where its scripts cannot be had the page compiles itself', () =>
  visit(async (site, open) => {
    for (const name of ['compile-worker', 'compile-alone'])
      site.files.set(`/dist/runtime/${name}.js`, { type: 'text/javascript', body: 'throw new Error("not here")' })
    const { page } = await open()
    const { output: found } = await page.evaluate(() => (globalThis as unknown as InPage).runOn())
    assertClose({ [output]: found }, expected, 1e-5)
    assert.is(asks(site, '/dist/compiler/index.js'), 1)
    await page.context().close()
  })
)

inBrowser('beside a bundle the files of dist/runtime are all that the worker needs', () =>
  visit(async (site, open) => {
    const { outputFiles } = await build({
      ...{ stdin: { contents: script, resolveDir: root }, bundle: true, format: 'esm', target: 'es2022', write: false },
      plugins: [
        { name: 'later', setup: ({ onResolve }) => onResolve({ filter: /\/job\.js$/ }, () => ({ external: true })) }
      ]
    })
    site.files.set('/files/main.js', { type: 'text/javascript', body: outputFiles[0].text })
    site.files.set('/', {
      type: 'text/html',
      body: '<!doctype html><script type="module" src="/files/main.js"></script>'
    })
    const { page } = await open()
    const { output: found } = await page.evaluate(() => (globalThis as unknown as InPage).runOn(['wasm']))
    assertClose({ [output]: found }, expected, 1e-5)
    assert.ok(asks(site, '/files/compile-alone.js') >= 1)
    assert.is(asks(site, '/files/cairn-full.min.js'), 1)
    await page.context().close()
  })
)

inBrowser('on WebGPU outputs stay there until they are asked for', () =>
  visit(async (_, open) => {
    const { page } = await open()
    const hasGpu = await page.evaluate(async () => Boolean(await navigator.gpu?.requestAdapter()))
    const { location, output: found } = await page.evaluate(
      gpu => (globalThis as unknown as InPage).runOn(['webgpu', 'wasm'], gpu ? 'gpu-buffer' : 'cpu'),
      hasGpu
    )
    assert.is(location, hasGpu ? 'gpu-buffer' : 'cpu')
    assertClose({ [output]: found }, expected, 1e-4)
    await page.context().close()
  })
)

inBrowser('pictures become tensors as in onnxruntime, and back', () =>
  visit(async (_, open) => {
    const { page } = await open()
    const found = await page.evaluate(() => (globalThis as unknown as InPage).picture())
    assert.equal(found, [[1, 4, 150, 300], 'data:image/png;base64,', 300])
    await page.context().close()
  })
)

test.run()
