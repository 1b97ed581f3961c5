import { type Given, ServingError, type Wire } from '../protocol/index.js'
import type { Done, Fed, Task, Tensors, Work } from './messages.js'
import { type Member, type Pool, ThreadDied } from './pool.js'
import { Share } from './share.js'

/** How a model's requests are gathered. */
export interface LaneOptions {
  /** Requests that may wait; more are refused. */
  readonly queue: number
  /** Rows that are run together at most; 1 where rows may not share a run. */
  readonly maxBatch: number
  /** Milliseconds that a request may wait for others to join it. */
  readonly maxDelay: number
}

/** What is told of what happens; for metrics. */
export interface Watch {
  queued(length: number): void
  /** A run begins: rows of it, and seconds that each of its requests has waited. */
  began(rows: number, waited: readonly number[]): void
  ended(seconds: number): void
}

export type Asked =
  | { readonly kind: 'tensors'; readonly inputs: Readonly<Record<string, Given>>; readonly fetches?: readonly string[] }
  | { readonly kind: 'picture'; readonly name: string; readonly bytes: Uint8Array; readonly task: Task }

interface Pending {
  readonly asked: Asked
  /** What may share a run has the same key. */
  readonly key: string | undefined
  readonly rows: number
  readonly since: number
  readonly deadline: number
  resolve(result: Result): void
  reject(error: Error): void
  settled: boolean
  /** Called where it is settled while it runs. */
  left: (() => void) | undefined
  /** A run that it shared has failed; it is run by itself from then on. */
  alone: boolean
  /** Runs whose thread has died. */
  deaths: number
}

export interface Result {
  readonly outputs: Readonly<Record<string, Wire>>
  readonly value: Done['value']
  /** Seconds in the queue and in the run. */
  readonly waited: number
  readonly computed: number
}

/** Milliseconds that a thread has to give up a run, before it is ended. */
const patience = 5000

/** Dies with its thread, and once more alone with another: then it is to blame. */
const mostDeaths = 2

/** One model's queue, and the runs that are made of it. */
export class Lane {
  private waiting: Pending[] = []
  private active = 0
  private timer: NodeJS.Timeout | undefined
  private readonly share = new Share()
  private onEmpty: (() => void) | undefined
  /** Of a request, in seconds, the late ones weighing more. */
  private usual = 0

  constructor(
    private readonly pool: Pool,
    readonly model: number,
    private readonly options: LaneOptions,
    private readonly watch: Watch,
    /** Called when something may be taken. */
    private readonly wake: () => void
  ) {}

  get length(): number {
    return this.waiting.length
  }

  /** Throws ServingError `busy` where the queue is full, `late` behind the deadline, `cancelled` with the signal. */
  ask(asked: Asked, deadline: number, signal?: AbortSignal): Promise<Result> {
    if (signal?.aborted) return Promise.reject(gone())
    if (this.waiting.length >= this.options.queue) this.forget()
    if (this.waiting.length >= this.options.queue) {
      const wait = Math.max(1, Math.ceil((this.waiting.length * this.usual) / this.pool.threads))
      return Promise.reject(
        new ServingError('busy', `${this.waiting.length} requests are waiting; try again later`, wait)
      )
    }
    return new Promise((resolve, reject) => {
      const settle = (act: () => void) => {
        if (pending.settled) return
        pending.settled = true
        clearTimeout(timer)
        signal?.removeEventListener('abort', onAbort)
        act()
        pending.left?.()
      }
      const onAbort = () => settle(() => reject(gone()))
      const pending: Pending = {
        asked,
        ...sharing(asked, this.options.maxBatch),
        since: performance.now(),
        deadline,
        resolve: result => settle(() => resolve(result)),
        reject: error => settle(() => reject(error)),
        settled: false,
        left: undefined,
        alone: false,
        deaths: 0
      }
      const timer = setTimeout(
        () => pending.reject(new ServingError('late', 'the deadline has passed before there was an answer')),
        Math.max(0, deadline - performance.now())
      )
      signal?.addEventListener('abort', onAbort)
      this.waiting.push(pending)
      this.watch.queued(this.waiting.length)
      this.wake()
    })
  }

  /** Whether a run can be made now; where others may still join, a timer wakes later. */
  isReady(): boolean {
    this.forget()
    const [first] = this.waiting
    if (!first) {
      this.empty()
      return false
    }
    const { maxDelay, maxBatch } = this.options
    if (!maxDelay || first.key === undefined || first.alone || this.together(maxBatch).rows >= maxBatch) return true
    const left = first.since + maxDelay - performance.now()
    if (left <= 0) return true
    this.timer ??= setTimeout(() => {
      this.timer = undefined
      this.wake()
    }, left)
    return false
  }

  /** Gives `member` the next run. */
  async start(member: Member): Promise<void> {
    const batch = this.next()
    const now = performance.now()
    const rows = batch.reduce((sum, each) => sum + each.rows, 0)
    const waited = batch.map(({ since }) => (now - since) / 1000)
    this.active++
    this.watch.queued(this.waiting.length)
    this.watch.began(rows, waited)
    const job = this.pool.job()
    // A run that nobody waits for any more is given up.
    const left = () => batch.every(({ settled }) => settled) && member.cancel(job, patience)
    for (const each of batch) each.left = left
    try {
      const done = await member.run(job, this.model, workOf(batch, member))
      const seconds = done.milliseconds / 1000
      if (batch[0].key !== undefined) this.share.took(rows, performance.now() - now)
      this.usual = this.usual ? 0.9 * this.usual + (0.1 * seconds) / batch.length : seconds / batch.length
      this.watch.ended(seconds)
      const parts = split(done.tensors ?? {}, batch)
      batch.forEach((each, i) =>
        each.resolve({ outputs: parts[i], value: done.value, waited: waited[i], computed: seconds })
      )
    } catch (error) {
      this.failed(batch, error as Error)
    } finally {
      this.active--
      if (!this.waiting.length) this.empty()
    }
  }

