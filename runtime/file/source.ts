import { brandOf, bytesOf, CairnError } from '../base/index.js'
import { BytesSource, checkLength, type Source, type SourceOptions, tooShort } from './bytes.js'

export { BytesSource, checkLength, type Source, type SourceOptions } from './bytes.js'

export type Given = ArrayBufferView | ArrayBuffer | SharedArrayBuffer | Blob | string | URL | Response

const nodeFiles = () => globalThis.process?.getBuiltinModule?.('node:fs')?.promises

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
  if (isPlace(given) && files && !/^(https?|data|blob):/.test(String(given))) {
    // Node's alone, so that pages do not download it.
    const { DiskSource } = await import('./disk.js')
    return DiskSource.open(files, /^file:/.test(String(given)) ? new URL(String(given)) : String(given), options)
  }
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
