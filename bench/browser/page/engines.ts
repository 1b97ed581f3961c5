// The runtimes in the page. Each is loaded from its own npm package when an entry asks for it.
import type * as Tf from '@tensorflow/tfjs-core'
import type { Feed, Opened } from '../../../cli/measure/index.js'
import { InferenceSession, Tensor } from '../../../runtime/index.js'
import type { Entry, Laid, PageEngine } from './task.js'

/** Where node_modules is served. */
const packages = '/packages/'

export interface InPage extends Opened {
  readonly partly?: boolean
}

type Open = (model: Uint8Array, feeds: readonly Feed[], threads: number, entry: Entry) => Promise<InPage>

const floats = (data: Feed['data']) => data as Float32Array

const cairn: Open = async (model, feeds, numThreads) => {
  const session = await InferenceSession.create(model, { executionProviders: ['wasm'], numThreads })
  const given = Object.fromEntries(
    feeds.map(({ name, data, dims }) => [name, new Tensor('float32', floats(data), dims)])
  )
  return {
    async run() {
      const results = await session.run(given)
      return Object.entries(results).map(([name, { dims, type, data }]) => ({ name, dims, type, data }))
    },
    release: () => session.release()
  }
}

const ortWeb: Open = async (model, feeds, threads) => {
  const ort = await import('onnxruntime-web/wasm')
  ort.env.logLevel = 'error'
  ort.env.wasm.numThreads = threads
  ort.env.wasm.wasmPaths = `${packages}onnxruntime-web/dist/`
  const session = await ort.InferenceSession.create(model, { executionProviders: ['wasm'], logSeverityLevel: 3 })
  const { opened } = await import('../../../cli/measure/ort-session.js')
  return opened(ort, session, feeds)
}

/** One thread has the binary without threads, as a page without isolation gets it. */
const tfjs: Open = async (model, feeds, threads) => {
  for (const file of ['tfjs-core/dist/tf-core.min.js', 'tfjs-backend-wasm/dist/tf-backend-wasm.min.js'])
    await script(`${packages}@tensorflow/${file}`)
  const { tf } = globalThis as unknown as {
    tf: typeof Tf & { wasm: { setWasmPaths(path: string): void; setThreadsCount(count: number): void } }
  }
  tf.wasm.setWasmPaths(`${packages}@tensorflow/tfjs-backend-wasm/dist/`)
  tf.wasm.setThreadsCount(threads)
  if (threads === 1) tf.env().set('WASM_HAS_MULTITHREAD_SUPPORT', false)
  await tf.setBackend('wasm')
  const { openPlan } = await import('../../../cli/measure/tfjs/run.js')
  return openPlan(tf, model, feeds)
}

/** LiteRT.js on XNNPACK: its build with threads for more than one, else the plain one. */
const litert: Open = async (model, feeds, threads, { inputs = [], outputs = [] }) => {
  const { loadLiteRt, loadAndCompile, Tensor } = await import('@litertjs/core')
  const { permuted } = await import('../../../cli/measure/tfjs/plan.js')
  lite ??= loadLiteRt(`${packages}@litertjs/core/wasm/`, { threads: threads > 1 })
  await lite
  const compiled = await loadAndCompile(model, { accelerator: 'wasm', cpuOptions: { numThreads: threads } })
  const given = inputs.map(({ name, dims, order }) => {
    const feed = feeds.find(feed => feed.name === name)!
    return { data: permuted(floats(feed.data), dims, order), shape: order.map(axis => dims[axis]) }
  })
  const plain = ({ order }: Laid) => order.every((axis, i) => axis === i)
  return {
    partly: !compiled.isFullyAccelerated,
    async run() {
      const tensors = given.map(({ data, shape }) => new Tensor(data, shape))
      const results = await compiled.run(tensors)
      const read = results.map((result, i) => {
        const laid = outputs[i]
        const data = result.toTypedArray()
        const { name, dims, order } = laid
        return { name, dims, type: 'float32', data: plain(laid) ? data : permuted(data, dims, order, true) }
      })
      for (const tensor of [...tensors, ...results]) tensor.delete()
      return read
    },
    async release() {
      compiled.delete()
    }
  }
}
let lite: Promise<unknown> | undefined

const scripts = new Map<string, Promise<void>>()

function script(src: string): Promise<void> {
  const known = scripts.get(src)
  if (known) return known
  const loaded = new Promise<void>((resolve, reject) => {
    const element = Object.assign(document.createElement('script'), { src, onload: () => resolve() })
    element.onerror = () => reject(new Error(`${src} does not load`))
    document.head.append(element)
  })
  scripts.set(src, loaded)
  return loaded
}

export const engines: Readonly<Record<PageEngine, Open>> = { cairn, 'ort-web': ortWeb, tfjs, litert }
