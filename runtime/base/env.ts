import type { WasmFile } from '../beside.js'
import { CairnError } from './errors.js'

/** Where a .wasm file is, or what an engine has compiled of it that forbids programs to do so (Cloudflare Workers). */
export type WasmPlace = string | URL | WebAssembly.Module

/** Settings of the process, in the manner of onnxruntime-web; they count for sessions made after they are set. */
export interface WasmEnvironment {
  /** Threads of sessions that do not say themselves; 1 by default. */
  numThreads?: number
  /** Where the .wasm files are, when not beside the runtime: what to put in front of their names, the only one, or each one's place. */
  wasmPaths?: string | WebAssembly.Module | Partial<Record<WasmFile, WasmPlace>>
  /** The instructions that kernels may use; the best that the engine has by default. */
  binary?: 'simd' | 'relaxed'
  /**
   * The binary for engines that join operations on 16 bytes to such on 32, an experiment of V8's: `auto` takes it where a timed
   * trial says that the engine does, `true` also asks V8 for it in Node on x64, for the whole process, which Node calls unsafe
   * once it runs. Not said: as `auto` in a Node that was started with `--experimental-wasm-revectorize`, else as `false`.
   */
  wide?: boolean | 'auto'
}

/** Settings of WebGPU; they count for sessions made after they are set. */
export interface WebGpuEnvironment {
  /** The application's own device, instead of one that sessions share. */
  device?: GPUDevice
  /** Where adapters come from; `navigator.gpu`, or in Node the package `webgpu`, by default. */
  gpu?: GPU
  /** Which of several GPUs; `high-performance` by default. */
  powerPreference?: GPUPowerPreference
}

/** Settings of the process. */
export interface Environment {
  /** The CPU path. */
  readonly wasm: WasmEnvironment
  /** The GPU. */
  readonly webgpu: WebGpuEnvironment
  /** What is said on the console: warnings and what is worse by default. */
  logLevel?: 'verbose' | 'info' | 'warning' | 'error' | 'fatal'
}

/** Settings of the process, as in onnxruntime-web: `env.wasm`, `env.webgpu` and `env.logLevel`. */
export const env: Environment = { wasm: {}, webgpu: {} }

export const mostThreads = 16

/** The number of threads that a session asks for, `given` or the environment's. */
export function threadsOf(given: number | undefined): number {
  const count = given ?? env.wasm.numThreads ?? 1
  if (!Number.isInteger(count) || count < 1 || count > mostThreads)
    throw new CairnError(`numThreads ${count}; a whole number from 1 to ${mostThreads} is allowed`)
  return count
}
