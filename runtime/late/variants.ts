import type { Feeds } from '../session/index.js'
import type { Tensor } from '../tensor/index.js'

/** A setting as a run has brought it. */
export type FedSetting = Pick<Tensor, 'type' | 'dims' | 'data'>

/** For what a variant of a model is compiled. */
export interface Asked {
  /** Values of inputs that decide what is computed. */
  readonly settings: Readonly<Record<string, FedSetting>>
  /** Sizes of the other inputs, where the model does not compile without. */
  readonly shapes?: Readonly<Record<string, readonly number[]>>
}

/** Variants of a model that are kept, each a session of its own. */
const most = 4

/** Sessions of a model that can be compiled only for what its first run brings, one for each that is told apart. */
export class Variants<S extends { release(): Promise<void> }> {
  private readonly made = new Map<string, Promise<S>>()
  /** Whether sizes are needed as well. */
  private bySizes = false
  private queue: Promise<unknown> = Promise.resolve()

  /** `settings` names the inputs whose values count. */
  constructor(
    private readonly settings: readonly string[],
    private readonly make: (asked: Asked) => Promise<S>
  ) {}

  /**
   * What `work` makes of the session for feeds like these, behind what was asked for before: no session is released under a
   * run. Throws what `make` does for their sizes.
   */
  use<T>(feeds: Feeds, work: (session: S) => Promise<T>): Promise<T> {
    const turn = this.queue.then(async () => work(await this.for(feeds)))
    this.queue = turn.catch(() => undefined)
    return turn
  }

  /** Behind the runs that have been asked for. */
  async release(): Promise<void> {
    await this.queue
    const sessions = await Promise.allSettled(this.made.values())
    this.made.clear()
    for (const session of sessions) if (session.status === 'fulfilled') await session.value.release()
  }

  private async for(feeds: Feeds): Promise<S> {
    const settings = this.settingsIn(feeds)
    // Sorted, because callers name them in any order.
    const names = Object.keys(feeds).sort()
    const others = names.filter(name => !Object.hasOwn(settings, name))
    const shapes = Object.fromEntries(others.map(name => [name, [...feeds[name].dims]]))
    if (this.bySizes) return this.variant({ settings, shapes })
    // Where values are enough, sizes stay free.
    const free = Object.keys(settings).length ? await this.variant({ settings }).catch(() => undefined) : undefined
    if (free) return free
    const session = await this.variant({ settings, shapes })
    this.bySizes = true
    return session
  }

  private settingsIn(feeds: Feeds): Asked['settings'] {
    const here = this.settings.filter(name => feeds[name] && feeds[name].location !== 'gpu-buffer')
    return Object.fromEntries(
      here.map(name => {
        const { type, dims, data } = feeds[name]
        return [name, { type, dims: [...dims], data: data.slice() }] as const
      })
    )
  }

  private variant(asked: Asked): Promise<S> {
    const key = textOf(asked)
    const session = this.made.get(key) ?? this.make(asked)
    // What was asked for last stands last.
    this.made.delete(key)
    this.made.set(key, session)
    session.catch(() => this.made.delete(key))
    const [oldest] = this.made
    if (this.made.size > most) {
      this.made.delete(oldest[0])
      // No run has it: they come one at a time. What could not be made, or released, is no error of this one.
      oldest[1].then(old => old.release()).catch(() => undefined)
    }
    return session
  }
}

/** Plain data and arrays of elements as text, equal for equal ones. */
const textOf = (asked: Asked): string =>
  JSON.stringify(asked, (_, value) => (ArrayBuffer.isView(value) ? String(value) : value))
