import type { Given, Part, Progress } from '../engine/protocol.js'
import { type Entry, fetchBytes } from './catalogue.js'
import type { Guess } from './guess.js'

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
  /** A head that was trained for it, to be put in. */
  readonly patch?: Blob
  readonly trained?: Taught
  /** Bytes, or an architecture of the zoo, whose weights are not trained. */
  read(progress: (progress: Progress) => void, signal?: AbortSignal): Promise<Given['from']>
}

/** What a model with a new head is known to take, why, and what it tells apart. */
export interface Taught extends Partial<Guess> {
  readonly classes?: readonly string[]
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

/** A model with a head in place of its own. */
export function withHead(base: Source, patch: File, trained?: Taught): Source {
  const { parts, read } = base
  return {
    key: `${keyOf(patch)} on ${base.key}`,
    name: patch.name.replace(/\.patch$/i, ''),
    parts,
    patch,
    trained,
    read
  }
}

/** The same file, given again, is known by what it has learnt. */
const keyOf = (file: Blob) =>
  file instanceof File ? `file ${file.name} ${file.size} ${file.lastModified}` : `file ${newKey()}`

/** Unlike all others; `crypto.randomUUID` is for secure pages alone. */
export const newKey = () => Array.from(crypto.getRandomValues(new Uint32Array(4)), part => part.toString(36)).join('-')
