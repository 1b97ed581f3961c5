// A page that loads one model as ONNX through the stand-in and as a .cairn file, each visit a page of its own.
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'
import type { Page } from 'playwright-core'
import sirv from 'sirv'
import { launchChromium } from '../browser/chromium.js'

/** What a page tells of one load. */
export interface Visit {
  readonly milliseconds: number
  /** Tasks of over 50 ms of the page's thread, by their time. */
  readonly blocked: readonly number[]
  /** The longest time between two messages that the thread sends itself, in milliseconds. */
  readonly pause: number
  /** Whether the script was asked for that compiles. */
  readonly compiled: boolean
}

const script = `import * as ort from 'cairnjs/ort'
import { InferenceSession } from 'cairnjs'
const blocked = []
new PerformanceObserver(list => blocked.push(...list.getEntries().map(({ duration }) => duration))).observe({ type: 'longtask' })
let pause = 0
let last
const { port1, port2 } = new MessageChannel()
port1.onmessage = () => {
  const now = performance.now()
  if (last !== undefined) pause = Math.max(pause, now - last)
  last = now
  setTimeout(() => port2.postMessage(0), 1)
}
const ways = { onnx: ort.InferenceSession, cairn: InferenceSession }
globalThis.load = async way => {
  const began = performance.now()
  port2.postMessage(0)
  await ways[way].create('/model.' + way, { executionProviders: ['wasm'], numThreads: 1, intraOpNumThreads: 1 })
  const milliseconds = performance.now() - began
  await new Promise(resolve => setTimeout(resolve, 200))
  const compiled = performance.getEntriesByType('resource').some(({ name }) => name.endsWith('/compile-worker.js'))
  return { milliseconds, blocked, pause, compiled }
}
globalThis.ready = true`

const imports = {
  cairnjs: '/dist/runtime/index.js',
  'cairnjs/ort': '/dist/ort/index.js',
  'onnxruntime-common': '/common/dist/esm/index.js'
}
const html = `<!doctype html><title>visits</title><link rel="icon" href="data:,">
<script type="importmap">${JSON.stringify({ imports })}</script><script type="module" src="/main.js"></script>`

const folderOf = (path: string) => fileURLToPath(new URL(`../../../${path}/`, import.meta.url))

/** The first visit, which compiles, and the milliseconds of `rounds` more each way, in turns. */
export async function visits(
  onnx: Uint8Array,
  file: Uint8Array,
  rounds: number
): Promise<{ first: Visit; own: number[]; stored: number[] }> {
  const made: Readonly<Record<string, readonly [type: string, body: string | Uint8Array]>> = {
    '/': ['text/html', html],
    '/main.js': ['text/javascript', script],
    '/model.onnx': ['application/octet-stream', onnx],
    '/model.cairn': ['application/octet-stream', file]
  }
  const [dist, common] = ['dist', 'node_modules/onnxruntime-common'].map(path => sirv(folderOf(path), { etag: true }))
  const server = createServer((request, response) => {
    const path = request.url!
    const own = made[path]
    if (own) {
      response.writeHead(200, { 'content-type': own[0], etag: `"${own[1].length}"`, 'cache-control': 'no-cache' })
      return void response.end(own[1])
    }
    const [, folder, rest] = /^\/(dist|common)(\/.*)$/.exec(path) ?? []
    request.url = rest ?? '/'
    if (rest) (folder === 'dist' ? dist : common)(request, response, () => void response.writeHead(404).end())
    else response.writeHead(404).end()
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const browser = await launchChromium()
  try {
    const page = await browser.newPage()
    const visit = async (way: 'onnx' | 'cairn') => {
      await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`)
      return loaded(page, way)
    }
    const first = await visit('onnx')
    if (!first.compiled) throw new Error('the first visit has not asked for the script that compiles')
    const [own, stored]: [number[], number[]] = [[], []]
    await visit('cairn')
    for (let round = 0; round < rounds; round++)
      for (const way of round % 2 ? (['cairn', 'onnx'] as const) : (['onnx', 'cairn'] as const)) {
        const { milliseconds, compiled } = await visit(way)
        if (compiled) throw new Error('a later visit compiles')
        ;(way === 'onnx' ? own : stored).push(milliseconds)
      }
    return { first, own, stored }
  } finally {
    await browser.close()
    server.close()
  }
}

interface InPage {
  readonly ready?: boolean
  load(way: string): Promise<Visit>
}

async function loaded(page: Page, way: string): Promise<Visit> {
  await page.waitForFunction(() => (globalThis as unknown as InPage).ready)
  return page.evaluate(which => (globalThis as unknown as InPage).load(which), way)
}
