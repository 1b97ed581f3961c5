import type { IncomingMessage } from 'node:http'
import { type Budget, Pieces, ServingError } from '../protocol/index.js'
import { Slabs } from './slabs.js'

export interface Body {
  readonly bytes: Pieces
  /** Gives the memory back: nobody may look at the bytes from here on. */
  release(): void
}

const slabs = new Slabs()

/** Reads a body of at most `most` bytes; one that says that it is larger is refused before it is read. */
export function readBody(message: IncomingMessage, most: number, budget: Budget): Promise<Body> {
  const said = Number(message.headers['content-length'] ?? Number.NaN)
  const large = () => new ServingError('large', `a body of ${said || 'too many'} bytes; up to ${most} are allowed`)
  if (said > most) return Promise.reject(large())
  // What has come counts, not what is said: silence costs nothing.
  let held = 0
  let place: Place | undefined
  const release = () => {
    budget.give(held)
    held = 0
    place?.release()
    place = undefined
  }
  return new Promise((resolve, reject) => {
    let ended = false
    const fail = (error: ServingError) => {
      if (ended) return
      ended = true
      message.off('data', take)
      release()
      reject(error)
    }
    const take = (chunk: Buffer) => {
      try {
        if (held + chunk.length > most) throw large()
        budget.take(chunk.length)
        held += chunk.length
        place ??= placeFor(said, Number(message.headers['inference-header-content-length']) || 0)
        place.take(chunk)
      } catch (error) {
        message.pause()
        fail(error as ServingError)
      }
    }
    // Every message closes in the end.
    const gone = () => ended || fail(new ServingError('cancelled', 'the client has gone'))
    message.on('data', take)
    message.once('end', () => {
      if (ended) return
      ended = true
      resolve({ bytes: place?.pieces() ?? new Pieces([]), release })
    })
    message.on('error', gone)
    message.once('close', gone)
  })
}

interface Place {
  take(chunk: Buffer): void
  pieces(): Pieces
  release(): void
}

function placeFor(said: number, headed: number): Place {
  const slab = slabs.take(said + 8)
  return slab ? new Whole(slab, -headed & 7) : new Gatherer(Math.min(said || room, room))
}

/** A body whose length is known. What is behind its JSON is aligned, which is what it is copied fastest from. */
class Whole implements Place {
  private end: number

  constructor(
    private readonly slab: Uint8Array,
    private readonly begin: number
  ) {
    this.end = begin
  }

  take(chunk: Buffer): void {
    this.slab.set(chunk, this.end)
    this.end += chunk.length
  }

  pieces(): Pieces {
    return new Pieces([this.slab.subarray(this.begin, this.end)])
  }

  release(): void {
    slabs.give(this.slab)
  }
}

/** What comes in smaller pieces is gathered: a piece by itself takes more memory than a few bytes. */
const small = 2 ** 14

/** Bytes in which small pieces are gathered. */
const room = 2 ** 16

/** A body of any length. */
class Gatherer implements Place {
  private readonly done: Uint8Array[] = []
  private free = new Uint8Array(0)
  private filled = 0

  constructor(private readonly room: number) {}

  take(chunk: Buffer): void {
    if (chunk.length >= Math.min(small, this.room)) {
      this.flush()
      this.done.push(chunk)
      return
    }
    if (chunk.length > this.free.length - this.filled) {
      this.flush()
      this.free = Buffer.allocUnsafeSlow(this.room)
    }
    this.free.set(chunk, this.filled)
    this.filled += chunk.length
  }

  pieces(): Pieces {
    this.flush()
    return new Pieces(this.done)
  }

  release(): void {}

  private flush(): void {
    if (this.filled) this.done.push(this.free.subarray(0, this.filled))
    this.free = this.free.subarray(this.filled)
    this.filled = 0
  }
}
