import { CairnError } from '../base/index.js'
import { behind, checkLength, lengthOf, type Source, type SourceOptions, tooShort } from './bytes.js'

/** What is used of Node's `fs.promises`. */
interface Files {
  open(path: string | URL): Promise<Handle>
}

interface Handle {
  readv(targets: readonly Uint8Array[], position: number): Promise<{ readonly bytesRead: number }>
  stat(): Promise<{ readonly size: number; isFile(): boolean }>
  close(): Promise<void>
}

/** A file of Node's: read by the system's own threads, straight into the target. */
export class DiskSource implements Source {
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
