import { type Entry, fetchBytes } from './catalogue.js'
import type { Given, Part, Progress } from './protocol.js'
import type { Trained } from './training.js'

/** Where a model comes from; it can be read again whenever it is wanted. */
export interface Source {
  /** The same for the same model, in the history and in what is kept. */
  readonly key: string
  readonly name: string
  /** What follows the page's address; a model with one needs no file to be kept. */
  readonly address?: string
  readonly entry?: Entry
  /** The file that was given, to be kept. */
  readonly file?: Blob
  /** Files that came with the model's, some of which may hold its weights. */
  readonly parts?: readonly Part[]
  /** What a model that was trained in this page is known to take. */
  readonly trained?: Pick<Trained, 'preparation'>
  /** Bytes, or an architecture of the zoo, whose weights are not trained. */
  read(progress: (progress: Progress) => void, signal?: AbortSignal): Promise<Given['from']>
}

export function fromEntry(entry: Entry): Source {
  return {
    ...{ key: `entry ${entry.place}`, name: entry.name, address: `?model=${encodeURIComponent(entry.place)}`, entry },
    read: (progress, signal) =>
      fetchBytes(entry.url, (done, total) => progress({ done, total, what: 'downloading' }), signal)
  }
}

export function fromZoo(zoo: string, title: string): Source {
  return { key: `zoo ${zoo}`, name: title, address: `?zoo=${zoo}`, read: async () => ({ zoo }) }
}

/** A file that was given, or has been kept under `key`. */
export function fromFile(
  name: string,
  file: Blob,
  rest: Partial<Pick<Source, 'key' | 'parts' | 'trained'>> = {}
): Source {
  return { ...{ key: keyOf(file), name, file }, ...rest, read: async () => new Uint8Array(await file.arrayBuffer()) }
}

/** The same file, given again, is known by what it has learnt. */
const keyOf = (file: Blob) =>
  file instanceof File ? `file ${file.name} ${file.size} ${file.lastModified}` : `file ${newKey()}`

/** Unlike all others; `crypto.randomUUID` is for secure pages alone. */
export const newKey = () => Array.from(crypto.getRandomValues(new Uint32Array(4)), part => part.toString(36)).join('-')
