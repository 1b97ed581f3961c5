import {
  type Elements,
  type Executor,
  firstAvailable,
  type GpuDispatch,
  type Provider,
  type ProviderOptions,
  refuseFaults
} from '../backend/index.js'
import { CairnError, isBytes, threadsOf } from '../base/index.js'
import { checkBound } from '../check/index.js'
import {
  type Bindings,
  type CairnFile,
  cutsOf,
  evaluate,
  freeName,
  type Given,
  type Header,
  type Sums,
  show
} from '../file/index.js'
import {
  checkImage,
  type FitOptions,
  type FloatOptions,
  fromFloats,
  type ImageSource,
  imageElements,
  pictureOf,
  type Scored,
  Tensor
} from '../tensor/index.js'
import { bindInputs, type Feeds, leavesNothing } from './binding.js'
import { checkKept, cutOutput } from './cut.js'
import type { Verification } from './golden.js'
import { elementsOf, type Location, refusedLocation, tensorOf } from './location.js'
import { type Opening, open, reopening } from './open.js'
import { topRows } from './top.js'

/** How a session is made. */
export interface SessionOptions extends Opening {
  /**
   * Backends by preference: `webgpu`, `wasm`, `reference` (with cairn/compiler); the first that can run here is taken.
   * `auto` tries WebGPU and the CPU path on the model and takes the faster. By default `wasm`, and `webgpu` where that cannot
   * run and the browser has it.
   */
  readonly executionProviders?: readonly (string | ({ readonly name: string } & ProviderOptions))[]
  /** Threads of the CPU path, 1 to 16; `env.wasm.numThreads` by default, and 1 where memory cannot be shared. */
  readonly numThreads?: number
  /** Where outputs are left, all or by name; on WebGPU they can stay on the GPU. Default `cpu`. */
  readonly preferredOutputLocation?: Location | Readonly<Record<string, Location>>
}

/** One kernel call of a profile: the graph node that it belongs to, its kernel, its time. */
export interface CallTime {
  /** Name of the graph node. */
  readonly node: string
  /** Name of the kernel. */
  readonly kernel: string
  /** Time of the call. */
  readonly milliseconds: number
}

/** Which classes `top` gives. */
export interface TopOptions {
  /** Classes a row, best first; 5 by default. */
  readonly count?: number
  /** The output that holds the scores; the first by default. */
  readonly output?: string
  /** Brings scores that are no probabilities to some. */
  readonly softmax?: boolean
}

/** How a run is made. */
export interface RunOptions {
  /** Ends the run with the signal's reason: at once for the caller, on the CPU behind the kernel call that is under way. */
  readonly signal?: AbortSignal
}

/** Tensors by the name of the output. */
export type Results = Record<string, Tensor>

/** A loaded model. Made by `InferenceSession.create`; runs queue, so concurrent calls never mix. */
export class InferenceSession {
  private queue: Promise<unknown> = Promise.resolve()
  /** The sizes of free dimensions for which the calls are known to stay inside their buffers. */
  private checked = ''
  /** What `auto` has measured, in words. */
  declare readonly choice?: string

  private constructor(
    private readonly header: Header,
    private executor: Executor | undefined,
    /** The backend that runs the model: `wasm`, `webgpu` or `reference`. */
    readonly device: string,
    private readonly options: SessionOptions
  ) {}

