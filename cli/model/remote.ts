import { InputError } from '../terminal/index.js'
import { type ModelFile, modelOf } from './files.js'

/** A compiled file's beginning, from a server: its header says everything but the weights. */

export const isUrl = (path: string) => /^https?:\/\//.test(path)

/** Most headers are in the first bytes of this number. */
const usualHead = 65536

/** As many first bytes of the .cairn file at `url` as its header has. Throws InputError for what is none. */
export async function fetchHead(url: string): Promise<ModelFile> {
  const bytes = await firstBytes(url, usualHead)
  const model = modelOf(url, bytes)
  if (model.kind !== 'cairn')
    throw new InputError(`${url} is no .cairn file; of those the first bytes can be inspected`)
  const needed = bytes.length < 16 ? 16 : 16 + new DataView(bytes.buffer, bytes.byteOffset).getUint32(8, true)
  return needed > bytes.length && bytes.length >= usualHead ? modelOf(url, await firstBytes(url, needed)) : model
}

async function firstBytes(url: string, count: number): Promise<Uint8Array> {
  const response = await fetch(url, { headers: { range: `bytes=0-${count - 1}` } }).catch(error => {
    throw new InputError(`cannot fetch ${url}: ${(error as Error).cause ?? (error as Error).message}`)
  })
  if (!response.ok || !response.body) throw new InputError(`cannot fetch ${url}: status ${response.status}`)
  const bytes = new Uint8Array(count)
  let length = 0
  // A server that knows no ranges sends everything, of which the rest is not awaited.
  for await (const chunk of response.body) {
    bytes.set(chunk.subarray(0, count - length), length)
    length = Math.min(length + chunk.length, count)
    if (length === count) break
  }
  return bytes.subarray(0, length)
}
