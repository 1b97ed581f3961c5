import { SingleBar } from 'cli-progress'

/** Milliseconds between lines where no terminal shows a bar. */
const lineEvery = 10_000

/** A bar on standard error that appears after a second of work, on a terminal; elsewhere nothing, or with `lines` a line now and then. */
export class Progress {
  private readonly began = Date.now()
  private said = this.began
  private bar: SingleBar | undefined

  constructor(
    private readonly total: number,
    private readonly lines: 'lines' | undefined = undefined
  ) {}

  step(done: number, doing: string): void {
    if (process.stderr.isTTY) this.show(done, doing)
    else if (this.lines) this.line(done, doing)
  }

  stop(): void {
    this.bar?.stop()
  }

  private show(done: number, doing: string): void {
    if (!this.bar && Date.now() - this.began > 1000) {
      this.bar = new SingleBar({ format: '{bar} {value}/{total} {doing}', clearOnComplete: true, hideCursor: true })
      this.bar.start(this.total, done, { doing })
    }
    this.bar?.update(done, { doing })
  }

  private line(done: number, doing: string): void {
    if (Date.now() - this.said < lineEvery) return
    this.said = Date.now()
    process.stderr.write(`cairn: ${done} of about ${this.total}: ${doing}\n`)
  }
}
