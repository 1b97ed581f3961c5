// The page of the browser tests: what they may ask of it.
import { perform } from './perform.js'
import { rowSums } from './row-sums.js'

/** A task done by a dedicated worker of the page. */
function performInWorker(at: string): Promise<void> {
  const worker = new Worker(new URL('./worker.js', import.meta.url), { type: 'module' })
  return new Promise<void>((resolve, reject) => {
    worker.onmessage = ({ data }) => (data ? reject(new Error(data)) : resolve())
    worker.onerror = event => reject(new Error(event.message || 'the worker does not start'))
    worker.postMessage(at)
  }).finally(() => worker.terminate())
}

/** The sums of a few rows, or why the page has no WebGPU. */
async function sum(x: readonly number[], rows: number): Promise<number[] | string> {
  if (!navigator.gpu) return 'navigator.gpu is missing'
  if (!(await navigator.gpu.requestAdapter())) return 'there is no adapter'
  return [...(await rowSums(navigator.gpu, Float32Array.from(x), rows))]
}

const verbs = { perform, performInWorker, sum }
export type Verbs = typeof verbs

Object.assign(globalThis, verbs)
