// A Chromium without a network: pages that are isolated, so that they have threads, and a server of what they load.
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Browser } from 'playwright-core'
import sirv from 'sirv'
import { launchChromium } from './chromium.js'
import type { NetworkFiles } from './files.js'
import type { Numbers, Result, Task } from './page/task.js'

const root = fileURLToPath(new URL('../../../', import.meta.url))

const headers = {
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-embedder-policy': 'require-corp',
  'cache-control': 'no-store'
}

const modules = {
  '@litertjs/core': '/packages/@litertjs/core/dist/index.js',
  '@litertjs/wasm-utils': '/packages/@litertjs/wasm-utils/dist/bundle.js',
  'onnxruntime-web/wasm': '/packages/onnxruntime-web/dist/ort.wasm.bundle.min.mjs'
}

const html = `<!doctype html><title>Benchmark</title><link rel="icon" href="data:,">
<script type="importmap">${JSON.stringify({ imports: modules })}</script>
<script type="module" src="/dist/bench/browser/page/index.js"></script>`

/** Of floats, and of bytes, where what rounds otherwise in one layer moves later ones by steps. */
const tolerances: Readonly<Record<Numbers, number>> = { float32: 1e-3, int8: 0.1 }

/** A network's files and inputs as a page fetches them, in place of those of the network before. */
export function entriesOf({ files: served }: Tabs, { feeds, files }: NetworkFiles): Pick<Task, 'feeds' | 'entries'> {
  served.clear()
  const serve = (bytes: Uint8Array) => {
    const url = `/file/${served.size}`
    served.set(url, bytes)
    return url
  }
  return {
    feeds: feeds.map(({ name, dims, data }) => ({
      ...{ name, dims },
      url: serve(new Uint8Array((data as Float32Array).buffer))
    })),
    entries: files.flatMap(({ bytes, ...file }) =>
      typeof bytes === 'string' ? [] : [{ ...file, url: serve(bytes), tolerance: tolerances[file.numbers] }]
    )
  }
}

export class Tabs {
  /** What pages fetch, by path. */
  readonly files = new Map<string, Uint8Array>()
  private readonly served = ['dist', 'node_modules'].map(folder => sirv(join(root, folder), { dev: true }))
  private readonly server = createServer((request, response) => {
    for (const [name, value] of Object.entries(headers)) response.setHeader(name, value)
    const path = request.url!.replace(/\?.*/, '')
    const file = this.files.get(path)
    const missing = () => void response.writeHead(404).end()
    if (path === '/') response.setHeader('content-type', 'text/html').end(html)
    else if (file) response.setHeader('content-type', 'application/octet-stream').end(file)
    else {
      const [, prefix, rest] = /^\/(dist|packages)(\/.*)$/.exec(request.url!) ?? []
      request.url = rest
      if (prefix) this.served[prefix === 'dist' ? 0 : 1](request, response, missing)
      else missing()
    }
  })

  private constructor(private readonly browser: Browser) {}

  static async open(): Promise<Tabs> {
    const tabs = new Tabs(await launchChromium())
    await new Promise<void>(resolve => tabs.server.listen(0, '127.0.0.1', resolve))
    return tabs
  }

  get version(): string {
    return this.browser.version()
  }

  /** Has a task done in a page of its own. */
  async measure(task: Task): Promise<Result[]> {
    const page = await this.browser.newPage()
    const errors: string[] = []
    page.on('pageerror', error => errors.push(error.message))
    page.on('crash', () => errors.push('the page has crashed'))
    try {
      await page.goto(`http://127.0.0.1:${(this.server.address() as AddressInfo).port}/`)
      await page.waitForFunction(() => 'measure' in globalThis, undefined, { timeout: 30_000 })
      return await page.evaluate(
        task => (globalThis as unknown as { measure(task: Task): Promise<Result[]> }).measure(task),
        task
      )
    } catch (error) {
      const [first] = (error as Error).message.split('\n')
      throw new Error([first, ...errors].join('; '))
    } finally {
      await page.close()
    }
  }

  async close(): Promise<void> {
    await this.browser.close()
    this.server.closeAllConnections()
    await new Promise(resolve => this.server.close(resolve))
  }
}
