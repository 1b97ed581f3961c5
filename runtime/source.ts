import { CairnError } from './backend.js'
import { brandOf, bytesOf } from './brand.js'

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
  readonly signal?: AbortSignal
  readonly onProgress?: (loaded: number, total: number) => void
}

export type Given = ArrayBufferView | ArrayBuffer | SharedArrayBuffer | Blob | string | URL | Response

export function checkLength(found: number, length: number): void {
  if (found !== length)
    throw new CairnError(`file has ${found} bytes where its header asks for ${length}; it is truncated or padded`)
}

const lengthOf = (targets: readonly Uint8Array[]) => targets.reduce((sum, { length }) => sum + length, 0)

const tooShort = (found: number, wanted: number) =>
  new CairnError(`file ends after ${found} bytes where its header asks for ${wanted} or more; it is truncated`)

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

const nodeFiles = () => globalThis.process?.getBuiltinModule?.('node:fs')?.promises
type Files = NonNullable<ReturnType<typeof nodeFiles>>
type Handle = Awaited<ReturnType<Files['open']>>

/** A file of Node's: read by the system's own threads, straight into the target. */
class DiskSource implements Source {
  private loaded = 0

  private constructor(
    private readonly handle: Handle,
    readonly size: number,
    private readonly options: SourceOptions
  ) {}

  static async open(files: Files, path: string | URL, options: SourceOptions): Promise<DiskSource> {
    const handle = await files.open(path).catch(error => {
      const missing = (error as NodeJS.ErrnoException).code === 'ENOENT'
      throw new CairnError(`cannot open "${path}": ${missing ? 'no such file' : (error as Error).message}`)
    })
    const found = await handle.stat()
    if (found.isFile()) return new DiskSource(handle, found.size, options)
    await handle.close()
    throw new CairnError(`cannot open "${path}": it is not a file`)
  }

  async head(count: number): Promise<Uint8Array> {
    const bytes = new Uint8Array(Math.min(count, this.size))
    await this.read(0, [bytes])
    return bytes
  }

  async read(offset: number, targets: readonly Uint8Array[]): Promise<void> {
    const end = offset + lengthOf(targets)
    if (end > this.size) throw tooShort(this.size, end)
    let left = targets.filter(({ length }) => length)
    for (let at = offset; at < end; ) {
      this.options.signal?.throwIfAborted()
      const { bytesRead } = await this.handle.readv(left, at)
      if (!bytesRead) throw tooShort(at, end)
      at += bytesRead
      left = behind(left, bytesRead)
    }
    this.loaded = Math.max(this.loaded, end)
    this.options.onProgress?.(this.loaded, this.size)
  }

  async end(length: number): Promise<void> {
    checkLength(this.size, length)
  }

  all(): Promise<Uint8Array> {
    return this.head(this.size)
  }

  async close(): Promise<void> {
    await this.handle.close()
  }
}

/** What of `targets` is not filled by their first `count` bytes. */
function behind(targets: readonly Uint8Array[], count: number): Uint8Array[] {
  const left: Uint8Array[] = []
  let at = 0
  for (const target of targets) {
    const filled = Math.min(Math.max(count - at, 0), target.length)
    if (filled < target.length) left.push(target.subarray(filled))
    at += target.length
  }
  return left
}

/** A body that arrives: what has come and is not taken yet waits in `chunks`. */
class StreamSource implements Source {
  private chunks: Uint8Array[] = []
  /** Where the first chunk begins, and where the last one ends. */
  private taken = 0
  private arrived = 0
  private turn: Promise<unknown> = Promise.resolve()

  constructor(
    private readonly reader: ReadableStreamDefaultReader<Uint8Array>,
    readonly size: number | undefined,
    private readonly url: string,
    private readonly options: SourceOptions
  ) {
    // A body that stalls would not notice otherwise.
    options.signal?.addEventListener('abort', () => void this.close(), { once: true })
  }

  async head(count: number): Promise<Uint8Array> {
    while (this.arrived < count && (await this.arrive()));
    return joined(this.chunks).subarray(0, count)
  }

  read(offset: number, targets: readonly Uint8Array[]): Promise<void> {
    const turn = this.turn.then(async () => {
      let at = offset
      for (const target of targets) {
        await this.take(at, target)
        at += target.length
      }
    })
    this.turn = turn.catch(() => undefined)
    return turn
  }

