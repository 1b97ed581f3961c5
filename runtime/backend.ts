import type { Bindings } from './dims.js'
import type { CairnFile } from './format.js'

/**
 * A backend turns a decoded file into an executor: it places constants and activations in its own memory and runs the
 * program's calls in order. It knows kernels by name only; it does not know operators, ONNX, or the compiler, and it
 * never hands a call to another backend: what it cannot run it refuses when it loads.
 */
export interface Backend {
  readonly name: string
  /** Why it cannot run here; undefined, or absent, where it can. */
  missing?(): Promise<string | undefined>
  /** Begins before the file has arrived with whatever does not need it. */
  load(file: Promise<CairnFile>, options: LoadOptions): Promise<Executor>
}

export interface LoadOptions {
  /** Threads that the caller wants; a backend without threads takes no notice. */
  readonly numThreads: number
}

export interface Executor {
  /** Runs once. Feeds and results are dense, in C order, in the order of the program's inputs and outputs. */
  run(feeds: readonly Float32Array[], bindings: Bindings): Promise<Float32Array[]> | Float32Array[]
  /** As `run`, for the milliseconds that each call took. */
  profile?(feeds: readonly Float32Array[], bindings: Bindings): Promise<number[]> | number[]
  release(): void | Promise<void>
  /** Threads that run the calls, where a backend has any. */
  readonly threads?: number
  /** Bytes of memory that the executor holds now. */
  readonly memoryBytes: number
}

/** A refusal by the runtime, one line: what, where, what is allowed. */
export class CairnError extends Error {
  override name = 'CairnError'
}

const backends = new Map<string, Backend>()

/** Makes a backend available to `executionProviders`. */
export function registerBackend(backend: Backend): void {
  backends.set(backend.name, backend)
}

/** The first of `names` that is registered and can run here; throws CairnError, with the reasons, when none can. */
export async function findBackend(names: readonly string[]): Promise<Backend> {
  const reasons: string[] = []
  for (const name of names) {
    const backend = backends.get(name)
    const reason = backend ? await backend.missing?.() : `registered are ${[...backends.keys()].join(', ')}`
    if (backend && reason === undefined) return backend
    reasons.push(`${name}: ${reason}`)
  }
  throw new CairnError(`no execution provider of [${names.join(', ')}] is available; ${reasons.join('; ')}`)
}

type OnnxCompiler = (bytes: Uint8Array) => Promise<Uint8Array>
let onnxCompiler: OnnxCompiler | undefined

/** Lets sessions be made from ONNX bytes; importing cairn/compiler calls it. */
export function registerCompiler(compiler: OnnxCompiler): void {
  onnxCompiler = compiler
}

export function findCompiler(): OnnxCompiler | undefined {
  return onnxCompiler
}
