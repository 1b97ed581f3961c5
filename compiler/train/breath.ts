/** Steps follow each other without a pause; signals, messages and timers are heard only in between. */
export class Breath {
  private last = Date.now()

  /** Lets others have a turn, if they have waited for long. */
  async take(): Promise<void> {
    if (Date.now() - this.last < 40) return
    await new Promise(resolve => setTimeout(resolve))
    this.last = Date.now()
  }
}
