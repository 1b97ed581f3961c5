import type { Declared } from '../../compiler/onnx/index.js'
import type { Given } from '../../runtime/file/index.js'
import { type Feeds, InferenceSession, type SessionOptions } from '../../runtime/index.js'
import { type Asked, Variants } from '../../runtime/late/index.js'
import type { Waiting } from '../compile/compiled.js'
import type { Job } from '../compile/job.js'
import type { Log } from './log.js'

/** What `open` makes of the model, compiled for what is asked besides what its session asked for. */
export type Compile = <T>(
  asked: Partial<Job>,
  open: (file: Given, ports: Declared) => Promise<T>
) => Promise<T | Waiting>

/**
 * A model that compiles only for inputs that are known: for the values of its settings, or for sizes as well. The first run that
 * brings such inputs makes a session of it.
 */
export class LateModel {
  private readonly variants: Variants<InferenceSession>

  constructor(
    private readonly compile: Compile,
    private readonly options: SessionOptions,
    { ports, waits }: Waiting,
    log: Log
  ) {
    this.variants = new Variants(ports.settings, asked => {
      log.warn(`the model is compiled by the runs that bring what it depends on, because ${waits}`)
      return this.make(asked)
    })
  }

  /** What `work` makes of the session for feeds like these, of which it gets copies: the caller may use its arrays meanwhile. */
  use<T>(feeds: Feeds, work: (session: InferenceSession, feeds: Feeds) => Promise<T>): Promise<T> {
    const own = Object.fromEntries(Object.entries(feeds).map(([name, feed]) => [name, copied(feed)]))
    return this.variants.use(own, session => work(session, own))
  }

  release(): Promise<void> {
    return this.variants.release()
  }

  private make(asked: Asked): Promise<InferenceSession> {
    // What may not wait is made.
    const made = this.compile({ ...asked, mayWait: false }, file => InferenceSession.create(file, this.options))
    return made as Promise<InferenceSession>
  }
}

const copied = (feed: Feeds[string]): Feeds[string] =>
  feed.location === 'gpu-buffer'
    ? feed
    : ({ type: feed.type, dims: [...feed.dims], location: 'cpu', data: feed.data.slice() } as unknown as Feeds[string])
