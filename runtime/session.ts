import { CairnError, type Executor, findBackend, findCompiler } from './backend.js'
import { type Bindings, evaluate, show, showShape } from './dims.js'
import { threadsOf } from './env.js'
import { type CairnFile, decode, decodeSource, type Header, magic } from './format.js'
import { type Given, type SourceOptions, sourceOf } from './source.js'
import { copyFloats, fromFloats, type Tensor } from './tensor.js'

export interface SessionOptions {
  /** Backends by preference; the first that is available is taken. Default `['wasm']`. */
  readonly executionProviders?: readonly (string | { readonly name: string })[]
  /** Threads of the CPU path, 1 to 16; `env.wasm.numThreads` by default, and 1 where memory cannot be shared. */
  readonly numThreads?: number
  readonly signal?: AbortSignal
  readonly onProgress?: (loaded: number, total: number) => void
}

/** One kernel call of a profile: the graph node that it belongs to, its kernel, its time. */
export interface CallTime {
  readonly node: string
  readonly kernel: string
  readonly milliseconds: number
}

export type Feeds = Readonly<Record<string, Tensor>>
export type Results = Record<string, Tensor>

/** A loaded model. Made by `InferenceSession.create`; runs queue, so concurrent calls never mix. */
export class InferenceSession {
  private queue: Promise<unknown> = Promise.resolve()

  private constructor(
    private readonly header: Header,
    private executor: Executor | undefined,
    /** The backend that runs the model: `wasm`, `webgpu` or `reference`. */
    readonly device: string
  ) {}

  /** Loads .cairn bytes, a URL or Response of them, in Node also a path, or (with cairn/compiler imported) ONNX bytes. */
  static async create(
    source: Uint8Array | ArrayBuffer | string | URL | Response,
    options: SessionOptions = {}
  ): Promise<InferenceSession> {
    const names = (options.executionProviders ?? ['wasm']).map(entry =>
      typeof entry === 'string' ? entry : entry.name
    )
    const backend = await findBackend(names)
    const numThreads = threadsOf(options.numThreads)
    const file = open(source, options)
    try {
      const executor = await backend.load(file, { numThreads })
      return new InferenceSession((await file).header, executor, backend.name)
    } finally {
      await file.then(opened => opened.source.close()).catch(() => undefined)
    }
  }

  /** Threads that run the model. */
  get threads(): number {
    return this.executor?.threads ?? 1
  }

  get inputNames(): readonly string[] {
    return this.header.inputs.map(port => port.name)
  }

  get outputNames(): readonly string[] {
    return this.header.outputs.map(port => port.name)
  }

  /** Inputs with element types and dimensions; a free dimension is its name. */
  get inputMetadata(): readonly { name: string; type: string; shape: readonly (number | string)[] }[] {
    return this.header.inputs.map(({ name, dtype, shape }) => ({
      name,
      type: dtype,
      shape: shape.map(dim => (typeof dim === 'number' ? dim : show(dim)))
    }))
  }

  /** Bytes of memory that the model holds, constants and arena. */
  get memoryBytes(): number {
    return this.executor?.memoryBytes ?? 0
  }

  /**
   * Runs the model once. `fetches` names the wanted outputs, all by default. Throws CairnError for missing or unknown
   * inputs, types and shapes that the model does not take.
   */
  run(feeds: Feeds, fetches?: readonly string[]): Promise<Results> {
    let prepared: Prepared
    try {
      prepared = this.prepare(feeds, fetches)
    } catch (error) {
      return Promise.reject(error)
    }
    const turn = this.queue.then(() => this.runNow(prepared, fetches))
    this.queue = turn.catch(() => undefined)
    return turn
  }

  /** Runs once and tells what each kernel call took, in the order of the calls. */
  async profile(feeds: Feeds): Promise<CallTime[]> {
    const { bindings, data } = this.prepare(feeds)
    const turn = this.queue.then(async () => {
      if (!this.executor?.profile) throw new CairnError(`the device "${this.device}" does not time its calls`)
      const times = await this.executor.profile(data, bindings)
      const { calls, kernels } = this.header
      return times.map((milliseconds, i) => ({
        node: calls[i].node,
        kernel: kernels[calls[i].kernel].name,
        milliseconds
      }))
    })
    this.queue = turn.catch(() => undefined)
    return turn
  }

  async release(): Promise<void> {
    await this.queue
    const { executor } = this
    this.executor = undefined
    await executor?.release()
  }

