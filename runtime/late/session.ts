import { CairnError, env } from '../base/index.js'
import type {
  CallTime,
  Feeds,
  InferenceSession,
  Results,
  RunOptions,
  SessionOptions,
  TopOptions,
  Verification
} from '../session/index.js'
import { imageElements, pictureOf, type Scored, Tensor } from '../tensor/index.js'
import { type Asked, Variants } from './variants.js'

/** An input or output as a session tells of it; sizes that are not known are empty names. */
interface Port {
  readonly name: string
  readonly type: string
  readonly shape: readonly (number | string)[]
}

/** What is known of a model before it can be compiled. */
export interface Late {
  readonly inputs: readonly Port[]
  readonly outputNames: readonly string[]
  /** Names of the inputs whose values decide what is computed. */
  readonly settings: readonly string[]
  /** Why it cannot be compiled yet. */
  readonly why: string
  /** Compiles it for what a run has brought. */
  compile(asked: Asked): Promise<Uint8Array>
}

type Create = (file: Uint8Array, options: SessionOptions) => Promise<InferenceSession>
type Public = Omit<InferenceSession, never>

/** A session whose model is compiled by its first run: what a run brings decides its sizes. Has the members of an InferenceSession. */
export class LateSession implements Public {
  private readonly variants: Variants<InferenceSession>
  private latest: InferenceSession | undefined
  private isReleased = false

  constructor(
    private readonly late: Late,
    private readonly create: Create,
    private readonly options: SessionOptions
  ) {
    // What waits for a file to arrive is over when it has.
    const own = { ...options, signal: undefined, onProgress: undefined }
    this.variants = new Variants(late.settings, async asked => {
      warn(`the model is compiled by the runs that bring what it depends on, because ${late.why}`)
      return create(await late.compile(asked), own)
    })
  }

  withOptions(options: SessionOptions): this {
    return new LateSession(this.late, this.create, options) as this
  }

  get device(): string {
    const [first = 'wasm'] = this.options.executionProviders ?? []
    return this.latest?.device ?? (typeof first === 'string' ? first : first.name)
  }

  get choice(): string | undefined {
    return this.latest?.choice
  }

  get threads(): number {
    return this.latest?.threads ?? 1
  }

  get precision(): 'f32' | 'f16' {
    return this.latest?.precision ?? 'f32'
  }

  get inputNames(): readonly string[] {
    return this.late.inputs.map(({ name }) => name)
  }

  get outputNames(): readonly string[] {
    return this.late.outputNames
  }

  get inputMetadata(): readonly Port[] {
    return this.late.inputs
  }

  get memoryBytes(): number {
    return this.latest?.memoryBytes ?? 0
  }

  get dispatches(): InferenceSession['dispatches'] {
    return this.latest?.dispatches ?? []
  }

  run(feeds: Feeds, options: RunOptions): Promise<Results>
  run(feeds: Feeds, fetches?: readonly string[], options?: RunOptions): Promise<Results>
  run(feeds: Feeds, given?: readonly string[] | RunOptions, options?: RunOptions): Promise<Results> {
    return this.inTurn(feeds, (session, own) => session.run(own, given as readonly string[], options))
  }

  profile(feeds: Feeds): Promise<CallTime[]> {
    return this.inTurn(feeds, (session, own) => session.profile(own))
  }

  top(feeds: Feeds, options?: TopOptions): Promise<Scored[][]> {
    return this.inTurn(feeds, (session, own) => session.top(own, options))
  }

  async imageTensor(...given: Parameters<InferenceSession['imageTensor']>): Promise<Tensor> {
    if (this.latest) return this.latest.imageTensor(...given)
    const [source, options] = given
    const { data, dims } = imageElements(pictureOf(source), options)
    return new Tensor('float32', data, dims)
  }

  async verify(): Promise<Verification> {
    if (this.latest) return this.latest.verify()
    throw new CairnError('the model has not been compiled yet: its first run comes before')
  }

  async release(): Promise<void> {
    this.isReleased = true
    await this.variants.release()
  }

  private inTurn<T>(feeds: Feeds, work: (session: InferenceSession, own: Feeds) => Promise<T>): Promise<T> {
    let [given, error]: [Feeds, unknown] = [{}, undefined]
    try {
      this.check(feeds)
      // The caller may use its arrays for other things meanwhile.
      given = Object.fromEntries(Object.entries(feeds).map(([name, feed]) => [name, kept(feed)]))
    } catch (refusal) {
      error = refusal
    }
    if (error) return Promise.reject(error)
    return this.variants.use(given, session => {
      this.latest = session
      // Inputs that have become constants are none of the variant's.
      const own = Object.fromEntries(session.inputNames.map(name => [name, given[name]]))
      return work(session, own)
    })
  }

  private check(feeds: Feeds): void {
    if (this.isReleased) throw new CairnError('the session has been released')
    const { inputs } = this.late
    if (!feeds || typeof feeds !== 'object')
      throw new CairnError(`run takes its inputs by name: ${this.inputNames.join(', ')}`)
    for (const name of Object.keys(feeds))
      if (!inputs.some(port => port.name === name))
        throw new CairnError(`no input "${name}"; the model takes ${inputs.map(port => `"${port.name}"`).join(', ')}`)
    for (const { name, type } of inputs) {
      const feed = feeds[name]
      if (!feed) throw new CairnError(`input "${name}" is missing; it takes ${type}`)
      if (!Array.isArray(feed.dims)) throw new CairnError(`input "${name}" is not a tensor; it takes ${type}`)
    }
  }
}

const kept = (feed: Tensor): Tensor =>
  feed.location === 'gpu-buffer' ? feed : new Tensor(feed.type, feed.data.slice() as Float32Array, [...feed.dims])

const said = new Set<string>()

/** Once, unless less than warnings is wanted. */
function warn(text: string): void {
  if (said.has(text) || /^(error|fatal)$/.test(env.logLevel ?? '')) return
  said.add(text)
  console.warn(`cairn: ${text}`)
}
