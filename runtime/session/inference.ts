import { backendNamed, registerBackend } from '../backend/index.js'
import { Unavailable } from '../base/index.js'
import { wasmBackend } from '../cpu/index.js'
import { InferenceSession as Session } from './session.js'

/**
 * Sessions with the backends that this package brings. They come along with the class and not with the entry point, so that
 * a bundle that makes no sessions has none of them.
 */
export const InferenceSession = /* @__PURE__ */ withBackends(Session)
export type InferenceSession = Session

function withBackends(session: typeof Session): typeof Session {
  registerBackend(wasmBackend)
  // Loaded when a session asks for it, so that others do not download it, unless `cairnjs/webgpu` has brought it.
  if (!backendNamed('webgpu'))
    registerBackend({
      name: 'webgpu',
      missing: async provider => (await webgpu()).missing(provider),
      isFallback: async provider => (await webgpu()).isFallback(provider),
      load: async (file, options) => (await webgpu()).load(file, options)
    })
  return session
}

async function webgpu() {
  try {
    return (await import('../webgpu/webgpu.js')).webgpuBackend
  } catch (error) {
    throw new Unavailable(
      `its code cannot be loaded here (${(error as Error).message}); import "cairnjs/webgpu" brings it along`
    )
  }
}
