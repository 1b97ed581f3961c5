/** Runs in which a way is tried, and those for which it is then kept. */
const trial = 3
const stay = 40

/** Share of a run that the first thread may wait for others. */
const mostWaiting = 1 / 4

/**
 * Whether a session's threads are worth their while. On a machine that has other work as well a thread may be kept from its
 * core, and the others wait for it behind every call: then the first thread alone is faster, which gives the same bits. So
 * runs that wait too much are followed by a trial of some that it makes alone, and the faster way is kept for a while.
 */
export class Pace {
  /** Whether the next run is the first thread's alone. */
  isAlone = false
  private isTrial = false
  /** Runs until the way is judged. */
  private left = trial
  /** Means of what recent runs took, in milliseconds, and of the share that the first thread waited. */
  private together = 0
  private alone = 0
  private waiting = 0

  /** A run of `total` milliseconds has ended, for `waited` of which the first thread has waited. */
  note(total: number, waited: number): void {
    if (this.isAlone) this.alone = mean(this.alone, total)
    else {
      this.together = mean(this.together, total)
      this.waiting = mean(this.waiting, waited / total)
    }
    if (--this.left > 0) return
    if (this.isTrial) {
      this.isAlone = this.alone < this.together
      this.isTrial = false
      this.left = stay
    } else if (this.isAlone || this.waiting > mostWaiting) {
      this.isAlone = !this.isAlone
      this.isTrial = true
      this.left = trial
      if (this.isAlone) this.alone = 0
      else this.together = this.waiting = 0
    }
  }
}

const mean = (before: number, now: number) => (before ? before + (now - before) / 4 : now)
