import type { CallTime } from '../../runtime/index.js'

interface Event {
  readonly cat: 'Node'
  readonly ph: 'X'
  readonly pid: number
  readonly tid: number
  readonly name: string
  readonly ts: number
  readonly dur: number
  readonly args: { readonly op_name: string }
}

/** The times of runs as events that trace viewers show, as onnxruntime writes them. */
export class Profile {
  private readonly events: Event[] = []
  private ended = false

  constructor(private readonly prefix: string) {}

  get isOn(): boolean {
    return !this.ended
  }

  /** One run's calls, one behind the other. */
  add(calls: readonly CallTime[]): void {
    let at = performance.now() * 1000
    for (const { node, kernel, milliseconds } of calls) {
      const [ts, dur] = [at, milliseconds * 1000].map(Math.round)
      this.events.push({ cat: 'Node', ph: 'X', pid: 1, tid: 1, name: node, ts, dur, args: { op_name: kernel } })
      at += dur
    }
  }

  /** In Node a file beside the program, on pages a line of the console. */
  end(): void {
    if (this.ended) return
    this.ended = true
    const text = JSON.stringify(this.events)
    const files = globalThis.process?.getBuiltinModule?.('node:fs')
    if (files)
      files.writeFileSync(`${this.prefix}${new Date().toISOString().replace(/\D/g, '').slice(0, 17)}.json`, text)
    else console.log(text)
  }
}
