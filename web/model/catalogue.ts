import type { Preparation } from '../photo/prepare.js'
import { parseLabels } from './labels.js'

/** Models that the page's origin offers, read from `models/index.json`; places there are relative to that file. */
export interface Entry {
  readonly name: string
  /** Where it lies, relative to the list. */
  readonly place: string
  readonly url: string
  readonly bytes: number | undefined
  readonly labels: readonly string[]
  readonly preprocess: Partial<Preparation> | undefined
  readonly photos: readonly string[]
}

interface Listed {
  readonly name: string
  readonly file: string
  readonly bytes?: number
  readonly labels?: string | readonly string[]
  readonly preprocess?: Partial<Preparation>
  readonly photos?: readonly string[]
}

/** Nothing where the origin has no such list. */
export async function readCatalogue(): Promise<Entry[]> {
  const index = new URL('models/index.json', document.baseURI)
  const response = await fetch(index).catch(() => undefined)
  if (!response?.ok || !response.headers.get('content-type')?.includes('json')) return []
  const listed = await response.json().catch(() => {
    throw new Error('models/index.json: not JSON; the models that it lists are not offered')
  })
  const place = (path: string) => String(new URL(path, index))
  return (listed as Listed[]).map(({ name, file, bytes, labels = [], preprocess, photos = [] }) => ({
    ...{ name, bytes, preprocess, place: decodeURIComponent(file) },
    url: place(file),
    labels: [labels].flat().map(place),
    photos: photos.map(place)
  }))
}

/** The small classifier that comes with the page, or nothing where the server has left it out. */
export async function readStarter(): Promise<Starter | undefined> {
  const index = new URL('starter/index.json', document.baseURI)
  const response = await fetch(index).catch(() => undefined)
  if (!response?.ok || !response.headers.get('content-type')?.includes('json')) return undefined
  const { name, file, preprocess, photos, accuracy } = (await response.json()) as Required<Listed> & Measured
  const place = (path: string) => String(new URL(path, index))
  return {
    ...{ name, preprocess, place: 'starter', labels: [], bytes: undefined, accuracy: accuracy.light },
    url: place(file),
    photos: photos.map(place)
  }
}

interface Measured {
  readonly accuracy: { readonly light: number }
}

export interface Starter extends Entry {
  /** Share of pictures that it has never seen and tells right. */
  readonly accuracy: number
}

/** A list that cannot be had is one that there is not: the model runs without the names. */
export async function fetchLabels(urls: readonly string[]): Promise<string[][]> {
  const lists = urls.map(async url => parseLabels(await (await fetched(url)).text()))
  return (await Promise.allSettled(lists)).flatMap(list => (list.status === 'fulfilled' ? [list.value] : []))
}

/** The bytes of a file of this origin, with what has arrived of them. */
export async function fetchBytes(
  url: string,
  onProgress: (loaded: number, total: number) => void,
  signal?: AbortSignal
): Promise<Uint8Array<ArrayBuffer>> {
  const response = await fetched(url, signal)
  const total = Number(response.headers.get('content-length'))
  const chunks: Uint8Array<ArrayBuffer>[] = []
  let loaded = 0
  for (const reader = response.body!.getReader(); ; ) {
    const { done, value } = await reader.read()
    if (done) break
    chunks.push(value)
    loaded += value.length
    onProgress(loaded, Math.max(total, loaded))
  }
  return new Uint8Array(await new Blob(chunks).arrayBuffer())
}

async function fetched(url: string, signal?: AbortSignal): Promise<Response> {
  const name = decodeURIComponent(new URL(url).pathname)
  const response = await fetch(url, { signal }).catch(() => {
    throw new Error(`${name}: the server does not answer`)
  })
  if (!response.ok) throw new Error(`${name}: the server answers with status ${response.status}`)
  return response
}