  /** Loads .cairn bytes, a URL or Response of them, in Node also a path, or (with cairn/compiler imported) ONNX bytes. */
  static async create(source: Given, options: SessionOptions = {}): Promise<InferenceSession> {
    const { executionProviders = usualProviders(), preferredOutputLocation } = options
    if (!executionProviders?.every?.(isProvider))
      throw new CairnError(`executionProviders is a list of names, as ['webgpu', 'wasm']`)
    let entries: Provider[] = executionProviders.map(entry => (typeof entry === 'string' ? { name: entry } : entry))
    const auto = entries.find(({ name }) => name === 'auto')
    if (auto) {
      // Service workers cannot load the trial, but where it is in a bundle.
      const trial = await import('./auto.js').catch(() => undefined)
      if (trial) return trial.chooseDevice(source, auto, options, InferenceSession.create)
      entries = ['wasm', 'webgpu'].map(name => ({ ...auto, name }))
    }
    const numThreads = threadsOf(options.numThreads)
    const { maxMemory, maxWork, externalData, place } = options
    const reopen = reopening(source, { maxMemory, maxWork, externalData, place })
    let file: Promise<CairnFile> | undefined
    options.signal?.throwIfAborted()
    // Bytes are here, and Cloudflare's global scope makes no controllers.
    const over = isBytes(source) ? undefined : new AbortController()
    const stop = () => over?.abort(options.signal!.reason)
    options.signal?.addEventListener('abort', stop)
    try {
      return await firstAvailable(entries, async (backend, provider) => {
        file ??= open(source, { ...options, signal: over?.signal ?? options.signal })
        // Whoever loads it awaits it, perhaps behind other things.
        file.catch(() => undefined)
        const executor = await backend.load(file, { numThreads, maxMemory, reopen, provider })
        const refusal = refusedLocation(preferredOutputLocation, executor, backend.name)
        if (refusal || options.signal?.aborted) {
          await executor.release()
          throw refusal ?? options.signal!.reason
        }
        return new InferenceSession((await file).header, executor, backend.name, options)
      })
    } catch (error) {
      // Where no provider is left, what has not come yet is not waited for.
      over?.abort()
      // The compiler's: the model can be compiled once a run has brought what it depends on.
      const { late } = error as { late?: (create: unknown, options: SessionOptions) => InferenceSession }
      if (late) return late(InferenceSession.create, options)
      throw error
    } finally {
      options.signal?.removeEventListener('abort', stop)
      await file?.then(opened => opened.source.close()).catch(() => undefined)
    }
  }

  /** Threads that run the model. */
  get threads(): number {
    return this.executor?.threads ?? 1
  }

  /** How activations are held: on WebGPU possibly as halves. */
  get precision(): 'f32' | 'f16' {
    return this.executor?.gpu?.precision ?? 'f32'
  }

  /** In the order of the model. */
  get inputNames(): readonly string[] {
    return this.header.inputs.map(port => port.name)
  }

  /** In the order of the model. */
  get outputNames(): readonly string[] {
    return this.header.outputs.map(port => port.name)
  }

  /** Inputs with element types and dimensions; a free dimension is its name. */
  get inputMetadata(): readonly { name: string; type: string; shape: readonly (number | string)[] }[] {
    return this.header.inputs.map(({ name, dtype, shape }) => ({
      name,
      type: dtype,
      shape: shape.map(dim => (typeof dim === 'number' ? dim : (freeName(dim) ?? show(dim))))
    }))
  }

  /** Bytes of memory that the model holds, constants and arena. */
  get memoryBytes(): number {
    return this.executor?.memoryBytes ?? 0
  }

  /**
   * On WebGPU, what a run hands to the GPU, in order, at the sizes of the last run (where none is free, before the first as
   * well); empty on other devices.
   */
  get dispatches(): readonly GpuDispatch[] {
    return this.executor?.dispatches ?? []
  }

