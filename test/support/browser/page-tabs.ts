// Small models, pictures and tabs for tests of what the page keeps.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import onnxProto from 'onnx-proto'
import type { Browser, BrowserContext, Page } from 'playwright-core'
import { PNG } from 'pngjs'
import type { Test } from 'uvu'
import { ModelBuilder } from '../onnx/model.js'
import { Random } from '../random.js'
import { atRest, type Served, serve } from './web-page.js'

/** A small classifier of pictures. */
export function classifier(seed: string, classes = 5): Buffer {
  const model = new ModelBuilder(new Random(seed))
  const input = model.input([1, 3, 16, 16], 'float32', [-1, 1], 'x')
  const convolved = model.add('Relu', [model.add('Conv', [input, model.weights([4, 3, 3, 3])])])
  const pooled = model.add('Flatten', [model.add('GlobalAveragePool', [convolved])])
  model.output(model.add('Softmax', [model.add('Gemm', [pooled, model.weights([4, classes])])]))
  return Buffer.from(model.encode())
}

/** The same model, with its weights in a file of their own. */
export function apart(bytes: Buffer): { model: Buffer; weights: Buffer } {
  const { ModelProto, TensorProto } = onnxProto.onnx
  const model = ModelProto.decode(bytes)
  const parts: Uint8Array[] = []
  let offset = 0
  for (const tensor of model.graph!.initializer!) {
    const raw = new Uint8Array(tensor.rawData!)
    const entry = { location: 'apart.onnx.data', offset: String(offset), length: String(raw.length) }
    tensor.externalData = Object.entries(entry).map(([key, value]) => ({ key, value }))
    tensor.dataLocation = TensorProto.DataLocation.EXTERNAL
    tensor.rawData = new Uint8Array()
    parts.push(raw)
    offset += raw.length
  }
  return { model: Buffer.from(ModelProto.encode(model).finish()), weights: Buffer.concat(parts) }
}

export function picture(random: Random, name = 'photo'): { name: string; mimeType: string; buffer: Buffer } {
  const png = new PNG({ width: 24, height: 24 })
  for (let i = 0; i < png.data.length; i++) png.data[i] = i % 4 === 3 ? 255 : random.int(0, 255)
  return { name: `${name}.png`, mimeType: 'image/png', buffer: PNG.sync.write(png) }
}

/** A folder of files. */
export function folder(models: Record<string, Buffer>): string {
  const path = mkdtempSync(join(tmpdir(), 'cairn-page-'))
  for (const [name, bytes] of Object.entries(models)) writeFileSync(join(path, name), bytes)
  return path
}

export interface Tab {
  readonly page: Page
  readonly errors: string[]
}

export async function tab(context: BrowserContext, url: string): Promise<Tab> {
  const page = await context.newPage()
  const errors: string[] = []
  page.setDefaultTimeout(120_000)
  page.on('pageerror', error => errors.push(error.message))
  await page.goto(url)
  await page.waitForSelector('body[data-ready]')
  return { page, errors }
}

export const inWork = (page: Page) => page.waitForSelector('body[data-view="work"]')
export const named = (page: Page, name: string) => page.waitForSelector(`#model-name:text("${name}")`)
/** What is asked to be kept has been written. */
export const kept = (page: Page) => page.waitForSelector(`${atRest}:not([data-keeping])`)

export interface Tabs {
  served(): Served
  /** The folder's path. */
  models(): string
  context(): BrowserContext
}

/** Serves a folder of files to all tests of a suite; each has a context of its own, without service workers. */
export function inTabs(test: Test, browser: Browser, files: Readonly<Record<string, Buffer>>): Tabs {
  let served: Served
  let models: string
  let context: BrowserContext
  test.before(async () => {
    models = folder(files)
    served = await serve(models)
  })
  test.after(async () => {
    await served.end()
    rmSync(models, { recursive: true })
  })
  test.before.each(async () => {
    context = await browser.newContext({ viewport: { width: 1280, height: 900 }, serviceWorkers: 'block' })
  })
  test.after.each(() => context.close())
  return { served: () => served, models: () => models, context: () => context }
}

export const openCard = (page: Page, name: string) => page.click(`#bundled .card:has-text("${name}")`)

/** Two classes, learnt at once by the head alone. */
export async function teach(page: Page, epochs: number): Promise<void> {
  await page.waitForSelector('#train-work:visible')
  for (const [at, name] of ['rise', 'fall'].entries()) {
    const lesson = page.locator('.lesson').nth(at)
    await lesson.locator('input[type="text"]').fill(name)
    const photos = [1, 2, 3].map(i => picture(new Random(name, i), `${name} ${i}`))
    await lesson.locator('input[type="file"]').setInputFiles(photos)
    await lesson.locator('text=3 photos').waitFor()
  }
  await page.click('#train-options summary')
  await page.fill('#epochs', String(epochs))
  await page.click('#train-start')
  await page.waitForSelector('#trained:visible')
  await page.waitForSelector(`#epoch-table tbody tr:nth-child(${epochs})`, { state: 'attached' })
}
