import type { SessionHandler } from 'onnxruntime-common'
import { InferenceSession, type SessionOptions } from '../runtime/index.js'
import { compiled } from './compiled.js'
import type { Job } from './job.js'
import type { Kept } from './kept.js'
import type { Log } from './log.js'
import type { CairnSettings } from './types.js'

/** Variants of a model that are kept, each a session of its own. */
const most = 4

/** A model that compiles only for sizes that are known: made into a session by the first run that has them. */
export class LateModel {
  private readonly variants = new Map<string, Promise<InferenceSession>>()

  constructor(
    private readonly job: Job,
    private readonly options: SessionOptions,
    private readonly settings: CairnSettings,
    private readonly why: string,
    private readonly log: Log
  ) {}

  /** The session for feeds of these sizes. */
  async sessionFor(feeds: SessionHandler.FeedsType): Promise<InferenceSession> {
    const shapes = Object.fromEntries(Object.entries(feeds).map(([name, { dims }]) => [name, [...dims]]))
    const key = JSON.stringify(Object.entries(shapes).sort())
    const known = this.variants.get(key)
    const session = known ?? this.make(shapes)
    // What was asked for last stands last.
    this.variants.delete(key)
    this.variants.set(key, session)
    session.catch(() => this.variants.delete(key))
    const [oldest] = this.variants
    if (this.variants.size > most) {
      this.variants.delete(oldest[0])
      await (await oldest[1]).release()
    }
    return session
  }

  async release(): Promise<void> {
    const sessions = await Promise.allSettled(this.variants.values())
    this.variants.clear()
    for (const session of sessions) if (session.status === 'fulfilled') await session.value.release()
  }

  private async make(shapes: NonNullable<Job['shapes']>): Promise<InferenceSession> {
    this.log.note(`the model is compiled for the sizes of each input that it meets, because ${this.why}`)
    const made = await compiled({ ...this.job, shapes, mayWait: false }, this.settings)
    return InferenceSession.create((made as Kept).file, this.options)
  }
}
