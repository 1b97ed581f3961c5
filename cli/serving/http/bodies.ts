import type { IncomingMessage } from 'node:http'
import { type Budget, ServingError } from '../protocol/index.js'

/** Bytes that a body has room for at first; it doubles as bytes come. */
const firstBytes = 2 ** 16

export interface Body {
  readonly bytes: Buffer
  /** Gives the memory back. */
  release(): void
}

/** Reads a body of at most `most` bytes; one that says that it is larger is refused before it is read. */
export async function readBody(message: IncomingMessage, most: number, budget: Budget): Promise<Body> {
  const said = Number(message.headers['content-length'] ?? Number.NaN)
  const large = () => new ServingError('large', `a body of ${said || 'too many'} bytes; up to ${most} are allowed`)
  if (said > most) throw large()
  let held = 0
  const release = () => {
    budget.give(held)
    held = 0
  }
  const hold = (bytes: number) => {
    budget.take(bytes)
    held += bytes
  }
  try {
    // What has come counts, not what is said: silence costs nothing. Pages that nothing was written to are no memory.
    let bytes = Buffer.allocUnsafeSlow(Math.min(said || firstBytes, firstBytes))
    let length = 0
    for await (const chunk of message as AsyncIterable<Buffer>) {
      const end = length + chunk.length
      if (end > most) throw large()
      hold(chunk.length)
      if (end > bytes.length) {
        const larger = Buffer.allocUnsafeSlow(Math.max(end, Math.min(2 * bytes.length, said || most)))
        bytes.copy(larger, 0, 0, length)
        bytes = larger
      }
      bytes.set(chunk, length)
      length = end
    }
    return { bytes: bytes.subarray(0, length), release }
  } catch (error) {
    release()
    if (error instanceof ServingError) throw error
    throw new ServingError('cancelled', 'the client has gone')
  }
}
