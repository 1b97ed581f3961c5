import type * as OrtNode from 'onnxruntime-node'
import { held } from '../../runtime/base/index.js'
import { halvesAsBits } from '../model/index.js'
import { type Engine, prepare } from './engine.js'
import { opened } from './ort-session.js'

export async function ortWeb(): Promise<Engine> {
  const ort = await import('onnxruntime-web')
  ort.env.logLevel = 'error'
  return {
    async open(model, feeds, { threads }) {
      ort.env.wasm.numThreads = threads
      const options = { executionProviders: ['wasm'], logSeverityLevel: 3 } as const
      const session = await held(ort.InferenceSession.create(model as Uint8Array, options))
      return opened(ort, session, feeds)
    }
  }
}

/** On processors without VNNI onnxruntime's sums of bytes saturate otherwise; on others this changes nothing. */
const exact = { session: { x64quantprecision: '1' } } as const

async function native(): Promise<typeof OrtNode> {
  const module = await import('onnxruntime-node')
  return halvesAsBits((module.default ?? module) as typeof OrtNode)
}

export async function ortNode(): Promise<Engine> {
  const ort = await native()
  return {
    readsFiles: true,
    async open(model, feeds, { threads }) {
      const options = { intraOpNumThreads: threads, interOpNumThreads: 1, logSeverityLevel: 4, extra: exact } as const
      return opened(ort, await ort.InferenceSession.create(model as string, options), feeds)
    }
  }
}

/**
 * On the GPU: onnxruntime has a Dawn of its own, which finds the Vulkan loader and the driver that `openGpu` has found.
 */
export async function ortWebGpu(): Promise<Engine> {
  await prepare('ort-webgpu')
  const ort = await native()
  return {
    readsFiles: true,
    async open(model, feeds) {
      const options = { executionProviders: ['webgpu'], logSeverityLevel: 4 } as const
      return opened(ort, await ort.InferenceSession.create(model as string, options), feeds)
    }
  }
}