  /** Once everything that it was asked has its answer. */
  async drained(): Promise<void> {
    if (this.waiting.some(({ settled }) => !settled) || this.active)
      await new Promise<void>(resolve => (this.onEmpty = resolve))
    clearTimeout(this.timer)
  }

  /** Those that nobody waits for any more. */
  private forget(): void {
    const before = this.waiting.length
    this.waiting = this.waiting.filter(({ settled }) => !settled)
    if (this.waiting.length !== before) this.watch.queued(this.waiting.length)
  }

  private empty(): void {
    if (!this.active) this.onEmpty?.()
  }

  /** With a thread that has died, each goes again by itself; an error of a shared run may be one request's alone. */
  private failed(batch: readonly Pending[], error: Error): void {
    const died = error instanceof ThreadDied
    if (!died && batch.length === 1) batch[0].reject(error)
    else
      for (const each of batch) {
        each.alone = true
        if (died && ++each.deaths >= mostDeaths)
          each.reject(new ServingError('internal', 'two threads have died of this request'))
        else this.waiting.unshift(each)
      }
    this.watch.queued(this.waiting.length)
    this.wake()
  }

  /** Without a delay, a share of what waits, so that no thread takes all and leaves the next with nothing. */
  private next(): Pending[] {
    const { maxDelay, maxBatch } = this.options
    const first = this.waiting[0]
    const most = maxDelay
      ? maxBatch
      : this.share.next(this.together(maxBatch * this.pool.threads).rows / this.pool.threads)
    const alone = first.alone || first.key === undefined
    const taken = alone ? [first] : this.together(Math.max(Math.min(most, maxBatch), first.rows)).taken
    this.waiting = this.waiting.filter(each => !taken.includes(each))
    return taken
  }

  /** Those that the first may share a run with, up to `most` rows. */
  private together(most: number): { taken: Pending[]; rows: number } {
    const [first] = this.waiting
    const taken: Pending[] = []
    let rows = 0
    for (const each of this.waiting) {
      if (each.settled || each.alone || each.key !== first.key || (taken.length && rows + each.rows > most)) continue
      taken.push(each)
      rows += each.rows
      if (rows >= most) break
    }
    return { taken, rows }
  }
}

const gone = () => new ServingError('cancelled', 'the client has gone')

/** Requests of the same outputs, types and sizes but the first share a run. */
function sharing(asked: Asked, maxBatch: number): Pick<Pending, 'key' | 'rows'> {
  if (asked.kind !== 'tensors') return { key: undefined, rows: 1 }
  const tensors = Object.entries(asked.inputs)
  const rows = tensors[0]?.[1].dims[0] ?? 1
  if (maxBatch < 2 || rows < 1 || rows >= maxBatch) return { key: undefined, rows }
  const shapes = tensors.map(([name, { type, dims }]) => `${name}:${type}:${dims.slice(1)}`).sort()
  return { key: [...shapes, ...(asked.fetches ?? [])].join('|'), rows }
}

/** Tensors of all rows of a batch, each beginning where any type may, in memory for the thread. */
function workOf(batch: readonly Pending[], member: Member): Work {
  const { asked } = batch[0]
  // A copy of its own to hand over, without what else is in its memory.
  if (asked.kind === 'picture') return { ...asked, bytes: Uint8Array.from(asked.bytes) }
  let end = 0
  const places = Object.keys(asked.inputs).map(name => {
    const parts = batch.map(each => (each.asked as typeof asked).inputs[name])
    const bytes = parts.reduce((sum, { pieces }) => sum + pieces.length, 0)
    const at = end
    end = at + Math.ceil(bytes / 8) * 8
    return { name, parts, at, bytes }
  })
  const memory = member.room(end)
  const whole = new Uint8Array(memory)
  const feeds = places.map(({ name, parts, at, bytes }): [string, Fed] => {
    let next = at
    for (const { pieces } of parts) {
      pieces.copyTo(whole, next)
      next += pieces.length
    }
    const [{ type, dims }] = parts
    const rows = parts.reduce((sum, part) => sum + (part.dims[0] ?? 0), 0)
    return [name, { type, dims: parts.length === 1 ? dims : [rows, ...dims.slice(1)], at, bytes }]
  })
  return { kind: 'tensors', memory, feeds: Object.fromEntries(feeds), fetches: asked.fetches }
}

/** Each request's rows of the outputs, without a copy. */
function split(tensors: Tensors, batch: readonly Pending[]): Record<string, Wire>[] {
  let at = 0
  return batch.map(({ rows }) => {
    const from = at
    at += rows
    return Object.fromEntries(
      Object.entries(tensors).map(([name, { type, dims, data }]) => {
        if (batch.length === 1) return [name, { type, dims, bytes: new Uint8Array(data) }]
        const each = data.byteLength / dims[0]
        return [name, { type, dims: [rows, ...dims.slice(1)], bytes: new Uint8Array(data, from * each, rows * each) }]
      })
    )
  })
}
