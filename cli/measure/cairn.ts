import { InferenceSession, Tensor, type Type } from '../../runtime/index.js'
import type { Engine } from './engine.js'

export const cairn: Engine = {
  readsFiles: true,
  async open(model, feeds, { threads, device = 'wasm', precision }) {
    // The reference is the compiler's.
    if (device === 'reference') await import('../../compiler/index.js')
    if (device === 'webgpu') await (await import('../device/device.js')).openDevice(device)
    const executionProviders = [{ name: device, precision }]
    const session = await InferenceSession.create(model, { executionProviders, numThreads: threads })
    const given = Object.fromEntries(
      feeds.map(({ name, type, data, dims }) => [name, new Tensor(type as Type, data as Float32Array, dims)])
    )
    return {
      async run() {
        const results = await session.run(given)
        return Object.entries(results).map(([name, { dims, type, data }]) => ({ name, dims, type, data }))
      },
      release: () => session.release()
    }
  }
}
