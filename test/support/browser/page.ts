// Models run in a page of a Chromium, their outputs brought back to Node.
import { join } from 'node:path'
import { type DType, typedArray } from '../onnx/model.js'
import { type Named, type Numbers, numbersOf } from '../onnx/oracle.js'
import { root } from '../root.js'
import { type Opened, openPage, withoutChromium } from './chromium.js'
import type { Verbs } from './scripts/index.js'
import { pack, unpack } from './scripts/pack.js'
import type { Plain, Report, Task } from './scripts/perform.js'
import { Site, type SiteOptions } from './serve.js'

/** What runs in pages. */
export const devices = ['wasm', 'webgpu'] as const
export type PageDevice = (typeof devices)[number]

/** Why a device cannot run in a page here, or undefined where it can. */
export async function missingInPage(device: PageDevice): Promise<string | undefined> {
  const reason = await withoutChromium()
  if (reason || device !== 'webgpu') return reason
  const page = await TestPage.open()
  const sums = await page.call('sum', [1], 1)
  await page.close()
  return typeof sums === 'string' ? `the page has no WebGPU: ${sums}` : undefined
}

/** The runtime as the build makes it, in pages. */
export const runtime = '/dist/runtime/index.js'

export const isolation = {
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-embedder-policy': 'require-corp'
}

const html =
  '<!doctype html><title>Cairn</title><script type="module" src="/dist/test/support/browser/scripts/index.js"></script>'

/** A page with a server of the build and other folders; it does what test/page can. */
export class TestPage {
  private count = 0

  private constructor(
    readonly site: Site,
    readonly opened: Opened
  ) {}

  static async open(headers: SiteOptions['headers'] = {}, folders: SiteOptions['folders'] = {}): Promise<TestPage> {
    const site = await Site.open({ folders: { '/dist/': join(root, 'dist'), ...folders }, headers })
    site.files.set('/', { type: 'text/html', body: html })
    site.files.set('/favicon.ico', { type: 'image/png', body: '' })
    return new TestPage(site, await openPage(`${site.origin}/`))
  }

  /** Has a task done by the page, or by a worker of it. */
  async perform(task: Task, where: 'page' | 'worker' = 'page'): Promise<Report> {
    const at = `/task/${this.count++}`
    this.site.files.set(at, { type: 'application/octet-stream', body: pack(task) })
    const report = this.site.posting(at)
    const verb = where === 'page' ? 'perform' : 'performInWorker'
    await this.call(verb, at)
    this.site.files.delete(at)
    return unpack<Report>(await report)
  }

  /** Calls what test/support/browser/scripts/index.ts puts in the page's global scope. */
  call<V extends keyof Verbs>(verb: V, ...args: Parameters<Verbs[V]>): Promise<Awaited<ReturnType<Verbs[V]>>> {
    return this.opened.page.evaluate(
      ([verb, args]) => (globalThis as never as Record<string, (...args: unknown[]) => unknown>)[verb](...args),
      [verb, args] as const
    ) as Promise<Awaited<ReturnType<Verbs[V]>>>
  }

  async close(): Promise<void> {
    await this.opened.page.context().close()
    await this.site.close()
  }
}

export function plainOf(feeds: Named): Plain {
  return Object.fromEntries(
    Object.entries(feeds).map(([name, { dtype, dims, data }]) => [
      name,
      { type: dtype, dims, data: typedArray(dtype, data) }
    ])
  )
}

export function numbersOfPlain(plain: Plain): Record<string, Numbers> {
  return Object.fromEntries(
    Object.entries(plain).map(([name, { type, dims, data }]) => [
      name,
      { dtype: type as DType, dims, data: numbersOf(type, data) }
    ])
  )
}
