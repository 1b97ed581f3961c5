/** Steps follow each other without a pause; signals, messages and timers are heard only in between. */
export class Breath {
  /** Shared by all: epochs may be shorter than a breath. */
  private static last = Date.now()

  /** Lets others have a turn, if they have waited for long. */
  async take(): Promise<void> {
    if (Date.now() - Breath.last < 40) return
    await new Promise(resolve => setTimeout(resolve))
    Breath.last = Date.now()
  }
}
