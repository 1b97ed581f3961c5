import { CairnError } from '../base/index.js'

/** Where a file's bytes come from: memory, disk, or the network, so that weights go straight to where they belong. */
export interface Source {
  /** Bytes in all, where that is known from the start. */
  readonly size: number | undefined
  /** The first `count` bytes, or all when there are fewer. */
  head(count: number): Promise<Uint8Array>
  /**
   * Fills `targets`, one behind the other, with what lies at `offset`. Reads may be begun before others have ended, each
   * behind the last. Throws CairnError where the bytes end too early.
   */
  read(offset: number, targets: readonly Uint8Array[]): Promise<void>
  /** Throws CairnError unless there are exactly `length` bytes; nothing is read afterwards. */
  end(length: number): Promise<void>
  /** Everything, for what cannot be read in parts; nothing else is read before or afterwards but the head. */
  all(): Promise<Uint8Array>
  close(): Promise<void>
}

export interface SourceOptions {
  /** Ends download and loading with its reason. */
  readonly signal?: AbortSignal
  /** Told how many bytes have come, and of how many. */
  readonly onProgress?: (loaded: number, total: number) => void
}

export function checkLength(found: number, length: number): void {
  if (found !== length)
    throw new CairnError(`file has ${found} bytes where its header asks for ${length}; it is truncated or padded`)
}

export const lengthOf = (targets: readonly Uint8Array[]) => targets.reduce((sum, { length }) => sum + length, 0)

export const tooShort = (found: number, wanted: number) =>
  new CairnError(`file ends after ${found} bytes where its header asks for ${wanted} or more; it is truncated`)

/** What of `targets` is not filled by their first `count` bytes. */
export function behind(targets: readonly Uint8Array[], count: number): Uint8Array[] {
  const left: Uint8Array[] = []
  let at = 0
  for (const target of targets) {
    const filled = Math.min(Math.max(count - at, 0), target.length)
    if (filled < target.length) left.push(target.subarray(filled))
    at += target.length
  }
  return left
}

export class BytesSource implements Source {
  readonly size: number

  constructor(private readonly bytes: Uint8Array) {
    this.size = bytes.length
  }

  async head(count: number): Promise<Uint8Array> {
    return this.bytes.subarray(0, count)
  }

  async read(offset: number, targets: readonly Uint8Array[]): Promise<void> {
    const end = offset + lengthOf(targets)
    if (end > this.bytes.length) throw tooShort(this.bytes.length, end)
    let at = offset
    for (const target of targets) {
      target.set(this.bytes.subarray(at, at + target.length))
      at += target.length
    }
  }

  async end(length: number): Promise<void> {
    checkLength(this.bytes.length, length)
  }

  async all(): Promise<Uint8Array> {
    return this.bytes
  }

  async close(): Promise<void> {}
}
