import { type DBSchema, type IDBPDatabase, openDB } from 'idb'
import { newKey } from '../model/source.js'

/**
 * What a tab keeps in the browser: one record, which may hold blobs anywhere. Each tab has a record of its own, claimed by
 * a lock that lasts as long as the tab; a new tab takes the newest record that no other one holds.
 */
export class Store<Kept extends object> {
  /** Keys of the blobs that the browser has by now. */
  private readonly keys = new WeakMap<Blob, string>()
  private stored = new Set<string>()

  private constructor(
    private readonly database: IDBPDatabase<Schema>,
    private readonly id: string
  ) {}

  /** Rejects where the browser keeps nothing. */
  static async open<Kept extends object>(): Promise<{ store: Store<Kept>; kept: Kept | undefined }> {
    const database = await openDB<Schema>(`cairn ${folder}`, 1, {
      upgrade(fresh) {
        fresh.createObjectStore('records')
        fresh.createObjectStore('files')
      },
      blocking: (_from, _to, event) => (event.target as IDBDatabase).close()
    })
    const ids = (await database.getAllKeys('records')) as string[]
    const ages = await Promise.all(ids.map(async id => [id, (await database.get('records', id))?.at ?? 0] as const))
    const newestFirst = ages.sort((a, b) => b[1] - a[1]).map(([id]) => id)
    const id = await claim(newestFirst)
    const store = new Store<Kept>(database, id)
    return { store, kept: await store.read() }
  }

  private async read(): Promise<Kept | undefined> {
    const record = await this.database.get('records', this.id)
    if (!record) return undefined
    const names = await this.database.getAllKeys('files', this.own())
    const blobs = await this.database.getAll('files', this.own())
    const files = new Map(names.map((name, i) => [name, blobs[i]]))
    this.stored = new Set(names)
    for (const [name, blob] of files) this.keys.set(blob, name)
    return unpacked(record.content, files) as Kept
  }

  /** All of it or, where it rejects, nothing; files that `kept` has no more are gone. */
  async write(kept: Kept): Promise<void> {
    const files = new Map<string, Blob>()
    const content = packed(kept, blob => {
      const key = this.keys.get(blob) ?? `${this.id} ${newKey()}`
      this.keys.set(blob, key)
      files.set(key, blob)
      return key
    })
    const transaction = this.database.transaction(['records', 'files'], 'readwrite')
    const all = transaction.objectStore('files')
    const steps: Promise<unknown>[] = [
      ...[...files].filter(([key]) => !this.stored.has(key)).map(([key, blob]) => all.put(blob, key)),
      ...[...this.stored].filter(key => !files.has(key)).map(key => all.delete(key)),
      transaction.objectStore('records').put({ at: Date.now(), content }, this.id)
    ]
    await Promise.all([...steps, transaction.done])
    this.stored = new Set(files.keys())
  }

  /** Takes everything away, of all tabs. */
  async clear(): Promise<void> {
    await Promise.all([this.database.clear('records'), this.database.clear('files')])
    this.forgotten()
  }

  /** Another tab has cleared it all. */
  forgotten(): void {
    this.stored = new Set()
  }

  private own(): IDBKeyRange {
    return IDBKeyRange.bound(`${this.id} `, `${this.id} \uffff`)
  }
}

interface Schema extends DBSchema {
  records: { key: string; value: { readonly at: number; readonly content: unknown } }
  files: { key: string; value: Blob }
}

/** Milliseconds that a page which is being reloaded is given to let go of its record. */
const patience = 800

const tab = 'cairn-tab'

/** Several pages may lie on one origin, each in a folder of its own. */
export const folder = new URL('.', document.baseURI).pathname

async function claim(newestFirst: readonly string[]): Promise<string> {
  const own = sessionStorage.getItem(tab)
  const hold = (id: string) => held(`cairn ${folder} ${id}`)
  let id: string | undefined
  for (const until = Date.now() + patience; own && !id && Date.now() < until; ) {
    if (await hold(own)) id = own
    else await new Promise(resolve => setTimeout(resolve, 50))
  }
  for (const other of newestFirst) if (!id && (await hold(other))) id = other
  if (!id) {
    id = newKey()
    await hold(id)
  }
  sessionStorage.setItem(tab, id)
  return id
}

/** Holds the lock until the page is gone. Without locks, on plain http, nobody can tell who else is there. */
function held(name: string): Promise<boolean> {
  return new Promise(resolve => {
    if (!navigator.locks) return resolve(name.endsWith(sessionStorage.getItem(tab) ?? ' '))
    navigator.locks
      .request(name, { ifAvailable: true }, lock => {
        resolve(lock !== null)
        return lock ? new Promise<void>(() => undefined) : undefined
      })
      .catch(() => resolve(false))
  })
}

/** A blob in a record, by its key among the files. */
interface Reference {
  readonly blobKey: string
}

const isPlain = (value: unknown): value is Record<string, unknown> =>
  value !== null && typeof value === 'object' && Object.getPrototypeOf(value) === Object.prototype

function packed(value: unknown, keyOf: (blob: Blob) => string): unknown {
  if (value instanceof Blob) return { blobKey: keyOf(value) } satisfies Reference
  return mapped(value, each => packed(each, keyOf))
}

/** Blobs that are not there are undefined. */
function unpacked(value: unknown, files: ReadonlyMap<string, Blob>): unknown {
  if (isPlain(value) && typeof value.blobKey === 'string') return files.get(value.blobKey)
  return mapped(value, each => unpacked(each, files))
}

function mapped(value: unknown, map: (value: unknown) => unknown): unknown {
  if (Array.isArray(value)) return value.map(map)
  if (!isPlain(value)) return value
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, map(each)]))
}
