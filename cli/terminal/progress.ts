import { SingleBar } from 'cli-progress'

/** A bar on standard error that appears after a second of work, and only on a terminal. */
export class Progress {
  private readonly began = Date.now()
  private bar: SingleBar | undefined

  constructor(private readonly total: number) {}

  step(done: number, doing: string): void {
    if (!process.stderr.isTTY) return
    if (!this.bar && Date.now() - this.began > 1000) {
      this.bar = new SingleBar({ format: '{bar} {value}/{total} {doing}', clearOnComplete: true, hideCursor: true })
      this.bar.start(this.total, done, { doing })
    }
    this.bar?.update(done, { doing })
  }

  stop(): void {
    this.bar?.stop()
  }
}
