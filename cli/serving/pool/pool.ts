import { EventEmitter } from 'node:events'
import { Worker } from 'node:worker_threads'
import { env } from '../../../runtime/base/index.js'
import { ServingError, servingError } from '../protocol/index.js'
import type { Done, Limits, Opened, Pictures, Refusal, Reply, Request, Work } from './messages.js'

/** A thread has gone while it had a job, which another thread may take. */
export class ThreadDied extends Error {
  override name = 'ThreadDied'
}

export interface OpenOptions {
  readonly limits: Limits
  readonly pictures: Pictures
  /** Whether to find out that rows may share a run. */
  readonly probe: boolean
}

interface Kept extends OpenOptions {
  readonly file: Uint8Array
}

interface Waiting<T> {
  resolve(value: T): void
  reject(error: Error): void
}

/** Bytes that a thread keeps for its inputs; who needs more has it for one run. */
const mostKept = 2 ** 23

/** A thread that dies at once, again and again, is not replaced faster than this, in milliseconds. */
const calm = 1000

/** Emits `idle` when a thread may take a job, `died` when one is gone. */
export class Pool extends EventEmitter<{ idle: []; died: [why: string] }> {
  private readonly members: Member[] = []
  private readonly models = new Map<number, Kept>()
  private nextModel = 1
  private nextJob = 1
  private ended = false

  constructor(
    readonly threads: number,
    /** What the threads run; benches have another, to compare with. */
    private readonly script = new URL('./thread.js', import.meta.url)
  ) {
    super()
    for (let i = 0; i < threads; i++) this.members.push(this.member())
  }

  /** One that has nothing to do. */
  idle(): Member | undefined {
    return this.members.find(member => member.isIdle)
  }

  /** How many could have a job. */
  get alive(): number {
    return this.members.filter(member => member.isIdle || member.isBusy).length
  }

  /** Ends a thread as a crash would: one that has a job, where one has. */
  kill(): void {
    const member = this.members.find(({ isBusy }) => isBusy) ?? this.members[0]
    member.kill()
  }

  /** How many have a job. */
  get busy(): number {
    return this.members.filter(member => member.isBusy).length
  }

  /** Opens a model in every thread; throws what the first refuses, with the model closed again. */
  async open(file: Uint8Array, options: OpenOptions, tries = 3): Promise<{ readonly model: number } & Opened> {
    const model = this.nextModel++
    this.models.set(model, { file, ...options })
    try {
      const [first, ...others] = this.members
      const opened = await first.open(model, { file, ...options })
      await Promise.all(others.map(member => member.open(model, { file, ...options, probe: false })))
      return { model, memory: opened.memory * this.threads, independent: opened.independent }
    } catch (error) {
      this.close(model)
      if (!(error instanceof ThreadDied) || tries === 1 || this.ended) throw error
      await new Promise(resolve => setTimeout(resolve, calm))
      return this.open(file, options, tries - 1)
    }
  }

  /** Behind the jobs that have been given. */
  close(model: number): void {
    this.models.delete(model)
    for (const member of this.members) member.post({ kind: 'close', model })
  }

  job(): number {
    return this.nextJob++
  }

  async end(): Promise<void> {
    this.ended = true
    await Promise.all(this.members.map(member => member.end()))
  }

  private member(born = Date.now()): Member {
    const member: Member = new Member(this.script, {
      idle: () => this.emit('idle'),
      died: why => {
        if (this.ended) return
        this.emit('died', why)
        const wait = Math.max(0, calm - (Date.now() - born))
        // At once, so that whoever opens a model opens it there as well; posted messages wait for a thread that starts later.
        if (wait === 0) this.replace(member)
        else setTimeout(() => this.replace(member), wait)
      }
    })
    return member
  }

  private replace(gone: Member): void {
    const at = this.members.indexOf(gone)
    if (this.ended || at < 0) return
    const member = this.member()
    this.members[at] = member
    for (const [model, kept] of this.models)
      member.open(model, { ...kept, probe: false }).catch(error => {
        // One that lacks a model would answer none of its requests. Of a death the listener has been told.
        if (!(error instanceof ThreadDied) && this.models.has(model)) member.fail(error.message)
      })
  }
}

interface Listener {
  idle(): void
  died(why: string): void
}

/** A thread, its job, and who waits for models to be opened there. */
export class Member {
  private readonly worker: Worker
  private readonly opening = new Map<number, Waiting<Opened>>()
  private job: ({ readonly id: number } & Waiting<Done>) | undefined
  private gone: string | undefined
  private kept = new SharedArrayBuffer(0)
  private sent: SharedArrayBuffer | undefined

