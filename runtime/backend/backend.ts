import type { Dispatch } from '../../shaders/dispatch.js'
import { CairnError, Unavailable } from '../base/index.js'
import type { Bindings, CairnFile, Held, Observer, Stored } from '../file/index.js'
import type { FitOptions, FloatOptions, ImageSource, Scored } from '../tensor/index.js'

/**
 * A backend turns a decoded file into an executor: it places constants and activations in its own memory and runs the
 * program's calls in order. It knows kernels by name only; it does not know operators, ONNX, or the compiler, and it
 * never hands a call to another backend: what it cannot run it refuses when it loads.
 */
export interface Backend {
  readonly name: string
  /** Why it cannot run here; undefined, or absent, where it can. */
  missing?(provider: ProviderOptions): Promise<string | undefined>
  /** Whether it is only an imitation of its device on the CPU. */
  isFallback?(provider: ProviderOptions): Promise<boolean>
  /**
   * Begins before the file has arrived with whatever does not need it. Throws Unavailable where the backend itself cannot be
   * had here, before it reads more of the file than the header.
   */
  load(file: Promise<CairnFile>, options: LoadOptions): Promise<Executor>
}

export interface LoadOptions {
  /** Threads that the caller wants; a backend without threads takes no notice. */
  readonly numThreads: number
  /** Bytes that the model may take, constants and arena; `mostMemory` by default. */
  readonly maxMemory?: number
  /** Opens the file once more, for a backend whose device can be lost. */
  reopen(): Promise<CairnFile>
  readonly provider: ProviderOptions
}

/** What an entry of `executionProviders` may say besides its name. */
export interface ProviderOptions {
  /** WebGPU: the application's own device. It is the application's to destroy, and to replace when it is lost. */
  readonly device?: GPUDevice
  /** WebGPU: how activations are held. By default halves for files of half precision, where the device has them. */
  readonly precision?: Stored
}

/** Where an output is wanted: nowhere, in the CPU's memory, or left in the GPU's. */
export type Place = 'none' | 'cpu' | 'gpu-buffer'

/** What a run takes and gives: elements in the CPU's memory or, on WebGPU, in a buffer of the GPU's. */
export type Elements = Float32Array | GPUBuffer

/** Outputs in the order of the program's, then its counts and its faults; outputs that were not wanted may be missing. */
export type Ran = (Elements | undefined)[]

export interface Executor {
  /**
   * Runs once. Feeds and results are dense, in C order, in the order of the program's inputs and outputs. `places` says
   * which outputs are wanted where, all on the CPU by default; an executor may give more than is wanted. Where calls are made
   * on the CPU, the run ends behind the call that is under way when `signal` is given.
   */
  run(
    feeds: readonly Elements[],
    bindings: Bindings,
    places?: readonly Place[],
    signal?: AbortSignal
  ): Promise<Ran> | Ran
  /** As `run`, for the milliseconds that each call took. */
  profile?(feeds: readonly Elements[], bindings: Bindings): Promise<number[]> | number[]
  /** As `run`, call by call, each of which `see` looks at; shown again from the first where a device is lost. */
  observe(feeds: readonly Elements[], bindings: Bindings, see: Observer): Promise<void> | void
  release(): void | Promise<void>
  /** Threads that run the calls, where a backend has any. */
  readonly threads?: number
  /** Bytes of memory that the executor holds now. */
  readonly memoryBytes: number
  /** What a backend offers whose tensors may stay in its own memory: outputs that `run` is told to keep, as buffers. */
  readonly gpu?: GpuMemory
  /** Where the program has states: what they hold between runs, in the program's order. */
  readonly states?: StateMemory
  /** Of the binding that is in force, where calls become dispatches. */
  readonly dispatches?: readonly GpuDispatch[]
}

/** One dispatch of a run: what a kernel's call makes of itself on a GPU. */
export interface GpuDispatch extends Dispatch {
  /** The call that it is a part of, counted through the run; its graph node and its kernel. */
  readonly call: number
  /** Name of the graph node. */
  readonly node: string
  /** Name of the kernel. */
  readonly kernel: string
  /** The call's parameters, and of each buffer the address in elements, by field name (shaders/). */
  readonly block: Readonly<Record<string, number>>
  /** How the operand that may be weights is held. */
  readonly operand: Held
  /** Which of the run's pipelines, counted by their first use. */
  readonly pipeline: number
}

