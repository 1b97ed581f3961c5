import type { InferenceSession } from 'onnxruntime-common'
import { brandOf, bytesOf, CairnError } from '../../runtime/base/index.js'
import { sourceOf } from '../../runtime/file/index.js'

type Files = InferenceSession.SessionOptions['externalData']

/** The files that the option `externalData` names or holds, by their names without what points at the folder they lie in. */
export async function externalFiles(given: Files): Promise<Record<string, Uint8Array> | undefined> {
  if (!given?.length) return undefined
  const found: Record<string, Uint8Array> = {}
  for (const entry of given) {
    const { path, data } = typeof entry === 'string' ? { path: entry, data: entry } : entry
    if (typeof path !== 'string')
      throw new CairnError('externalData is a list of files: { path, data }, or their places')
    const bytes = await read(data)
    for (const name of [path, path.replace(/^(\.\/)+/, ''), path.replace(/^.*[\\/]/, '')]) found[name] ??= bytes
  }
  return found
}

/** Bytes, a blob, a response, a path or a URL as bytes. */
export async function read(given: string | Blob | Response | Uint8Array | ArrayBufferLike): Promise<Uint8Array> {
  const bytes = bytesOf(given)
  if (bytes) return bytes
  if (typeof given !== 'string' && !/^(Blob|File|Response)$/.test(brandOf(given)))
    throw new CairnError('a file is given as bytes, a Blob, a URL, or in Node a path')
  const source = await sourceOf(given as string | Blob | Response, {})
  return source.all().finally(() => source.close())
}
