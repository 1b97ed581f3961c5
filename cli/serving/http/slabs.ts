/** Bytes of a slab: the smallest, of which the others are multiples, and the largest. */
const [least, most] = [2 ** 16, 2 ** 22]

/** Bytes that are kept for later, in all: what a client of a picture each needs, a hundred of them. */
const mostKept = 2 ** 26

/** Bytes that are out, in all: a body has its slab from its first byte on, and may never send another. */
const mostOut = 2 ** 27

/**
 * Memory for bodies, used again and again. What each request allocates anew is memory that the collector of garbage must find,
 * which for bodies of half a megabyte took longer than everything else that a server does with them.
 */
export class Slabs {
  /** By their size, the one that was used last at the end. */
  private readonly free = new Map<number, Uint8Array[]>()
  private kept = 0
  private out = 0

  /** At least so many bytes, with whatever was in them; undefined where that is less or more than is kept, or too much is out. */
  take(bytes: number): Uint8Array | undefined {
    if (!(bytes >= least / 2 && bytes <= most)) return undefined
    const size = Math.ceil(bytes / least) * least
    if (this.out + size > mostOut) return undefined
    this.out += size
    const slab = this.used(size).pop()
    if (slab) this.kept -= size
    return slab ?? Buffer.allocUnsafeSlow(size)
  }

  /** Nobody may look at it from here on. */
  give(slab: Uint8Array): void {
    this.out -= slab.length
    this.kept += slab.length
    this.used(slab.length).push(slab)
    for (const [size, slabs] of this.free) {
      for (; this.kept > mostKept && slabs.pop(); this.kept -= size);
      if (this.kept <= mostKept) return
      this.free.delete(size)
    }
  }

  /** Those of a size, which from here on is the one that was used last. */
  private used(size: number): Uint8Array[] {
    const slabs = this.free.get(size) ?? []
    this.free.delete(size)
    this.free.set(size, slabs)
    return slabs
  }
}
