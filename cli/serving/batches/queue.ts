import { readFile } from 'node:fs/promises'
import type { JobsOptions } from 'bullmq'
import type { Redis } from 'ioredis'
import { InputError } from '../../terminal/index.js'
import { servingError } from '../protocol/index.js'
import type { Executor } from './driver.js'
import type { Input } from './inputs.js'
import type { Outcome, PackedResult } from './journal.js'
import { isFinal, packed } from './local.js'
import { Performer } from './performer.js'
import type { Prepared, Settings } from './settings.js'

/** One input as it lies in Redis. The picture itself where machines do not share its folder. */
interface Task {
  readonly batch: string
  readonly path: string
  readonly bytes?: string
}

export interface QueueOptions {
  readonly url: string
  readonly queue: string
}

export interface ProducerOptions extends QueueOptions {
  readonly attempts: number
  /** Whether pictures themselves go on the queue. */
  readonly inline: boolean
  /** Is told what somebody who waits should know. */
  note(line: string): void
}

/** Seconds that jobs and models outlive whoever has put them there. */
const kept = 7 * 24 * 3600

/** Largest file of a model: Redis' longest value. */
const longestValue = 512 * 2 ** 20

const keys = (queue: string, batch: string) => ({
  settings: `cairn:${queue}:${batch}:settings`,
  model: `cairn:${queue}:${batch}:model`
})

