/** Runs in which a way is tried, and those for which it is then kept. */
const trial = 3
const stay = 40

/** Share of a run that the first thread may wait for others, and how much longer than the fastest runs may take. */
const mostWaiting = 1 / 4
const mostSlowing = 1.3

/**
 * Whether a session's threads are worth their while. On a machine that has other work as well a thread may be kept from its
 * core, and the others wait for it behind every call: then the first thread alone is faster, which gives the same bits. So
 * runs that wait too much, or take too long, are followed by a trial of some that it makes alone, and the faster way is
 * kept for a while.
 */
export class Pace {
  private way: 'together' | 'trying alone' | 'alone' | 'trying together' = 'together'
  /** Runs until the way is judged. */
  private left = trial
  /** Means of what recent runs took, in milliseconds, and of the share that the first thread waited. */
  private together = 0
  private alone = 0
  private waiting = 0
  private best = Number.POSITIVE_INFINITY

  /** Whether the next run is the first thread's alone. */
  get isAlone(): boolean {
    return this.way === 'alone' || this.way === 'trying alone'
  }

  /** A run of `total` milliseconds has ended, for `waited` of which the first thread has waited. */
  note(total: number, waited: number): void {
    const mean = (before: number, now: number) => (before ? before + (now - before) / 4 : now)
    if (this.isAlone) this.alone = mean(this.alone, total)
    else {
      this.together = mean(this.together, total)
      this.waiting = mean(this.waiting, waited / total)
      this.best = Math.min(this.best, total)
    }
    if (--this.left > 0) return
    if (this.way === 'alone') this.turn('trying together', trial)
    else if (this.way !== 'together') this.turn(this.alone < this.together ? 'alone' : 'together', stay)
    else if (this.waiting > mostWaiting || this.together > this.best * mostSlowing) this.turn('trying alone', trial)
  }

  private turn(way: Pace['way'], runs: number): void {
    this.way = way
    this.left = runs
    if (way === 'trying alone') this.alone = 0
    if (way === 'trying together') this.together = this.waiting = 0
  }
}
