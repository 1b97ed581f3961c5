import type { Cache } from '../compile/kept.js'
import { read } from './external.js'

/** A model as it was given, whose bytes are read when they are needed. */
export interface ModelBytes {
  bytes(): Promise<Uint8Array>
  /** What of a file's place tells this state of it from others, if anything does. */
  readonly mark?: string
  /** The digest of the bytes that were behind the mark on an earlier visit. */
  readonly digest?: string
}

/**
 * A file that has been compiled on an earlier visit is not read again where its place says that it is the same: on disk by its
 * times and size, on a server by its entity tag.
 */
export async function modelBytes(given: string | Uint8Array, cache: Cache | undefined): Promise<ModelBytes> {
  let reading: Promise<Uint8Array> | undefined
  if (typeof given !== 'string' || !cache) return { bytes: () => (reading ??= read(given)) }
  const { mark, response } = await marked(given)
  const digest = mark === undefined ? undefined : await cache.recall(mark).catch(() => undefined)
  if (digest) await response?.body?.cancel()
  const bytes = () => (reading ??= read(response && !digest ? response : given))
  return { bytes, mark, digest }
}

async function marked(place: string): Promise<{ mark?: string; response?: Response }> {
  const files = globalThis.process?.getBuiltinModule?.('node:fs')?.promises
  if (files && !/^(https?|data|blob):/.test(place)) {
    const path = /^file:/.test(place) ? new URL(place) : place
    const found = await Promise.all([files.realpath(path), files.stat(path, { bigint: true })]).catch(() => undefined)
    if (!found) return {}
    const [real, { size, mtimeNs, ctimeNs, ino }] = found
    return { mark: [real, size, mtimeNs, ctimeNs, ino].join(' ') }
  }
  if (/^(data|blob):/.test(place)) return {}
  // Where it cannot be had, reading says so.
  const response = await fetch(place).catch(() => undefined)
  const tag = response?.ok && response.headers.get('etag')
  return { response, mark: tag ? `${response.url} ${tag}` : undefined }
}