  constructor(
    script: URL,
    private readonly listener: Listener
  ) {
    this.worker = new Worker(script, { execArgv: [], workerData: { wide: env.wasm.wide } })
    this.worker.on('message', (reply: Reply) => this.hear(reply))
    this.worker.on('error', error => this.die((error as Error).message))
    this.worker.on('exit', code => this.die(`exit code ${code}`))
  }

  get isIdle(): boolean {
    return !this.job && !this.gone && this.opening.size === 0
  }

  get isBusy(): boolean {
    return this.job !== undefined
  }

  open(model: number, { file, limits, pictures, probe }: Kept): Promise<Opened> {
    return new Promise((resolve, reject) => {
      if (this.gone) return reject(new ThreadDied(this.gone))
      this.opening.set(model, { resolve, reject })
      this.post({ kind: 'open', model, file, limits, pictures, probe })
    })
  }

  /** One job at a time. Rejects with ThreadDied where the thread goes before it answers. */
  run(id: number, model: number, work: Work): Promise<Done> {
    return new Promise((resolve, reject) => {
      if (this.gone) return reject(new ThreadDied(this.gone))
      this.job = { id, resolve, reject }
      const memory = work.kind === 'tensors' ? work.memory : work.bytes.buffer
      const given = memory instanceof ArrayBuffer ? [memory] : []
      this.worker.postMessage({ kind: 'run', job: id, model, work: this.toSend(work) } satisfies Request, given)
    })
  }

  /** Without the memory that the thread has already: its collector would count it each time anew. */
  private toSend(work: Work): Work {
    if (work.kind === 'picture' || work.memory !== this.kept) return work
    if (this.sent === this.kept) return { ...work, memory: undefined }
    this.sent = this.kept
    return work
  }

  /** Memory for the inputs of its next job, mostly that of the last one: new memory costs its pages, and collecting it. */
  room(bytes: number): ArrayBuffer | SharedArrayBuffer {
    // Nobody counts what is shared, so large pieces of it would be collected late.
    if (bytes > mostKept) return new ArrayBuffer(bytes)
    if (bytes > this.kept.byteLength) this.kept = new SharedArrayBuffer(bytes)
    return this.kept
  }

  /** Gives up job `id`; a thread that does not within `patience` milliseconds is ended, and so replaced. */
  cancel(id: number, patience: number): void {
    if (this.job?.id !== id) return
    this.post({ kind: 'cancel', job: id })
    setTimeout(() => this.job?.id === id && this.kill(), patience).unref()
  }

  /** As a crash would end it. */
  kill(): void {
    this.worker.terminate()
  }

  /** Gone at once, for a reason that is ours. */
  fail(why: string): void {
    this.die(why)
    this.kill()
  }

  post(request: Request): void {
    if (!this.gone) this.worker.postMessage(request)
  }

  async end(): Promise<void> {
    this.gone ??= 'the server has ended'
    await this.worker.terminate()
  }

  private hear(reply: Reply): void {
    if (reply.kind === 'opened' || reply.kind === 'refused') {
      const waiting = this.opening.get(reply.model)
      if (!waiting) return
      this.opening.delete(reply.model)
      if (reply.kind === 'opened') waiting.resolve(reply.opened)
      else waiting.reject(refused(reply.error))
      // Behind those who hear of a refusal, and may end this thread for it.
      queueMicrotask(() => this.isIdle && this.listener.idle())
      return
    }
    const job = this.job
    if (job?.id !== reply.job) return
    this.job = undefined
    // The thread has its next job before this one's answer is written.
    this.listener.idle()
    if (reply.kind === 'done') job.resolve(reply.done)
    else job.reject(refused(reply.error))
  }

  private die(why: string): void {
    if (this.gone) return
    this.gone = why
    const error = new ThreadDied(`a thread of the server has died: ${why}`)
    for (const { reject } of this.opening.values()) reject(error)
    this.opening.clear()
    this.listener.died(why)
    this.job?.reject(error)
    this.job = undefined
  }
}

/** What a thread has refused, as an error of this side: what a model or an input is to blame for, or a failure. */
function refused({ name, message }: Refusal): ServingError {
  if (name === 'AbortError') return new ServingError('cancelled', 'the request was given up')
  return servingError(Object.assign(new Error(message), { name }))
}
