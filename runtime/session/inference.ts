import { registerBackend, registerWebGpu } from '../backend/index.js'
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
  // Loaded when a session asks for it, so that others do not download it.
  registerWebGpu(() => import('../webgpu/webgpu.js'))
  return session
}
