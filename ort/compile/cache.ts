import type { Cache } from './kept.js'
import { stamp } from './stamp.js'

/** On pages the Cache API, in Node a folder; undefined where there is neither. */
export async function openCache(wanted: boolean | string = true): Promise<Cache | undefined> {
  if (wanted === false || !globalThis.crypto?.subtle) return undefined
  if (isNode()) {
    const { folderCache } = await import('./folder.js')
    return folderCache(typeof wanted === 'string' ? wanted : undefined, stamp, digestOfText)
  }
  return globalThis.caches && /^https?:/.test(globalThis.location?.protocol ?? '') ? pageCache : undefined
}

const isNode = () => globalThis.process?.versions?.node !== undefined

const name = 'cairnjs'
/** Two a model: the file, and what its place stands for. */
const most = 64
const addressOf = (key: string) => new URL(`/.cairnjs/${stamp}/${key}`, location.origin).href

/** A response of the file, with the ports in a header. */
const pageCache: Cache = {
  async find(key) {
    const found = await (await caches.open(name)).match(addressOf(key))
    const ports = found?.headers.get('x-ports')
    if (!found || !ports) return undefined
    return { ports: JSON.parse(decodeURIComponent(ports)), file: found }
  },
  async keep(key, ports, file) {
    const headers = { 'content-type': 'application/octet-stream', 'x-ports': encodeURIComponent(JSON.stringify(ports)) }
    await put(key, new Response(file as Uint8Array<ArrayBuffer>, { headers }))
  },
  async recall(mark) {
    return (await (await caches.open(name)).match(addressOf(await digestOfText(mark))))?.text()
  },
  async remember(mark, digest) {
    await put(await digestOfText(mark), new Response(digest))
  }
}

/** What other versions have kept goes, and what is oldest. */
async function put(key: string, response: Response): Promise<void> {
  const cache = await caches.open(name)
  const keys = await cache.keys()
  const own = keys.filter(({ url }) => url.startsWith(addressOf('')))
  const others = keys.filter(request => !own.includes(request))
  for (const request of [...others, ...own.slice(0, Math.max(own.length - most + 1, 0))]) await cache.delete(request)
  await cache.put(addressOf(key), response)
}

const hex = (bytes: ArrayBuffer) =>
  Array.from(new Uint8Array(bytes), byte => byte.toString(16).padStart(2, '0')).join('')

export const digestOf = async (bytes: Uint8Array) =>
  hex(await crypto.subtle.digest('SHA-256', bytes as Uint8Array<ArrayBuffer>))

const digestOfText = (text: string) => digestOf(new TextEncoder().encode(text))

/** Plain data and arrays of elements as text, equal for equal ones. */
const textOf = (asked: unknown): string =>
  JSON.stringify(asked, (_, value) => (ArrayBuffer.isView(value) ? String(value) : value))

/** What tells a compiled model from all others: the digest of its bytes, its other files, and what was asked for. */
export async function keyOf(
  digest: string,
  externals: Readonly<Record<string, Uint8Array>> = {},
  asked: unknown
): Promise<string> {
  const parts = [digest]
  for (const [path, data] of Object.entries(externals)) parts.push(path, await digestOf(data))
  return digestOfText(textOf([parts, asked]))
}
