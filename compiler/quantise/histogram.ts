/** How often a tensor has values between its least and its largest, in equal steps. */
export class Histogram {
  readonly counts: Float64Array
  total = 0

  /** `low` and `high` hold 0, and what will be counted. */
  constructor(
    readonly low: number,
    readonly high: number,
    bins = 2048
  ) {
    this.counts = new Float64Array(bins)
  }

  get width(): number {
    return (this.high - this.low) / this.counts.length
  }

  add(values: ArrayLike<number>): void {
    const { counts, low, width } = this
    const last = counts.length - 1
    const factor = width > 0 ? 1 / width : 0
    for (let i = 0; i < values.length; i++) {
      const bin = Math.floor((values[i] - low) * factor)
      counts[bin < 0 ? 0 : bin > last ? last : bin]++
    }
    this.total += values.length
  }

  /** Mean square of what was counted. */
  get energy(): number {
    let sum = 0
    for (let bin = 0; bin < this.counts.length; bin++) sum += this.counts[bin] * this.at(bin) ** 2
    return this.total ? sum / this.total : 0
  }

  /** The middle of a bin. */
  at(bin: number): number {
    return this.low + (bin + 0.5) * this.width
  }
}