  async end(length: number): Promise<void> {
    while (this.arrived <= length && (await this.arrive())) this.chunks = []
    checkLength(this.arrived, length)
  }

  async all(): Promise<Uint8Array> {
    while (await this.arrive());
    return joined(this.chunks)
  }

  async close(): Promise<void> {
    await this.reader.cancel().catch(() => undefined)
  }

  private async arrive(): Promise<boolean> {
    const { signal } = this.options
    signal?.throwIfAborted()
    const { done, value } = await this.reader.read().catch(error => {
      signal?.throwIfAborted()
      const expected = this.size ? ` of ${this.size}` : ''
      throw new CairnError(`${this.url} broke off after ${this.arrived}${expected} bytes: ${(error as Error).message}`)
    })
    signal?.throwIfAborted()
    if (done) return false
    this.chunks.push(value)
    this.arrived += value.length
    this.options.onProgress?.(this.arrived, this.size ?? 0)
    return true
  }

  private async take(offset: number, target: Uint8Array): Promise<void> {
    if (offset < this.taken) throw new CairnError('sections of the file overlap; they must follow each other')
    let done = 0
    while (done < target.length) {
      const [chunk] = this.chunks
      if (!chunk) {
        if (!(await this.arrive())) throw tooShort(this.arrived, offset + target.length)
        continue
      }
      const skipped = Math.min(offset + done - this.taken, chunk.length)
      const part = chunk.subarray(skipped, skipped + target.length - done)
      target.set(part, done)
      done += part.length
      const used = skipped + part.length
      this.taken += used
      if (used === chunk.length) this.chunks.shift()
      else this.chunks[0] = chunk.subarray(used)
    }
  }
}

function joined(chunks: readonly Uint8Array[]): Uint8Array {
  if (chunks.length === 1) return chunks[0]
  const bytes = new Uint8Array(chunks.reduce((sum, chunk) => sum + chunk.length, 0))
  let at = 0
  for (const chunk of chunks) {
    bytes.set(chunk, at)
    at += chunk.length
  }
  return bytes
}

export const isPlace = (given: unknown): given is string | URL => typeof given === 'string' || brandOf(given) === 'URL'

/** Bytes, a file of the user's, a Response, a URL; in Node also a path. */
export async function sourceOf(given: Given, options: SourceOptions): Promise<Source> {
  const bytes = bytesOf(given)
  if (bytes) return new BytesSource(bytes)
  const files = nodeFiles()
  if (isPlace(given) && files && !/^(https?|data|blob):/.test(String(given)))
    return DiskSource.open(files, /^file:/.test(String(given)) ? new URL(String(given)) : String(given), options)
  if (isBlob(given)) return new StreamSource(given.stream().getReader(), given.size, 'the file', options)
  if (!isPlace(given) && typeof (given as Response | undefined)?.arrayBuffer !== 'function')
    throw new CairnError('a session is made from bytes, a File, a URL, a Response, or in Node a path')
  const response = isPlace(given) ? await fetched(given, options) : (given as Response)
  const url = response.url || 'the response'
  if (!response.ok) {
    await response.body?.cancel()
    throw new CairnError(`cannot fetch ${url}: status ${response.status}`)
  }
  if (response.bodyUsed || response.body?.locked) throw new CairnError(`${url} has been read already`)
  // Responses of libraries may have bodies of another kind.
  if (typeof response.body?.getReader !== 'function')
    return new BytesSource(new Uint8Array(await response.arrayBuffer()))
  // Of a body that was compressed on the way the header gives the compressed length.
  const { headers } = response
  const length = headers.has('content-encoding') ? 0 : Number(headers.get('content-length') ?? 0)
  return new StreamSource(response.body.getReader(), length || undefined, url, options)
}

const isBlob = (given: Given): given is Blob => /^(Blob|File)$/.test(brandOf(given))

function fetched(url: string | URL, { signal }: SourceOptions): Promise<Response> {
  return fetch(url, { signal }).catch(error => {
    signal?.throwIfAborted()
    throw new CairnError(`cannot fetch ${url}: ${(error as Error).cause ?? (error as Error).message}`)
  })
}
