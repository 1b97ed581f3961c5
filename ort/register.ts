import type { InferenceSessionFactory } from 'onnxruntime-common'
import { backendOf } from './session/backend.js'
import type { OnnxRuntime } from './types.js'

/** Above onnxruntime-node's 100. */
const priority = 1000

/** Those that cannot be had here are taken too, to be passed over: the session goes on, on the CPU. */
const names = [
  ...['webgl', 'webnn', 'cuda', 'dml', 'coreml', 'nnapi', 'tensorrt', 'qnn', 'xnnpack'],
  ...['webgpu', 'wasm', 'cpu', 'cairn']
]

/** Of all copies of this package in the process: a second backend of the same name and priority would be refused. */
const registry = Symbol.for('cairnjs.onnxruntime')
const shared = globalThis as { [registry]?: WeakSet<object> }

/** Makes Cairn the backend of an instance of onnxruntime-common; a second time nothing happens. */
export function registerWith(ort: OnnxRuntime): void {
  const known = (shared[registry] ??= new WeakSet())
  if (known.has(ort.registerBackend)) return
  known.add(ort.registerBackend)
  const backend = backendOf(ort)
  for (const name of names) ort.registerBackend(name, backend, priority)
  const taken = names.filter(name => !isOurs(ort, name))
  // Whoever asks for none gets the first in line, which asking has moved.
  ort.registerBackend('cairn', backend, priority)
  if (taken.length) redirect(ort.InferenceSession, taken)
}

/** Whether a name is the backend's: whoever else comes with the same priority is refused then, and nothing happens otherwise. */
function isOurs(ort: OnnxRuntime, name: string): boolean {
  const create = () => Promise.reject(new Error('no backend'))
  const other = { init: async () => undefined, createInferenceSessionHandler: create, createSessionHandler: create }
  try {
    ort.registerBackend(name, other, priority)
    return false
  } catch {
    return true
  }
}

type Given = string | { readonly name: string }

/**
 * A name stays with who had it first, whatever the priority of the next. Sessions that ask for one of `taken` are made to ask for
 * Cairn, which is told what was wanted.
 */
function redirect(sessions: InferenceSessionFactory, taken: readonly string[]): void {
  const create = sessions.create as (...given: unknown[]) => Promise<never>
  const renamed = (provider: Given) => {
    const entry = typeof provider === 'string' ? { name: provider } : provider
    return taken.includes(entry.name) ? { ...entry, name: 'cairn', wanted: entry.name } : provider
  }
  sessions.create = (...given: unknown[]) => {
    const all = given.map((each, i) => {
      const providers = i && (each as { executionProviders?: readonly Given[] } | undefined)?.executionProviders
      return Array.isArray(providers) ? { ...(each as object), executionProviders: providers.map(renamed) } : each
    })
    return create.apply(sessions, all)
  }
}
