import type { Env } from 'onnxruntime-common'
import { env as ours } from '../../runtime/base/index.js'
import type { CairnSettings } from '../types.js'

/** Cairn's settings in onnxruntime's. */
export const settingsOf = (env: Env): CairnSettings => (env.cairn as CairnSettings | undefined) ?? {}

const most = 16

/** As onnxruntime-web: what is set, or else half of the cores, four at most; one where memory cannot be shared. */
export function threadsFor(given: number | undefined): number {
  if (given !== undefined && given >= 1) return Math.min(Math.floor(given), most)
  if (globalThis.crossOriginIsolated === false) return 1
  const cores = globalThis.navigator?.hardwareConcurrency ?? nodeCores() ?? 1
  return Math.min(Math.ceil(cores / 2), 4)
}

const nodeCores = () => globalThis.process?.getBuiltinModule?.('node:os')?.availableParallelism()

/** What onnxruntime-web makes of its flags in front of the first session, and what of them counts here too. */
export function settle(env: Env): void {
  const { wasm } = env
  if (!(typeof wasm.initTimeout === 'number' && wasm.initTimeout >= 0)) wasm.initTimeout = 0
  if (typeof wasm.proxy !== 'boolean') wasm.proxy = false
  if (typeof wasm.trace !== 'boolean') wasm.trace = false
  if (!(Number.isInteger(wasm.numThreads) && wasm.numThreads! > 0)) wasm.numThreads = threadsFor(undefined)
}

/** Hands on what the runtime takes from its own environment. */
export function handOn(env: Env): void {
  const { wasmPaths } = settingsOf(env)
  if (wasmPaths !== undefined) ours.wasm.wasmPaths = wasmPaths
  if (env.wasm.simd === 'fixed') ours.wasm.binary = 'simd'
  const { powerPreference } = env.webgpu ?? {}
  if (powerPreference) ours.webgpu.powerPreference = powerPreference
}