/** Waits for a Redis that is away, once it has answered the first time. */
export async function redisAt(url: string): Promise<Redis> {
  const { Redis: Client } = await import('ioredis')
  if (!/^rediss?:\/\//.test(url)) throw new InputError(`--redis ${url}: redis://host:6379 is allowed`)
  const where = new URL(url).host
  const redis = new Client(url, { maxRetriesPerRequest: null, lazyConnect: true, retryStrategy: () => 500 })
  let seen = ''
  redis.on('error', error => (seen = error.message))
  const late = new Promise<never>((_, reject) =>
    setTimeout(() => reject(new InputError(`no Redis at ${where}${seen ? `: ${seen}` : ''}`)), 5000).unref()
  )
  try {
    await Promise.race([redis.connect().catch(() => late), late])
  } catch (error) {
    redis.disconnect()
    throw error
  }
  return redis
}

interface Waiting {
  readonly input: Input
  readonly since: number
  resolve(outcome: Outcome): void
}

/** Milliseconds between looks at jobs that no event has told of: events are lost with connections, jobs with a Redis that crashes. */
const lookEvery = 2000

/** What a job is asked for, of the hash that BullMQ keeps it in. */
const fields = ['timestamp', 'finishedOn', 'failedReason', 'returnvalue'] as const

/** Puts inputs on the queue and gathers what workers make of them. */
export class QueueExecutor implements Executor {
  private readonly waiting = new Map<string, Waiting>()
  private unsent: Input[] = []
  private sending: Promise<void> | undefined
  private looking: NodeJS.Timeout
  private ended = false
  private told = false

  private constructor(
    private readonly connections: readonly [Redis, Redis],
    private readonly jobs: import('bullmq').Queue<Task, PackedResult>,
    private readonly events: import('bullmq').QueueEvents,
    private readonly batch: string,
    private readonly prepared: Prepared,
    private readonly options: ProducerOptions
  ) {
    events.on('completed', ({ jobId, returnvalue }) => this.settle(jobId, { result: returnvalue as never }))
    events.on('failed', ({ jobId, failedReason }) => this.settle(jobId, { error: failedReason }))
    this.looking = setTimeout(() => this.look(), lookEvery)
  }

  static async create(batch: string, prepared: Prepared, options: ProducerOptions): Promise<QueueExecutor> {
    const { Queue, QueueEvents } = await import('bullmq')
    if (prepared.file.length > longestValue)
      throw new InputError(`the model has ${prepared.file.length} bytes; Redis holds up to ${longestValue}`)
    const redis = await redisAt(options.url)
    const jobs = new Queue<Task, PackedResult>(options.queue, { connection: redis })
    const listening = redis.duplicate()
    const events = new QueueEvents(options.queue, { connection: listening })
    jobs.on('error', () => undefined)
    events.on('error', () => undefined)
    await events.waitUntilReady()
    const executor = new QueueExecutor([redis, listening], jobs, events, batch, prepared, options)
    await executor.describe()
    return executor
  }

  run(input: Input): Promise<Outcome> {
    return new Promise(resolve => {
      this.waiting.set(this.idOf(input), { input, since: Date.now(), resolve })
      this.unsent.push(input)
      this.sending ??= this.send()
    })
  }

  /** A batch that is not done keeps its model there, for workers that are at it. */
  async end(done: boolean): Promise<void> {
    this.ended = true
    clearTimeout(this.looking)
    const { settings, model } = keys(this.options.queue, this.batch)
    const late = new Promise(resolve => setTimeout(resolve, longestStop).unref())
    // A Redis that is away would never answer.
    if (done) await Promise.race([this.redis.del(settings, model).catch(() => 0), late])
    await Promise.race([Promise.allSettled([this.events.close(), this.jobs.close()]), late])
    for (const each of this.connections) each.disconnect()
  }

  private get redis(): Redis {
    return this.connections[0]
  }

  private idOf({ index }: Input): string {
    return `${this.batch}-${index}`
  }

  /** What workers need, for as long as a batch may stand still. */
  private async describe(): Promise<void> {
    const { settings, model } = keys(this.options.queue, this.batch)
    await this.redis.set(settings, JSON.stringify(this.prepared.settings), 'EX', kept)
    await this.redis.set(model, Buffer.from(this.prepared.file), 'EX', kept)
  }

  /** In one message what has come together meanwhile. The same job twice is one: its id is the input's. */
  private async send(): Promise<void> {
    await new Promise(resolve => setImmediate(resolve))
    while (this.unsent.length) {
      const inputs = this.unsent.splice(0, 256)
      const jobs = await Promise.all(inputs.map(input => this.job(input)))
      for (;;)
        try {
          await this.jobs.addBulk(jobs.filter(job => job !== undefined))
          break
        } catch (error) {
          if (this.ended) return
          if (!this.told) this.options.note(`the queue takes nothing, and is asked again: ${(error as Error).message}`)
          this.told = true
          await new Promise(resolve => setTimeout(resolve, 500))
        }
    }
    this.sending = undefined
  }

  private async job(input: Input) {
    const { attempts, inline } = this.options
    const { path } = input
    const opts: JobsOptions = {
      ...{ jobId: this.idOf(input), attempts, backoff: { type: 'exponential', delay: 200 } },
      ...{ removeOnComplete: { age: kept }, removeOnFail: { age: kept } }
    }
    try {
      const bytes = inline ? (await readFile(path)).toString('base64') : undefined
      return { name: 'picture', data: { batch: this.batch, path, bytes }, opts }
    } catch (error) {
      this.settle(this.idOf(input), { error: servingError(error).message })
      return undefined
    }
  }

  private settle(id: string, outcome: Outcome): void {
    const found = this.waiting.get(id)
    if (!found) return
    this.waiting.delete(id)
    found.resolve(
      'result' in outcome && typeof outcome.result === 'string' ? { result: JSON.parse(outcome.result) } : outcome
    )
    this.jobs.remove(id).catch(() => undefined)
  }

  /** The oldest jobs, asked without their pictures: what has ended is taken, what is lost is sent again. */
  private async look(): Promise<void> {
    try {
      // Before what is sent again, or workers find no model for it.
      const { settings, model } = keys(this.options.queue, this.batch)
      if ((await this.redis.exists(settings, model)) < 2) await this.describe()
      const old = [...this.waiting].filter(([, { since }]) => Date.now() - since > lookEvery).slice(0, 512)
      const found = await Promise.all(old.map(([id]) => this.redis.hmget(this.jobs.toKey(id), ...fields)))
      for (const [i, [id, { input }]] of old.entries()) {
        const [timestamp, finishedOn, failedReason, returnvalue] = found[i]
        if (!timestamp && this.waiting.has(id) && !this.sending) this.unsent.push(input)
        else if (finishedOn && failedReason) this.settle(id, { error: failedReason })
        else if (finishedOn && returnvalue) this.settle(id, { result: JSON.parse(returnvalue) })
      }
      if (this.unsent.length) this.sending ??= this.send()
    } catch {
      // Redis is away; the next look finds it.
    }
    if (!this.ended) this.looking = setTimeout(() => this.look(), lookEvery)
  }
}

/** Milliseconds. */
const longestStop = 20_000

/** Takes inputs from the queue until `stop`; each finds its model there. */
export async function startWorker(
  options: QueueOptions & {
    /** Milliseconds after which a worker that says nothing has lost its inputs. */ readonly patience: number
  },
  threads: number,
  log: (line: string) => void
) {
  const { Worker, UnrecoverableError } = await import('bullmq')
  const redis = await redisAt(options.url)
  const connection = redis.duplicate()
  const performer = new Performer(threads)
  const fetch = (batch: string) => async (): Promise<Prepared> => {
    const { settings, model } = keys(options.queue, batch)
    const [text, file] = await Promise.all([redis.get(settings), redis.getBuffer(model)])
    if (!text || !file) throw new Error(`batch ${batch} is not described in Redis any more`)
    log(`takes part in batch ${batch}`)
    return { settings: JSON.parse(text) as Settings, file: new Uint8Array(file) }
  }
  const worker = new Worker<Task, PackedResult>(
    options.queue,
    async ({ data: { batch, path, bytes } }) => {
      try {
        const picture = bytes === undefined ? await readFile(path) : Buffer.from(bytes, 'base64')
        return packed(await performer.perform(batch, fetch(batch), path, picture))
      } catch (error) {
        if (isFinal(error)) throw new UnrecoverableError((error as Error).message)
        throw error
      }
    },
    {
      connection,
      // One more than threads, so that none waits for Redis.
      concurrency: threads + 1,
      ...{ lockDuration: options.patience, stalledInterval: options.patience / 2 },
      // Workers that die are no fault of an input; one that kills them all ends here.
      maxStalledCount: 10
    }
  )
  worker.on('error', () => undefined)
  await worker.waitUntilReady()
  return {
    /** Behind the inputs under way. */
    async stop(): Promise<void> {
      const late = new Promise(resolve => setTimeout(resolve, longestStop).unref())
      // A Redis that is away would never let it close.
      await Promise.race([worker.close(), late])
      await performer.end()
      for (const each of [redis, connection]) each.disconnect()
    }
  }
}
