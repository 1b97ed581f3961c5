import type { IncomingMessage } from 'node:http'
import { ServingError } from '../protocol/index.js'

/** Memory that bodies of requests under way may take together, so that many large ones cannot take it all. */
export class Budget {
  private taken = 0

  constructor(private readonly total: number) {}

  take(bytes: number): void {
    if (this.taken + bytes > this.total)
      throw new ServingError('busy', 'the requests under way fill the memory for their bodies; try again later', 1)
    this.taken += bytes
  }

  give(bytes: number): void {
    this.taken -= bytes
  }
}

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
    if (said) hold(said)
    const chunks: Buffer[] = []
    let length = 0
    for await (const chunk of message as AsyncIterable<Buffer>) {
      length += chunk.length
      if (length > most) throw large()
      if (length > held) hold(length - held)
      chunks.push(chunk)
    }
    return { bytes: chunks.length === 1 ? chunks[0] : Buffer.concat(chunks, length), release }
  } catch (error) {
    release()
    if (error instanceof ServingError) throw error
    throw new ServingError('cancelled', 'the client has gone')
  }
}
