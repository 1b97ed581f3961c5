/** Bytes of a slab: powers of two of which the smallest and the largest are these. */
const [least, most] = [2 ** 16, 2 ** 22]

/** Bytes that are kept for later, in all. */
const mostKept = 2 ** 25

/** Bytes that are out, in all: a body has its slab from its first byte on, and may never send another. */
const mostOut = 2 ** 27

/**
 * Memory for bodies, used again and again. What each request allocates anew is memory that the collector of garbage must find,
 * which for bodies of half a megabyte took longer than everything else that a server does with them.
 */
export class Slabs {
  private readonly free = new Map<number, Uint8Array[]>()
  private kept = 0
  private out = 0

  /** At least so many bytes, with whatever was in them; undefined where that is less or more than is kept, or too much is out. */
  take(bytes: number): Uint8Array | undefined {
    if (!(bytes >= least / 2 && bytes <= most)) return undefined
    const size = Math.max(least, 2 ** Math.ceil(Math.log2(bytes)))
    if (this.out + size > mostOut) return undefined
    this.out += size
    const slab = this.free.get(size)?.pop()
    if (slab) this.kept -= size
    return slab ?? Buffer.allocUnsafeSlow(size)
  }

  /** Nobody may look at it from here on. */
  give(slab: Uint8Array): void {
    this.out -= slab.length
    if (this.kept + slab.length > mostKept) return
    this.kept += slab.length
    const same = this.free.get(slab.length)
    if (same) same.push(slab)
    else this.free.set(slab.length, [slab])
  }
}
