// A page makes a module of a model, in plain and in relaxed SIMD, and runs it.
import { join } from 'node:path'
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

const test = suite(`modules made in a page (seed ${baseSeed})`)
const { model, input, feeds, expected } = await sample(new Random('standalone page'))

const imports = { binaryen: '/binaryen/index.js' }
const script = `
import { compile } from '/dist/compiler/index.js'
import { instantiate } from '/dist/runtime/standalone.js'
const bytes = async name => new Uint8Array(await (await fetch(name)).arrayBuffer())
globalThis.made = async wasmFeatures => {
  const module = await compile(await bytes('/model.onnx'), { target: 'wasm', wasmFeatures, golden: true })
  const { run, exports } = await instantiate(module)
  const results = run({ '${input}': new Float32Array((await bytes('/input.bin')).buffer) })
  const outputs = Object.entries(results).map(([name, { type, dims, data }]) => [name, { dtype: type, dims, data: [...data] }])
  return { check: exports.check(), outputs: Object.fromEntries(outputs) }
}
globalThis.ready = true
`

interface InPage {
  made(features: string): Promise<{ check: number; outputs: Named }>
}

const noBrowser = await withoutChromium()

async function inBrowser(): Promise<void> {
  const folders = { '/dist/': join(root, 'dist'), '/binaryen/': join(root, 'node_modules', 'binaryen') }
  const site = await Site.open({ folders })
  const head = `<script type="importmap">${JSON.stringify({ imports })}</script><script type="module" src="/main.js"></script>`
  site.files.set('/', { type: 'text/html', body: `<!doctype html><title>Cairn</title>${head}` })
  site.files.set('/main.js', { type: 'text/javascript', body: script })
  site.files.set('/favicon.ico', { type: 'image/png', body: '' })
  site.files.set('/model.onnx', { type: 'application/octet-stream', body: model })
  const floats = new Uint8Array(Float32Array.from(feeds[input].data).buffer)
  site.files.set('/input.bin', { type: 'application/octet-stream', body: floats })
  try {
    const { page, errors } = await openPage(`${site.origin}/`)
    await page.waitForFunction(() => (globalThis as { ready?: boolean }).ready)
    for (const features of ['plain', 'relaxed']) {
      const made = (wanted: string) => (globalThis as unknown as InPage).made(wanted)
      const { check, outputs } = await page.evaluate(made, features)
      assert.is(check, 0)
      assertClose(outputs, expected, 1e-5)
    }
    assert.equal(errors, [])
    await page.context().close()
  } finally {
    await site.close()
  }
}

const name = 'in plain and in relaxed SIMD, from bytes to a result'
if (noBrowser) skip(name, noBrowser)
else test(name, inBrowser)

test.run()
