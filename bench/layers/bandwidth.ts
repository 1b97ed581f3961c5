import { median } from '../../cli/measure/index.js'

/** More than a cache holds; the copy reads as much as it writes. */
const copied = 96 << 20
const times = 7

/**
 * Gigabytes a second of copying within a WebAssembly memory, in this process and now; bytes read and bytes written are
 * both counted.
 */
export class Bandwidth {
  private readonly bytes = new Uint8Array(new WebAssembly.Memory({ initial: (2 * copied) / 65536 }).buffer).fill(1)

  measure(): number {
    const milliseconds = Array.from({ length: times }, () => {
      const start = performance.now()
      this.bytes.copyWithin(copied, 0, copied)
      return performance.now() - start
    })
    return (2 * copied) / median(milliseconds) / 1e6
  }
}