  /**
   * Runs the model once. `fetches` names the wanted outputs, all by default. Throws CairnError for missing or unknown
   * inputs, types and shapes that the model does not take.
   */
  run(feeds: Feeds, options: RunOptions): Promise<Results>
  run(feeds: Feeds, fetches?: readonly string[], options?: RunOptions): Promise<Results>
  run(feeds: Feeds, given?: readonly string[] | RunOptions, options?: RunOptions): Promise<Results> {
    const fetches = isList(given) ? given : undefined
    const { signal } = (isList(given) ? options : (given ?? options)) ?? {}
    if (signal !== undefined && typeof signal?.throwIfAborted !== 'function')
      return Promise.reject(new CairnError('signal is no AbortSignal'))
    const places = this.outputNames.map(name => (fetches?.includes(name) === false ? 'none' : this.locationOf(name)))
    const work = async (executor: Executor, { bindings, data }: Prepared) => {
      const { header } = this
      const shapes = header.outputs.map(({ shape }) => shape.map(dim => evaluate(dim, bindings)))
      shapes.forEach((dims, i) => {
        checkKept(header, i, dims, places[i])
      })
      if (leavesNothing(header, bindings)) return emptyResults(header.outputs, shapes, fetches)
      const computed = await executor.run(data, bindings, places, signal)
      try {
        signal?.throwIfAborted()
        refuseFaults(header, computed, bindings)
      } catch (error) {
        for (const each of computed) if (each && !ArrayBuffer.isView(each)) executor.gpu!.dispose(each)
        throw error
      }
      const results: Results = {}
      header.outputs.forEach(({ name, dtype }, i) => {
        if (fetches?.includes(name) === false) return
        const { data, dims } = cutOutput(header, computed, i, shapes[i])
        results[name] = tensorOf(dtype, data, dims, executor)
      })
      return results
    }
    return this.inTurn(feeds, fetches, work, signal)
  }

  /** Runs once and tells what each kernel call took, in the order of the calls. */
  profile(feeds: Feeds): Promise<CallTime[]> {
    return this.inTurn(feeds, undefined, async (executor, { bindings, data }) => {
      if (!executor.profile) throw new CairnError(`the device "${this.device}" does not time its calls`)
      const { calls, kernels } = this.header
      if (leavesNothing(this.header, bindings)) return []
      const times = await executor.profile(data, bindings)
      return times.map((milliseconds, i) => ({
        node: calls[i].node,
        kernel: kernels[calls[i].kernel].name,
        milliseconds
      }))
    })
  }

  /** Runs once for the best classes of an output, a list for each image. On WebGPU only these come back from the GPU. */
  top(
    feeds: Feeds,
    { count = 5, output = this.outputNames[0], softmax = false }: TopOptions = {}
  ): Promise<Scored[][]> {
    if (!Number.isInteger(count) || count < 1)
      return Promise.reject(new CairnError(`count ${count}; a whole number from 1 is allowed`))
    return this.inTurn(feeds, [output], (executor, { bindings, data }) => {
      const at = this.outputNames.indexOf(output)
      if (cutsOf(this.header, at).length)
        throw new CairnError(`output "${output}" is cut to what a run finds; rows of a fixed size have best classes`)
      const dims = this.header.outputs[at].shape.map(dim => evaluate(dim, bindings))
      if (dims.includes(0)) return Promise.resolve([])
      return topRows(executor, this.header, data, bindings, { output: at, dims, count, softmax })
    })
  }

  /**
   * A picture (bytes, canvas, image, bitmap, video or frame) as a tensor for this session: resized, cut and normalised. On
   * WebGPU all that happens on the GPU, where the tensor stays until `dispose`.
   */
  async imageTensor(source: ImageSource, options: FitOptions & FloatOptions): Promise<Tensor> {
    if (!this.executor) throw new CairnError('the session has been released')
    checkImage(source, options)
    const { gpu } = this.executor
    if (!gpu) {
      const { data, dims } = imageElements(pictureOf(source), options)
      return new Tensor('float32', data, dims)
    }
    const { buffer, dims } = await gpu.image(source, options)
    return tensorOf('float32', buffer, dims, this.executor)
  }

  /**
   * The self-check of a file that was compiled with `golden`: runs the file's own input layer by layer, on this session's
   * device, and compares what each layer writes with what the compiler has computed in double precision.
   */
  async verify(): Promise<Verification> {
    const { header } = this
    const { golden } = header
    if (!golden) throw new CairnError('the file has no golden data to be verified with; cairn compile --golden adds it')
    const { goldenFeeds, judge, summarise } = await import('./golden.js').catch(error => {
      throw new CairnError(`the self-check cannot be loaded here: ${error.message}`)
    })
    return this.inTurn(goldenFeeds(header, golden), undefined, async (executor, { bindings, data }) => {
      if (leavesNothing(header, bindings)) throw new CairnError('the outputs are empty: there is nothing to verify')
      const found: Sums[] = []
      await executor.observe(data, bindings, (call, written) => {
        found[call] = summarise(written)
      })
      return judge(header, golden, found, this.precision)
    })
  }

