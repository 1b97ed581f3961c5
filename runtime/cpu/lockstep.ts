/**
 * What the threads of a session share, whichever they are: the same calls, one after another, with a meeting behind
 * each (asm/barrier.ts). Whatever goes wrong in a call, the meetings are kept, and the first thread gives up one that is
 * gone, so that nobody waits for ever.
 */
export type Kernel = (...values: number[]) => void

export interface BoundCall {
  readonly kernel: Kernel
  /** Where the parameter block is, then the buffers. */
  readonly arguments: readonly number[]
}

/** What a binary exports beside its kernels, for threads to tell it which they are. */
export interface Entrance {
  enter(index: number, count: number, least: number): void
}

/** What asm/barrier.ts exports, which is a module of its own. */
export interface Barrier {
  meet(threads: number, maySleep: boolean, patient: boolean): number
  begin(): void
  nextRun(runs: number): number
}

/** What a worker is told, once. */
export interface Membership {
  readonly module: WebAssembly.Module
  /** The one with which threads meet. */
  readonly barrier: WebAssembly.Module
  readonly memory: WebAssembly.Memory
  readonly index: number
  readonly count: number
  /** Names of the kernels that the table has by number. */
  readonly kernels: readonly string[]
  /** Address of this thread's table of calls, and the number of them. */
  readonly table: number
  readonly calls: number
}

/** Floats that a thread should touch at least, to be worth its while: some ten microseconds. */
export const grain = 32768

/** Words of the control block that JavaScript uses, on cache lines that asm/barrier.ts leaves. */
const failedAt = 64
const versionAt = 80
const stoppedAt = 96
const observedAt = 112
const endedAt = 128

export class Control {
  private readonly words: Int32Array

  constructor(memory: WebAssembly.Memory) {
    this.words = new Int32Array(memory.buffer, 0, 256)
  }

  /** The number of times that the tables have been written. */
  get version(): number {
    return Atomics.load(this.words, versionAt)
  }

  /** The tables have been written anew. */
  advance(): void {
    Atomics.add(this.words, versionAt, 1)
  }

  /** While a run is stopped its calls are not made, but met behind as ever. */
  set stopped(stopped: boolean) {
    Atomics.store(this.words, stoppedAt, Number(stopped))
  }

  /** In an observed run all threads meet once more behind each call, when the first has looked at what was written. */
  get observed(): boolean {
    return Atomics.load(this.words, observedAt) !== 0
  }

  set observed(observed: boolean) {
    Atomics.store(this.words, observedAt, Number(observed))
  }

  /** Whether there will be no run any more. */
  get ended(): boolean {
    return Atomics.load(this.words, endedAt) !== 0
  }

  set ended(ended: boolean) {
    Atomics.store(this.words, endedAt, Number(ended))
  }

  /** Makes one call; a trap is noted. */
  make({ kernel, arguments: values }: BoundCall, at: number): void {
    try {
      if (!Atomics.load(this.words, stoppedAt)) kernel(...values)
    } catch {
      Atomics.compareExchange(this.words, failedAt, 0, at + 1)
    }
  }

  /** The first call that has been noted since this was asked last. */
  failed(): number | undefined {
    const at = Atomics.exchange(this.words, failedAt, 0)
    return at ? at - 1 : undefined
  }
}

/** Words that a table takes: for each call its kernel's number, how many arguments it has, and these. */
export function tableLength(calls: readonly { readonly arguments: readonly unknown[] }[]): number {
  return calls.reduce((sum, call) => sum + 3 + call.arguments.length, 0)
}

export function writeTable(
  table: Int32Array,
  calls: readonly { kernel: number; arguments: readonly number[] }[]
): void {
  let at = 0
  for (const { kernel, arguments: values } of calls) {
    table[at++] = kernel
    table[at++] = values.length
    table.set(values, at)
    at += values.length
  }
}

export function readTable(table: Int32Array, calls: number, kernels: readonly Kernel[]): BoundCall[] {
  let at = 0
  return Array.from({ length: calls }, () => {
    const [kernel, length] = table.subarray(at, at + 2)
    at += 2 + length
    return { kernel: kernels[kernel], arguments: Array.from(table.subarray(at - length, at)) }
  })
}
