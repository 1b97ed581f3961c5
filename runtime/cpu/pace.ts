/** Runs in which a way is tried, those for which it is then kept, and the first ones, in which engines still compile. */
const trial = 3
const stay = 40
const warm = 8

/** Share of a run that the first thread may wait for others; of two, one of which has half of a core, it waits half. */
const mostWaiting = 2 / 5

/**
 * Whether a session's threads are worth their while. On a machine that has other work as well a thread may be kept from its
 * core, and the others wait for it behind every call: then the first thread alone is faster, which gives the same bits. So
 * runs that wait too much are followed by a trial of some that it makes alone, and the faster way is kept for a while.
 */
export class Pace {
  /** Whether the next run is the first thread's alone. */
  isAlone = false
  private isTrial = false
  /** Runs until the way is judged, by the last ones of them. */
  private left = warm
  private total = 0
  private waited = 0
  /** Milliseconds of the last judged runs of either way. */
  private together = 0
  private alone = 0

  /** A run of `total` milliseconds has ended, for `waited` of which the first thread has waited. */
  note(total: number, waited: number): void {
    if (this.left-- > trial) return
    this.total += total
    this.waited += waited
    if (this.left > 0) return
    const waits = this.waited > this.total * mostWaiting
    if (this.isAlone) this.alone = this.total
    else this.together = this.total
    this.total = this.waited = 0
    this.left = trial
    if (this.isTrial) {
      this.isAlone = this.alone < this.together
      this.isTrial = false
      this.left = stay
    } else if (this.isAlone || waits) {
      this.isAlone = !this.isAlone
      this.isTrial = true
      // The first finds threads asleep.
      this.left++
    }
  }
}