  /** Frees memory and threads, behind the runs that wait; later calls are refused. */
  async release(): Promise<void> {
    await this.queue
    const { executor } = this
    this.executor = undefined
    await executor?.release()
  }

  /**
   * Checks and copies the feeds, so that the caller may reuse its arrays, and does `work` behind all that was asked before. Buffers
   * of the GPU's are not copied: they are to stay as they are until then. What has not begun when `signal` is given never does.
   */
  private inTurn<T>(
    feeds: Feeds,
    fetches: readonly string[] | undefined,
    work: (executor: Executor, prepared: Prepared) => Promise<T>,
    signal?: AbortSignal
  ): Promise<T> {
    let prepared: Prepared
    try {
      signal?.throwIfAborted()
      prepared = this.prepare(feeds, fetches)
    } catch (error) {
      return Promise.reject(error)
    }
    const turn = this.queue.then(() => {
      signal?.throwIfAborted()
      if (!this.executor) throw new CairnError('the session has been released')
      return work(this.executor, prepared)
    })
    this.queue = turn.catch(() => undefined)
    return signal ? unless(signal, turn) : turn
  }

  private prepare(feeds: Feeds, fetches?: readonly string[]): Prepared {
    if (!this.executor) throw new CairnError('the session has been released')
    if (!feeds || typeof feeds !== 'object')
      throw new CairnError(`run takes its inputs by name: ${this.inputNames.join(', ')}`)
    const { inputs, outputs } = this.header
    for (const name of Object.keys(feeds))
      if (!inputs.some(port => port.name === name))
        throw new CairnError(`no input "${name}"; the model takes ${this.inputNames.map(n => `"${n}"`).join(', ')}`)
    for (const name of fetches ?? [])
      if (!outputs.some(port => port.name === name))
        throw new CairnError(`no output "${name}"; the model gives ${this.outputNames.map(n => `"${n}"`).join(', ')}`)
    const bindings = bindInputs(this.header, feeds)
    const key = this.header.free.map(name => bindings[name]).join()
    if (key !== this.checked && !leavesNothing(this.header, bindings)) {
      checkBound(this.header, bindings, this.options.maxWork)
      this.checked = key
    }
    return { bindings, data: inputs.map(port => elementsOf(port.name, feeds[port.name], this.executor!, this.device)) }
  }

  private locationOf(output: string): Location {
    const { preferredOutputLocation: locations = 'cpu' } = this.options
    return typeof locations === 'string' ? locations : (locations[output] ?? 'cpu')
  }
}

/** The CPU path, and for pages that forbid it (a policy without 'wasm-unsafe-eval') the browser's own GPU. */
const usualProviders = () => (globalThis.navigator?.gpu ? ['wasm', 'webgpu'] : ['wasm'])
/** What a run gives that leaves nothing. */
function emptyResults(outputs: Header['outputs'], shapes: readonly number[][], fetches?: readonly string[]): Results {
  return Object.fromEntries(
    outputs.flatMap(({ name, dtype }, i) =>
      fetches?.includes(name) === false ? [] : [[name, fromFloats(dtype, new Float32Array(0), shapes[i])]]
    )
  )
}

const isList = (given: readonly string[] | RunOptions | undefined): given is readonly string[] => Array.isArray(given)

/** As `turn`, which goes on by itself, unless `signal` is given first. */
function unless<T>(signal: AbortSignal, turn: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const stop = () => reject(signal.reason)
    signal.addEventListener('abort', stop)
    const settled = () => signal.removeEventListener('abort', stop)
    turn.then(resolve, reject).then(settled)
  })
}

interface Prepared {
  readonly bindings: Bindings
  readonly data: readonly Elements[]
}

const isProvider = (entry: unknown): boolean => typeof ((entry as { name?: unknown })?.name ?? entry) === 'string'
