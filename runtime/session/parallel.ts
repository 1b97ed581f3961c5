import { CairnError } from '../base/index.js'
import { kernelsFor, mayUseWorkers, type Spawned, spawn } from '../cpu/index.js'
import { type Dim, decode, freeName } from '../file/index.js'
import { inBrowser, inNode } from '../session-worker-place.js'
import type { Data, Tensor } from '../tensor/index.js'
import type { Feeds } from './binding.js'
import { open } from './open.js'
import { buffersOf, mapped, type Parcels, pack, type Reply, type Request, unpack } from './parcel.js'
import type { Results, SessionOptions } from './session.js'

/** How a parallel session is made. */
export interface ParallelOptions extends Pick<SessionOptions, 'signal' | 'onProgress' | 'maxMemory' | 'maxWork'> {
  /** Workers, each with the whole model in memory of its own; 2 by default. */
  readonly workers?: number
}

/**
 * Throughput without shared memory: several workers have a session each, on one thread, and a batch is split among
 * them. A run of one image is one worker's, so that calls at the same time run beside each other. The model must have
 * one free first dimension in all inputs and outputs, and compute each image without the others.
 */
export class ParallelSession {
  private next = 0

  private constructor(
    /** In the order of the model. */
    readonly inputNames: readonly string[],
    /** In the order of the model. */
    readonly outputNames: readonly string[],
    private readonly members: readonly Member[]
  ) {}

  /**
   * Loads .cairn bytes, a URL or Response of them, in Node also a path, into every worker. Throws CairnError where
   * the host has no workers, and for models whose inputs and outputs do not all begin with the same free dimension.
   */
  static async create(source: Parameters<typeof open>[0], options: ParallelOptions = {}): Promise<ParallelSession> {
    const { workers = 2, maxMemory, maxWork } = options
    if (!Number.isInteger(workers) || workers < 1 || workers > 64)
      throw new CairnError(`workers ${workers}; a whole number from 1 to 64 is allowed`)
    if (!mayUseWorkers()) throw new CairnError('a parallel session needs workers, which this host does not have')
    const opened = open(source, options)
    const kernels = kernelsFor(opened, false)
    kernels.catch(() => undefined)
    const { header, source: arriving } = await opened
    const bytes = await arriving.all().finally(() => arriving.close())
    decode(bytes)
    const batch = header.inputs.map(({ shape }) => nameOf(shape[0]))[0]
    for (const { name, shape } of [...header.inputs, ...header.outputs])
      if (batch === undefined || nameOf(shape[0]) !== batch)
        throw new CairnError(
          `"${name}" cannot be split; the same free first dimension in all inputs and outputs is needed`
        )
    if (header.counts.length)
      throw new CairnError('a model whose outputs have as many rows as a run finds cannot be split')
    const members: Member[] = []
    const names = (ports: readonly { readonly name: string }[]) => ports.map(({ name }) => name)
    const session = new ParallelSession(names(header.inputs), names(header.outputs), members)
    try {
      for (let i = 0; i < workers; i++) members.push(new Member())
      const module = await kernels
      await Promise.all(
        members.map(member => member.ask({ kind: 'open', file: bytes, module, limits: { maxMemory, maxWork } }))
      )
    } catch (error) {
      await session.release()
      throw error
    }
    return session
  }

  /** How many there are. */
  get workers(): number {
    return this.members.length
  }

  /** As a session's `run`; the images come back in their order. */
  async run(feeds: Feeds, fetches?: readonly string[]): Promise<Results> {
    for (const [name, feed] of Object.entries(feeds))
      if (!isTensor(feed)) throw new CairnError(`input "${name}" is not a Tensor`)
    const sizes = Object.values(feeds).map(({ dims }) => dims[0])
    const [images = 1] = sizes
    if (sizes.some(size => size !== images))
      throw new CairnError(`the inputs have ${sizes.join(' and ')} images; all must have as many`)
    const parts = Math.max(Math.min(images, this.workers), 1)
    const first = this.next
    this.next = (first + parts) % this.workers
    const answers = Array.from({ length: parts }, (_, i) => {
      const part = cut(pack(feeds), Math.floor((i * images) / parts), Math.floor(((i + 1) * images) / parts))
      return this.members[(first + i) % this.workers].ask({ kind: 'run', feeds: part, fetches }, buffersOf(part))
    })
    return unpack(join(await Promise.all(answers), images))
  }

  /** Ends the workers, behind the runs that they have been given. */
  async release(): Promise<void> {
    await Promise.all(this.members.map(member => member.end()))
  }
}

/** Of this copy of the package, of another, or of onnxruntime. */
const isTensor = (feed: Partial<Tensor> | undefined) => ArrayBuffer.isView(feed?.data) && Array.isArray(feed.dims)

const nameOf = (dim: Dim | undefined) => (dim === undefined ? undefined : freeName(dim))

/** The images from `from` to `to`. */
function cut(feeds: Parcels, from: number, to: number): Parcels {
  return mapped(feeds, ({ type, data, dims }) => {
    const each = data.length / Math.max(dims[0], 1)
    return { type, data: data.slice(from * each, to * each), dims: [to - from, ...dims.slice(1)] }
  })
}

function join(parts: readonly Parcels[], images: number): Parcels {
  return mapped(parts[0], ({ type, data: first, dims }, name) => {
    const each = first.length / Math.max(dims[0], 1)
    const data = new (first.constructor as new (length: number) => Data)(each * images)
    let at = 0
    for (const part of parts) {
      data.set(part[name].data as never, at)
      at += part[name].data.length
    }
    return { type, data, dims: [images, ...dims.slice(1)] }
  })
}

/** One worker, and those who wait for its answers. */
class Member {
  private readonly waiting: { resolve(results: Parcels): void; reject(error: Error): void }[] = []
  private readonly worker: Spawned
  private last: Promise<unknown> = Promise.resolve()
  private failure: string | undefined

  constructor() {
    this.worker = spawn(inBrowser, inNode, {
      message: data => this.hear(data as Reply),
      failed: why => this.fail(`a worker of the parallel session has failed: ${why}`)
    })
  }

  ask(request: Request, transfer?: ArrayBuffer[]): Promise<Parcels> {
    const answer = new Promise<Parcels>((resolve, reject) => {
      if (this.failure) throw new CairnError(this.failure)
      this.worker.hold(true)
      this.worker.post(request, transfer)
      this.waiting.push({ resolve, reject })
    })
    this.last = answer.catch(() => undefined)
    return answer
  }

  /** Ends the worker once it has answered everything. */
  async end(): Promise<void> {
    this.failure ??= 'the session has been released'
    await this.last
    await this.worker.end()
  }

  private hear(reply: Reply): void {
    const { resolve, reject } = this.waiting.shift()!
    if ('results' in reply) resolve(reply.results)
    else reject(new CairnError(reply.error))
    if (!this.waiting.length) this.worker.hold(false)
  }

  private fail(why: string): void {
    this.failure ??= why
    for (const { reject } of this.waiting.splice(0)) reject(new CairnError(this.failure))
  }
}
