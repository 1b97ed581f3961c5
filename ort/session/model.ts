import type { SessionHandler } from 'onnxruntime-common'
import { InferenceSession, type Feeds as Own, type SessionOptions } from '../../runtime/index.js'
import { type Asked, Variants } from '../../runtime/late/index.js'
import { compiled, type Waiting } from '../compile/compiled.js'
import type { Job } from '../compile/job.js'
import type { CairnSettings } from '../types.js'
import type { Log } from './log.js'

/**
 * A model that compiles only for inputs that are known: for the values of its settings, or for sizes as well. The first run that
 * brings such inputs makes a session of it.
 */
export class LateModel {
  private readonly variants: Variants<InferenceSession>

  constructor(
    private readonly job: Job,
    private readonly options: SessionOptions,
    private readonly settings: CairnSettings,
    { ports, waits }: Waiting,
    log: Log
  ) {
    this.variants = new Variants(ports.settings, asked => {
      log.warn(`the model is compiled by the runs that bring what it depends on, because ${waits}`)
      return this.make(asked)
    })
  }

  /** The session for feeds like these. */
  sessionFor(feeds: SessionHandler.FeedsType): Promise<InferenceSession> {
    return this.variants.for(feeds as unknown as Own)
  }

  release(): Promise<void> {
    return this.variants.release()
  }

  private make(asked: Asked): Promise<InferenceSession> {
    const job = { ...this.job, ...asked, mayWait: false }
    // What may not wait is made.
    const open = compiled(job, this.settings, file => InferenceSession.create(file, this.options))
    return open as Promise<InferenceSession>
  }
}
