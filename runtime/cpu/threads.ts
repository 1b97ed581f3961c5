import { CairnError } from '../base/index.js'
import { inBrowser, inNode } from '../worker-place.js'
import { type Barrier, type BoundCall, Control, type Entrance, grain, type Membership } from './lockstep.js'
import { Pace } from './pace.js'
import { barrierModule } from './shared.js'
import { type Spawned, spawn } from './spawn.js'

/**
 * The threads of a session: the one that calls `run`, and workers. All make the same calls over one shared memory, each
 * takes its slice of each (asm/thread.ts), and they meet behind every call. Nothing is posted for a run.
 */
export class Team {
  private readonly workers: Spawned[] = []
  private readonly ready: Promise<unknown>
  private control: Control | undefined
  private barrier: Barrier | undefined
  private failure: string | undefined
  private maySleep = true
  private pace = new Pace()
  private isAlone = false
  private began = 0
  private waited = 0

  /** Starts the workers, which load their script meanwhile. */
  constructor(readonly count: number) {
    this.ready = Promise.all(Array.from({ length: count - 1 }, (_, i) => this.start(i + 1)))
    // Whoever has no use for the workers in the end does not ask whether they came up.
    this.ready.catch(() => undefined)
  }

  /** Hands the workers what they run, each the address of its own table of calls. */
  inform(common: Omit<Membership, 'barrier' | 'index' | 'count' | 'table'>, tableOf: (thread: number) => number): void {
    const { memory } = common
    const barrier = barrierModule()
    this.control = new Control(memory)
    this.barrier = new WebAssembly.Instance(barrier, { env: { memory } }).exports as unknown as Barrier
    this.workers.forEach((worker, i) => {
      worker.post({ ...common, barrier, index: i + 1, count: this.count, table: tableOf(i + 1) } satisfies Membership)
    })
  }

  /** Waits until all threads stand ready. */
  async gather(): Promise<void> {
    this.maySleep = maySleep()
    await this.ready
  }

  /** The workers' tables of calls have been written. */
  renew(): void {
    this.pace = new Pace()
    this.control!.advance()
  }

  /** Begins a run, of which this thread is the first or the only one; in an observed one the others wait behind each call for `goOn`. */
  begin(exports: Entrance, observed: boolean): void {
    if (this.failure) throw new CairnError(this.failure)
    const control = this.control!
    this.isAlone = !observed && this.pace.isAlone
    this.began = performance.now()
    this.waited = 0
    control.stopped = false
    control.observed = observed
    exports.enter(0, this.isAlone ? 1 : this.count, grain)
    if (!this.isAlone) this.barrier!.begin()
  }

  /** Ends a run of which all calls have been made. */
  end(): void {
    this.pace.note(performance.now() - this.began, this.waited)
  }

  /** The first thread's part of one call; returns when all have made theirs. */
  step(call: BoundCall, at: number): void {
    this.control!.make(call, at)
    if (this.isAlone) return
    this.waited -= performance.now()
    this.goOn()
    this.waited += performance.now()
  }

  /** Meets the others: behind each call, and in an observed run twice. */
  goOn(): void {
    this.check(this.barrier!.meet(this.count, this.maySleep, false) !== 0)
  }

  /** Goes with the others through what is left of a run, without making its calls. */
  abandon(meetings: number): void {
    const control = this.control!
    control.stopped = true
    for (let left = this.isAlone ? 0 : meetings; left > 0 && !this.failure; left--) this.goOn()
    control.failed()
  }

  private check(met: boolean): void {
    if (met) return
    this.failure ??= `one of ${this.count} threads has not come back for a minute`
    throw new CairnError(this.failure)
  }

  /** The call that failed in the run that has ended, if one did. */
  failed(): number | undefined {
    return this.control!.failed()
  }

  /** Ends the threads. Those that wait for a run are called back first: some engines cannot end what sleeps. */
  async release(): Promise<void> {
    if (this.control) {
      this.control.ended = true
      this.barrier!.begin()
    }
    await Promise.all(this.workers.map(worker => worker.end()))
  }

  private start(index: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const worker = spawn(inBrowser, inNode, {
        message() {
          worker.hold(false)
          resolve()
        },
        failed: why => {
          this.failure ??= `thread ${index + 1} of ${this.count} has failed: ${why}`
          reject(new CairnError(this.failure))
        }
      })
      this.workers.push(worker)
    })
  }
}

/** Browsers do not let a window's thread sleep. */
function maySleep(): boolean {
  try {
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 1, 0)
    return true
  } catch {
    return false
  }
}
