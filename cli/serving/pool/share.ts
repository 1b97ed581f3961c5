/** Every so many runs another size is tried, because what a machine does changes with what else it has to do. */
const tryEvery = 32

/** How much a new time counts for: of the size that is in use, and of one that is tried. */
const [little, much] = [0.2, 0.5]

/** Of the time of fewer rows: more of them make everybody wait longer, and times of a shared machine are no surer than that. */
const better = 0.9

/**
 * How many rows share a run: a power of two of which a row has taken the least time so far. On one thread a network may take as
 * long for two rows as for one twice, or longer where its maps leave the cache, while small ones gain by fewer messages.
 */
export class Share {
  /** Milliseconds a row, by the logarithm of the size. */
  private readonly times: number[] = []
  private best = 0
  private runs = 0

  /** Up to `most` rows. */
  next(most: number): number {
    const largest = Math.floor(Math.log2(Math.max(1, most)))
    const sizes = Array.from({ length: largest + 1 }, (_, i) => i)
    const untried = sizes.findLast(size => this.times[size] === undefined)
    if (untried !== undefined) return 2 ** untried
    this.best = sizes.reduce((best, size) => (this.times[size] < better * this.times[best] ? size : best))
    const other = Math.min(largest, Math.max(0, this.best + (Math.floor(this.runs / tryEvery) % 2 ? 1 : -1)))
    return 2 ** (++this.runs % tryEvery ? this.best : other)
  }

  took(rows: number, milliseconds: number): void {
    const size = Math.log2(rows)
    if (!Number.isInteger(size)) return
    const before = this.times[size] ?? milliseconds / rows
    // A run that something else has held up says little.
    const each = Math.min(milliseconds / rows, 2 * before)
    const weight = size === this.best ? little : much
    this.times[size] = (1 - weight) * before + weight * each
  }
}