  /** Checks the feeds and copies them, so that the caller may reuse its buffers while the run waits its turn. */
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
    return { bindings, data: inputs.map(port => copyFloats(feeds[port.name])) }
  }

  private async runNow({ bindings, data }: Prepared, fetches?: readonly string[]): Promise<Results> {
    if (!this.executor) throw new CairnError('the session has been released')
    const { outputs } = this.header
    const computed = await this.executor.run(data, bindings)
    const results: Results = {}
    outputs.forEach((port, i) => {
      if (fetches && !fetches.includes(port.name)) return
      const dims = port.shape.map(dim => evaluate(dim, bindings))
      results[port.name] = fromFloats(port.dtype, computed[i], dims)
    })
    return results
  }
}

interface Prepared {
  readonly bindings: Bindings
  readonly data: readonly Float32Array[]
}

/** Values of the free dimensions from the shapes of the inputs, everything else checked against them. */
function bindInputs(header: Header, feeds: Feeds): Bindings {
  const bindings: Record<string, number> = {}
  for (const port of header.inputs) {
    const feed = feeds[port.name]
    const wanted = `${port.dtype}${showShape(port.shape)}`
    if (!feed) throw new CairnError(`input "${port.name}" is missing; it takes ${wanted}`)
    if (!Array.isArray(feed.dims) || feed.data?.length !== feed.dims.reduce((a, b) => a * b, 1))
      throw new CairnError(`input "${port.name}" is not a tensor whose dims fit its data; it takes ${wanted}`)
    if (feed.type !== port.dtype) throw new CairnError(`input "${port.name}" is ${feed.type}; it takes ${wanted}`)
    if (feed.dims.length !== port.shape.length)
      throw new CairnError(
        `input "${port.name}" has ${feed.dims.length} dimensions [${feed.dims.join('×')}]; it takes ${wanted}`
      )
    port.shape.forEach((dim, axis) => {
      const name = typeof dim === 'number' ? undefined : freeName(dim)
      const size = feed.dims[axis]
      if (name !== undefined && bindings[name] === undefined) bindings[name] = size
      if (size < 1 || evaluate(dim, bindings) !== size)
        throw new CairnError(
          `input "${port.name}" has size ${size} on axis ${axis}; it takes ${wanted}${name ? ` with ${name} at least 1 and the same everywhere` : ''}`
        )
    })
  }
  if (header.free.length && header.storages.some(size => evaluate(size, bindings) < 1))
    throw new CairnError(`the model leaves nothing of an input with ${describe(bindings)}; larger sizes are allowed`)
  for (const { a, b, where } of header.constraints) {
    const [left, right] = [evaluate(a, bindings), evaluate(b, bindings)]
    if (left !== right)
      throw new CairnError(
        `${where} cannot join sizes ${left} (${show(a)}) and ${right} (${show(b)}) for ${describe(bindings)}`
      )
  }
  return bindings
}

/** The free dimension that `dim` is, and nothing else. */
export function freeName(dim: Exclude<Header['inputs'][number]['shape'][number], number>): string | undefined {
  const [term] = dim.terms
  const [atom] = term.atoms
  return dim.terms.length === 1 && term.factor === 1 && term.atoms.length === 1 && atom.op === 'free'
    ? atom.name
    : undefined
}

function describe(bindings: Bindings): string {
  return Object.entries(bindings)
    .map(([name, value]) => `${name}=${value}`)
    .join(', ')
}

/** The file that a session is made from, compiled where it is ONNX. */
export async function open(given: Given, options: SourceOptions): Promise<CairnFile> {
  const source = await sourceOf(given, options)
  try {
    const head = await source.head(4)
    options.signal?.throwIfAborted()
    const isCairn = head.length < 4 || new DataView(head.buffer, head.byteOffset).getUint32(0, true) === magic
    if (isCairn) return await decodeSource(source)
    const compile = findCompiler()
    if (!compile)
      throw new CairnError(`${nameOf(given)} is not a .cairn file; to load ONNX import "cairn/compiler" first`)
    const compiled = decode(await compile(await source.all()))
    await source.close()
    return compiled
  } catch (error) {
    await source.close()
    throw error
  }
}

function nameOf(given: Given): string {
  if (typeof given === 'string' || given instanceof URL) return `"${given}"`
  return 'url' in given && given.url ? `"${given.url}"` : 'the model'
}
