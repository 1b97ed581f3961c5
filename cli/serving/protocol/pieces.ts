/** Bytes as they have come. What only goes on to somewhere else is copied there from its pieces, and never made one before. */
export class Pieces {
  readonly length: number

  constructor(private readonly all: readonly Uint8Array[]) {
    this.length = all.reduce((sum, { length }) => sum + length, 0)
  }

  /** The bytes from `from` to before `to`, in the same memory. */
  part(from: number, to: number): Pieces {
    const parts: Uint8Array[] = []
    let at = 0
    for (const piece of this.all) {
      const [first, last] = [Math.max(0, from - at), Math.min(piece.length, to - at)]
      if (first < last) parts.push(piece.subarray(first, last))
      at += piece.length
    }
    return new Pieces(parts)
  }

  /** In one. */
  whole(): Uint8Array {
    if (this.all.length === 1) return this.all[0]
    const bytes = new Uint8Array(this.length)
    this.copyTo(bytes, 0)
    return bytes
  }

  /** Into `bytes` from index `at` on. */
  copyTo(bytes: Uint8Array, at: number): void {
    let next = at
    for (const piece of this.all) {
      bytes.set(piece, next)
      next += piece.length
    }
  }

  some(holds: (byte: number) => boolean): boolean {
    return this.all.some(piece => piece.some(holds))
  }
}
