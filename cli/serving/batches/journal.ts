import {
  closeSync,
  createReadStream,
  existsSync,
  fsyncSync,
  ftruncateSync,
  openSync,
  readFileSync,
  readSync,
  rmSync,
  writeFileSync,
  writeSync
} from 'node:fs'
import { createInterface } from 'node:readline'
import { unwritable } from '../../model/index.js'
import { InputError } from '../../terminal/index.js'
import type { PictureResult } from '../pool/index.js'

/** One input's end: what was made of it, or why nothing could be. */
export type Outcome = { readonly result: PackedResult } | { readonly error: string }

export type Ended = { readonly index: number; readonly input: string } & Outcome

/** As it goes through JSON: features as base64 of little-endian floats. */
export type PackedResult = Exclude<PictureResult, { features: Float32Array }> | { readonly features: string }

export interface Head {
  readonly batch: string
  readonly settings: string
}

/**
 * What a batch has done so far: a line for each input, in order, each written whole or not at all. Its length is where a batch
 * goes on that has died, so no input is missing from it and none is there twice, whatever becomes of processes and queues.
 */
export class Journal {
  private constructor(
    private readonly file: number,
    readonly path: string,
    readonly head: Head,
    /** The index that it waits for. */
    public next: number,
    public failed: number,
    /** Of the last line. */
    public last: string | undefined
  ) {}

  /** Opens or begins it. Throws InputError where it is of another batch, another process writes it, or nobody can. */
  static async open(path: string, head: Head): Promise<Journal> {
    lock(path)
    if (!existsSync(path)) {
      const journal = new Journal(openSync(path, 'ax'), path, head, 0, 0, undefined)
      journal.write(head)
      return journal
    }
    let found: Head | undefined
    let [next, failed, bytes] = [0, 0, 0]
    let last: string | undefined
    for await (const { value, length } of wholeLines(path)) {
      bytes += length
      if (!found) found = value as Head
      else {
        const record = value as Ended
        if (record.index !== next)
          throw new InputError(`${path}: line of input ${record.index} where ${next} was due; delete it to begin anew`)
        next++
        last = record.input
        if ('error' in record) failed++
      }
    }
    if (found && found.settings !== head.settings)
      throw new InputError(`${path} is of a batch with another model or other settings; finish that, or delete it`)
    const file = openSync(path, 'r+')
    // Half a line is none.
    ftruncateSync(file, bytes)
    closeSync(file)
    const journal = new Journal(openSync(path, 'a'), path, found ?? head, next, failed, last)
    if (!found) journal.write(head)
    return journal
  }

  /** The record of the input that is due. */
  append(record: Ended): void {
    if (record.index !== this.next) throw new Error(`input ${record.index} where ${this.next} was due`)
    this.write(record)
    this.next++
    if ('error' in record) this.failed++
  }

  /** Why the first failed that has. */
  async reason(): Promise<string | undefined> {
    for await (const record of this.records()) if ('error' in record) return record.error
    return undefined
  }

  /** All of them; throws InputError where the file has lost any since they were written. */
  async *records(): AsyncGenerator<Ended> {
    let next = 0
    for await (const record of recordsIn(this.path)) {
      if (record.index !== next++) throw this.damaged(next - 1)
      yield record
    }
    if (next !== this.next) throw this.damaged(next)
  }

  private damaged(index: number): InputError {
    return new InputError(`${this.path} is damaged at input ${index}; delete it to begin anew`)
  }

  close(): void {
    fsyncSync(this.file)
    closeSync(this.file)
  }

  /** One that nothing has come into yet: nobody goes on there. */
  removeEmpty(): void {
    if (this.next) return
    this.close()
    this.remove()
  }

  remove(): void {
    rmSync(this.path)
  }

  private write(value: object): void {
    const line = Buffer.from(`${JSON.stringify(value)}\n`)
    for (let at = 0; at < line.length; ) at += writeSync(this.file, line, at)
  }
}

/** Two that write one journal would spoil it. What a process that has died has left does not count. */
function lock(path: string): void {
  const name = `${path}.lock`
  const take = () => writeFileSync(name, String(process.pid), { flag: 'wx' })
  try {
    take()
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw unwritable(name, error)
    const pid = Number(readFileSync(name, 'utf8'))
    if (pid !== process.pid && isAlive(pid))
      throw new InputError(`${path}: process ${pid} writes it; wait for its end, or delete ${name}`)
    rmSync(name, { force: true })
    take()
  }
  process.once('exit', () => rmSync(name, { force: true }))
}

function isAlive(pid: number): boolean {
  if (!pid) return false
  try {
    return process.kill(pid, 0)
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

async function* recordsIn(path: string): AsyncGenerator<Ended> {
  let isHead = true
  for await (const { value } of wholeLines(path)) {
    if (!isHead) yield value as Ended
    isHead = false
  }
}

/** Lines with their ends, parsed; what a machine's crash has left of the last is left out. */
async function* wholeLines(path: string): AsyncGenerator<{ value: unknown; length: number }> {
  const size = lengthOfWhole(path)
  if (!size) return
  const lines = createInterface({ input: createReadStream(path, { end: size - 1 }) })
  for await (const line of lines) {
    let value: unknown
    try {
      value = JSON.parse(line)
    } catch {
      return
    }
    yield { value, length: Buffer.byteLength(line) + 1 }
  }
}

/** Up to the last line's end. */
function lengthOfWhole(path: string): number {
  const file = openSync(path, 'r')
  try {
    const chunk = Buffer.alloc(2 ** 16)
    let [at, whole] = [0, 0]
    for (
      let read = readSync(file, chunk, 0, chunk.length, 0);
      read;
      read = readSync(file, chunk, 0, chunk.length, at)
    ) {
      const end = chunk.subarray(0, read).lastIndexOf(10)
      if (end >= 0) whole = at + end + 1
      at += read
    }
    return whole
  } finally {
    closeSync(file)
  }
}
