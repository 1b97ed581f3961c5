// Seeded pseudo-random numbers for weights: mulberry32 for uniform bits, and the sum of four uniforms
// (Irwin-Hall) for a normal one, whose tails end at 3.46 standard deviations. No transcendental functions, so that
// VGG-16's 138 million weights take about a second and are the same on every platform.

// Four 16-bit uniforms: mean 4 * 65535 / 2, variance 4 * (65536 ** 2 - 1) / 12.
const sumMean = 131070
const sumDeviation = 65536 / Math.sqrt(3)

export class Random {
  private state: number

  constructor(seed: number) {
    this.state = (seed ^ 0x5eed5eed) | 0
  }

  private bits(): number {
    const state = (this.state = (this.state + 0x6d2b79f5) | 0)
    let z = Math.imul(state ^ (state >>> 15), state | 1)
    z = (z + Math.imul(z ^ (z >>> 7), z | 61)) ^ z
    return z ^ (z >>> 14)
  }

  uniform(low: number, high: number, count: number): Float32Array<ArrayBuffer> {
    const values = new Float32Array(count)
    for (let i = 0; i < count; i++) values[i] = low + ((high - low) * (this.bits() >>> 0)) / 2 ** 32
    return values
  }

  normal(mean: number, deviation: number, count: number): Float32Array<ArrayBuffer> {
    const values = new Float32Array(count)
    const scale = deviation / sumDeviation
    for (let i = 0; i < count; i++) {
      const a = this.bits()
      const b = this.bits()
      values[i] = mean + ((a & 0xffff) + (a >>> 16) + (b & 0xffff) + (b >>> 16) - sumMean) * scale
    }
    return values
  }
}
