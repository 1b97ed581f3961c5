import { Dispatcher, Lane, type PictureResult, Pool } from '../pool/index.js'
import { ServingError } from '../protocol/index.js'
import type { Prepared } from './settings.js'

/** Models that are open at once; the one that was not used for the longest goes. */
const mostOpen = 4

/** Milliseconds that one picture may take. */
const longest = 300_000

const unwatched = { queued: () => undefined, began: () => undefined, ended: () => undefined }

/** Does what batches ask of pictures, on all threads: in the process of `cairn batch`, or in a worker's. */
export class Performer {
  private readonly pool: Pool
  private readonly dispatcher: Dispatcher
  private readonly lanes = new Map<string, Promise<Lane>>()

  constructor(readonly threads: number) {
    this.pool = new Pool(threads)
    this.dispatcher = new Dispatcher(this.pool)
  }

  /** The key names settings and model, which `fetch` brings where they are new. */
  async perform(key: string, fetch: () => Promise<Prepared>, name: string, bytes: Uint8Array): Promise<PictureResult> {
    const prepared = await this.lane(key, fetch)
    const { value } = await prepared.lane.ask(
      { kind: 'picture', name, bytes, task: prepared.task },
      performance.now() + longest
    )
    if (!value) throw new ServingError('internal', 'no result has come')
    return value
  }

  async end(): Promise<void> {
    await this.pool.end()
  }

  private readonly tasks = new Map<string, Prepared['settings']['task']>()

  private async lane(key: string, fetch: () => Promise<Prepared>) {
    const known = this.lanes.get(key)
    const lane = known ?? this.open(key, fetch)
    // Last is what was used last.
    this.lanes.delete(key)
    this.lanes.set(key, lane)
    for (const old of [...this.lanes.keys()].slice(0, -mostOpen)) this.close(old)
    try {
      return { lane: await lane, task: this.tasks.get(key)! }
    } catch (error) {
      // Another may have been opened meanwhile.
      if (this.lanes.get(key) === lane) this.lanes.delete(key)
      throw error
    }
  }

  private async open(key: string, fetch: () => Promise<Prepared>): Promise<Lane> {
    const { settings, file } = await fetch()
    const { model } = await this.pool.open(file, { limits: {}, pictures: settings.pictures, probe: false })
    const options = { queue: Number.POSITIVE_INFINITY, maxBatch: 1, maxDelay: 0 }
    const lane = new Lane(this.pool, model, options, unwatched, () => this.dispatcher.pump())
    this.tasks.set(key, settings.task)
    this.dispatcher.add(lane)
    return lane
  }

  private close(key: string): void {
    const gone = this.lanes.get(key)
    this.lanes.delete(key)
    gone
      ?.then(async lane => {
        await lane.drained()
        this.dispatcher.remove(lane)
        this.pool.close(lane.model)
      })
      .catch(() => undefined)
  }
}
