import { createRequire } from 'node:module'
import { dirname, sep } from 'node:path'
import { held } from '../../../runtime/base/index.js'
import type { Engine } from '../engine.js'
import { openPlan } from './run.js'

/** TensorFlow.js on its WebAssembly backend, which is XNNPACK. In Node it runs on one thread. */
export async function tfjs(): Promise<Engine> {
  const tf = await import('@tensorflow/tfjs-core')
  const wasm = await import('@tensorflow/tfjs-backend-wasm')
  const entry = createRequire(import.meta.url).resolve('@tensorflow/tfjs-backend-wasm')
  wasm.setWasmPaths(dirname(entry) + sep)
  return {
    async open(model, feeds, { threads }) {
      if (threads > 1) throw new Error('TensorFlow.js runs on one thread in Node')
      await tf.setBackend('wasm')
      await held(tf.ready())
      return openPlan(tf, model as Uint8Array, feeds)
    }
  }
}
