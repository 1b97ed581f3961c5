import type { SessionHandler, Tensor } from 'onnxruntime-common'
import { InferenceSession, type SessionOptions } from '../../runtime/index.js'
import { textOf } from '../compile/cache.js'
import { compiled } from '../compile/compiled.js'
import type { Job } from '../compile/job.js'
import type { CairnSettings } from '../types.js'
import type { Log } from './log.js'

/** Variants of a model that are kept, each a session of its own. */
const most = 4
/** Elements of an integer input that may decide sizes. */
const few = 64

type Feeds = SessionHandler.FeedsType
type Asked = Pick<Job, 'shapes' | 'fixed'>

/**
 * A model that compiles only for inputs that are known: for their sizes, or for the contents of small ones as well, where these
 * decide sizes. The first run that brings such inputs makes a session of it.
 */
export class LateModel {
  private readonly variants = new Map<string, Promise<InferenceSession>>()
  /** Whether sizes alone are not enough. */
  private byContents = false

  constructor(
    private readonly job: Job,
    private readonly options: SessionOptions,
    private readonly settings: CairnSettings,
    private readonly why: string,
    private readonly log: Log
  ) {}

  /** The session for feeds like these. */
  async sessionFor(feeds: Feeds): Promise<InferenceSession> {
    if (this.byContents) return this.variant(askedOf(feeds, true))
    try {
      return await this.variant(askedOf(feeds, false))
    } catch (error) {
      if (this.variants.size || !Object.values(feeds).some(maySteer)) throw error
      const session = await this.variant(askedOf(feeds, true))
      this.byContents = true
      return session
    }
  }

  async release(): Promise<void> {
    const sessions = await Promise.allSettled(this.variants.values())
    this.variants.clear()
    for (const session of sessions) if (session.status === 'fulfilled') await session.value.release()
  }

  private async variant(asked: Asked): Promise<InferenceSession> {
    const key = textOf(asked)
    const session = this.variants.get(key) ?? this.make(asked)
    // What was asked for last stands last.
    this.variants.delete(key)
    this.variants.set(key, session)
    session.catch(() => this.variants.delete(key))
    const [oldest] = this.variants
    if (this.variants.size > most) {
      this.variants.delete(oldest[0])
      void oldest[1].then(old => old.release())
    }
    return session
  }

  private async make(asked: Asked): Promise<InferenceSession> {
    this.log.note(`the model is compiled for each kind of input that it meets, because ${this.why}`)
    const job = { ...this.job, ...asked, mayWait: false }
    // What may not wait is made.
    return compiled(job, this.settings, file =>
      InferenceSession.create(file, this.options)
    ) as Promise<InferenceSession>
  }
}

const maySteer = ({ type, size, location }: Tensor) =>
  !type.startsWith('float') && size <= few && (location === 'cpu' || location === 'cpu-pinned')

function askedOf(feeds: Feeds, byContents: boolean): Asked {
  const all = Object.entries(feeds).sort(([a], [b]) => (a < b ? -1 : 1))
  const [steering, others] = [true, false].map(wanted =>
    all.filter(([, feed]) => (byContents && maySteer(feed)) === wanted)
  )
  const fixed = steering.map(([name, { type, dims, data }]) => {
    return [name, { dtype: type, dims: [...dims], data: (data as Int32Array).slice() }] as const
  })
  return {
    shapes: Object.fromEntries(others.map(([name, { dims }]) => [name, [...dims]])),
    ...(fixed.length ? { fixed: Object.fromEntries(fixed) } : {})
  }
}
