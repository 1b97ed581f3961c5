// The trial in browsers and in workerd, and the cold start of a page with a module beside one with onnxruntime-web.
import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { launchChromium } from '../../bench/browser/chromium.js'
import { Site } from '../../test/support/browser/serve.js'
import { root } from '../../test/support/root.js'
import { type Found, tried } from './trial.js'

const loader = readFileSync(join(root, 'dist', 'runtime', 'standalone.js'), 'utf8')
const html = (script: string) => ({
  type: 'text/html',
  body: `<!doctype html><script type="module">${script}</script>`
})

/** Pages post what they have found, or what went wrong. */
const post = (what: string) => `
const tell = text => fetch('/found', { method: 'POST', body: text })
try { ${what} } catch (error) { await tell(JSON.stringify({ error: String(error) })) }`

/**
 * A page that asks for its model at once, beside its script, and tells when it has a result: since its own beginning, and since it
 * was asked for. What it fetches first is known beforehand, as pages say it that want to be quick.
 */
const cold = (preloaded: readonly string[], what: string) => ({
  type: 'text/html',
  body: `<!doctype html><script>globalThis.began = performance.now()</script>
${preloaded.map(href => `<link rel="${href.endsWith('js') ? 'modulepreload' : 'preload'}" href="${href}"${href.endsWith('js') ? '' : ' as="fetch" crossorigin'}>`).join('\n')}
<script type="module">${post(`${what}
    const now = performance.now()
    await tell(JSON.stringify({ cold: now - began, whole: now }))`)}</script>`
})

export async function siteOf(model: Uint8Array, onnx: Uint8Array, dims: readonly number[]): Promise<Site> {
  const site = await Site.open({ folders: { '/ort/': join(root, 'node_modules', 'onnxruntime-web', 'dist') } })
  site.files.set('/standalone.js', { type: 'text/javascript', body: loader })
  site.files.set('/model.wasm', { type: 'application/wasm', body: model })
  site.files.set('/model.onnx', { type: 'application/octet-stream', body: onnx })
  const load = `const { instantiate } = await import('/standalone.js')`
  site.files.set(
    '/trial',
    html(
      post(`${load}
    const tried = ${tried}
    const bytes = await (await fetch('/model.wasm')).arrayBuffer()
    await tell(JSON.stringify(await tried(instantiate, bytes)))`)
    )
  )
  site.files.set('/empty', html(''))
  site.files.set(
    '/cold',
    cold(
      ['/standalone.js', '/model.wasm'],
      `${load}
    const { run, inputs } = await instantiate(fetch('/model.wasm'))
    run(Object.fromEntries(inputs.map(({ name, length }) => [name, new Float32Array(length).fill(0.5)])))`
    )
  )
  const wasm = '/ort/ort-wasm-simd-threaded'
  site.files.set(
    '/cold-ort',
    cold(
      ['/ort/ort.wasm.min.mjs', `${wasm}.mjs`, `${wasm}.wasm`, '/model.onnx'],
      `const ort = await import('/ort/ort.wasm.min.mjs')
    ort.env.wasm.wasmPaths = location.origin + '/ort/'
    ort.env.wasm.numThreads = 1
    const session = await ort.InferenceSession.create('/model.onnx', { executionProviders: ['wasm'] })
    const dims = ${JSON.stringify(dims)}
    const data = new Float32Array(dims.reduce((a, b) => a * b, 1)).fill(0.5)
    await session.run({ [session.inputNames[0]]: new ort.Tensor('float32', data, dims) })`
    )
  )
  return site
}

export type Answer = Partial<Found> & {
  /** Milliseconds from the beginning of a page's script, or of a host, to its first result. */
  readonly cold?: number
  /** The same from when the page was asked for. */
  readonly whole?: number
  readonly error?: string
}

/** What is posted; an error where nothing comes. */
async function answered(posting: Promise<Buffer>): Promise<Answer> {
  const late = new Promise<never>((_, reject) => {
    setTimeout(() => reject(new Error('no answer within a minute')), 60_000).unref()
  })
  return JSON.parse(String(await Promise.race([posting, late])))
}

/** A new Chromium, which has been on an empty page of the site before. */
export async function inChromium(site: Site, path: string): Promise<{ version: string; answer: Answer }> {
  const browser = await launchChromium([], [])
  try {
    const page = await (await browser.newContext()).newPage()
    await page.goto(`${site.origin}/empty`)
    const posting = site.posting('/found')
    await page.goto(`${site.origin}${path}`)
    return { version: browser.version(), answer: await answered(posting) }
  } finally {
    await browser.close()
  }
}

/** Firefox as it is installed, without a window, with a profile of its own. */
export async function inFirefox(site: Site, path: string): Promise<Answer> {
  const profile = mkdtempSync(join(tmpdir(), 'cairn-firefox-'))
  const posting = site.posting('/found')
  const child = spawn('firefox', ['--headless', '--no-remote', '--profile', profile, `${site.origin}${path}`], {
    stdio: 'ignore'
  })
  const failed = new Promise<never>((_, reject) => {
    child.on('error', reject)
  })
  try {
    return await Promise.race([answered(posting), failed])
  } finally {
    const ended = new Promise(resolve => child.once('close', resolve))
    child.kill()
    if (child.pid) await ended
    rmSync(profile, { recursive: true, force: true })
  }
}

const asked = {
  trial: 'await tried(instantiate, model)',
  once: '{ check: (await instantiate(model)).exports.run() }',
  nothing: '{}'
}

/**
 * A new workerd with the model as a module, to its first answer: what it has found, and how long that took by this process's clock,
 * as its own stands still while it computes. Asked to run once, or to answer without the model, it does no more than that.
 */
export async function inWorkerd(model: Uint8Array<ArrayBuffer>, what: keyof typeof asked = 'trial'): Promise<Answer> {
  const { Miniflare } = await import('miniflare')
  const script = `import { instantiate } from './standalone.js'
import model from './model.wasm'
const tried = ${tried}
export default { fetch: async () => Response.json(${asked[what]}) }`
  const began = performance.now()
  const host = new Miniflare({
    ...{ host: '127.0.0.1', compatibilityDate: '2026-01-01' },
    modules: [
      { type: 'ESModule', path: 'worker.js', contents: script },
      { type: 'ESModule', path: 'standalone.js', contents: loader },
      { type: 'CompiledWasm', path: 'model.wasm', contents: model }
    ]
  })
  try {
    const answer = (await (await host.dispatchFetch('http://localhost/')).json()) as Answer
    return { ...answer, cold: performance.now() - began }
  } finally {
    await host.dispose()
  }
}