export interface StateMemory {
  /** A copy of what the state holds; behind all runs that were queued before. */
  read(index: number): Float32Array | Promise<Float32Array>
  write(index: number, elements: ArrayLike<number>): void
}

export interface TopRows {
  readonly rows: number
  /** Scores of a row. */
  readonly classes: number
  /** Scores that are wanted of each, at most as many as there are. */
  readonly count: number
  readonly softmax: boolean
}

export interface GpuMemory {
  readonly device: GPUDevice
  /** How the elements of its buffers are held. */
  readonly precision: Stored
  download(buffer: GPUBuffer, elements: number): Promise<Float32Array>
  /** A picture as a model's input, in a buffer that is given back by `dispose`. */
  image(source: ImageSource, options: FitOptions & FloatOptions): Promise<{ buffer: GPUBuffer; dims: number[] }>
  /** Runs once for the best classes of each row of an output. */
  top(feeds: readonly Elements[], bindings: Bindings, output: number, options: TopRows): Promise<Scored[][]>
  /** Takes back a buffer that a run has given, for later runs. */
  dispose(buffer: GPUBuffer): void
}

/** Memory that a model may take where nobody says otherwise: what WebAssembly can address. */
export const mostMemory = 2 ** 32

const backends = new Map<string, Backend>()

/** Makes a backend available to `executionProviders`. */
export function registerBackend(backend: Backend): void {
  backends.set(backend.name, backend)
}

/** An entry of `executionProviders`. */
export type Provider = { readonly name: string } & ProviderOptions

/** The backend of that name, where one is registered. */
export const backendNamed = (name: string): Backend | undefined => backends.get(name)

/**
 * What `load` makes of the first of `entries` that can be had here. Whatever keeps one from running counts, but not what its
 * backend has against the model. Throws Unavailable, with all reasons, where none is left.
 */
export async function firstAvailable<T>(
  entries: readonly Provider[],
  load: (backend: Backend, provider: Provider) => Promise<T>
): Promise<T> {
  const reasons: string[] = []
  for (const provider of entries) {
    const backend = backends.get(provider.name)
    const reason = await missing(backend, provider)
    if (backend && reason === undefined)
      try {
        return await load(backend, provider)
      } catch (error) {
        if (!(error instanceof Unavailable)) throw error
        reasons.push(`${provider.name}: ${error.message}`)
      }
    else reasons.push(`${provider.name}: ${reason}`)
  }
  if (!entries.length)
    throw new CairnError(`executionProviders is empty; ${[...backends.keys()].join(', ')} are allowed`)
  const names = entries.map(({ name }) => name).join(', ')
  throw new Unavailable(`no execution provider of [${names}] is available; ${reasons.join('; ')}`)
}

/** Why a backend cannot run here, as far as it knows before it loads; its own code may be what cannot be had. */
export async function missing(backend: Backend | undefined, provider: Provider): Promise<string | undefined> {
  if (!backend) return unregistered(provider.name)
  try {
    return await backend.missing?.(provider)
  } catch (error) {
    return (error as Error).message
  }
}

/** Why a device is not to be tried against others: it is not here, or it computes on the CPU after all. */
export async function notWorthTrying(provider: Provider): Promise<string | undefined> {
  const backend = backendNamed(provider.name)
  const reason = await missing(backend, provider)
  if (reason !== undefined) return reason
  return (await backend?.isFallback?.(provider))
    ? `the only adapter for ${provider.name} computes on the CPU`
    : undefined
}

function unregistered(name: string): string {
  if (name === 'reference') return 'import "cairnjs/compiler" first, which brings it'
  return `registered are ${[...backends.keys()].join(', ')}`
}

type OnnxCompiler = (bytes: Uint8Array, options: OnnxOptions) => Promise<Uint8Array>

/** Contents of a file of weights by the location that an ONNX model names. */
export type ExternalData = (location: string) => Uint8Array | Promise<Uint8Array>

interface OnnxOptions {
  readonly maxMemory?: number
  readonly externalData?: ExternalData
  /** Where the model is from, if that is known, and what reads files beside it. */
  readonly place?: string
  readonly read?: (place: string | URL) => Promise<Uint8Array>
}

let onnxCompiler: OnnxCompiler | undefined

/** Lets sessions be made from ONNX bytes; importing cairn/compiler calls it. */
export function registerCompiler(compiler: OnnxCompiler): void {
  onnxCompiler = compiler
}

export function findCompiler(): OnnxCompiler | undefined {
  return onnxCompiler
}
