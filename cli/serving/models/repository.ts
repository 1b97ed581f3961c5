import { EventEmitter } from 'node:events'
import { readFileSync } from 'node:fs'
import { decodeHead } from '../../../runtime/file/index.js'
import { InputError } from '../../terminal/index.js'
import { batchOf, Dispatcher, Lane, type Limits, load, type Pool, type Watch } from '../pool/index.js'
import { ServingError, servingError } from '../protocol/index.js'
import { type Found, scan } from './scan.js'
import type { Served } from './served.js'

export interface RepositoryOptions {
  /** A folder of models, or a model. */
  readonly place: string
  /** What the one model is called that `place` holds. */
  readonly name?: string
  readonly queue: number
  readonly maxBatch: number
  readonly maxDelay: number
  readonly limits: Limits
  /** Whether strangers may bring models. */
  readonly uploads: boolean
  /** Milliseconds between looks at the folder; 0 for none. */
  readonly poll: number
}

export interface IndexEntry {
  readonly name: string
  readonly version: string
  readonly state: 'READY' | 'UNAVAILABLE'
  readonly reason: string
}

/** Versions of one model, the newest of which answers who names none. */
interface Model {
  readonly versions: Map<string, Served>
  /** Why a version that lies there does not answer, or not as it lies there; with the stamp of the files that failed. */
  readonly failures: Map<string, { readonly stamp: string; readonly reason: string }>
  /** Somebody has said so; the folder is not asked. */
  isUnloaded: boolean
  isUploaded: boolean
}

type Events = {
  loaded: [served: Served]
  unloaded: [served: Served]
  failed: [name: string, version: string, why: string]
  /** The folder cannot be looked at. */
  unseen: [why: string]
}

/** Uploads under way: each holds its file while those before it are compiled. */
const mostUploads = 4

/** What all uploaded models may need together, in times of what one may. */
const mostUploaded = 4

/** Of a stranger's picture: each takes eight bytes and more in a thread. */
const mostPixels = 5e7

/** The models of a folder, and what becomes of them when it changes. */
export class Repository extends EventEmitter<Events> {
  private readonly models = new Map<string, Model>()
  /** One change after the other. */
  private last: Promise<unknown> = Promise.resolve()
  private timer: NodeJS.Timeout | undefined
  /** What the last look has seen: only what two looks see alike is loaded, or half a copied file would be. */
  private seen = new Map<string, string>()
  private readonly dispatcher: Dispatcher
  private isOpen = false
  private uploads = 0

  constructor(
    readonly pool: Pool,
    private readonly options: RepositoryOptions,
    private readonly watch: (name: string, version: string) => Watch
  ) {
    super()
    this.dispatcher = new Dispatcher(pool)
  }

  /** Loads everything once; throws InputError where there is nothing to load, or the one model that was named is not loaded. */
  async open(): Promise<void> {
    const found = scan(this.options.place, this.options.name)
    for (const each of found) this.seen.set(key(each), each.stamp)
    await this.change(() => this.apply(found))
    // A folder may get better.
    const named = found.find(({ path }) => path === this.options.place)
    const [failure] = named ? this.model(named.name).failures.values() : []
    if (failure) throw new InputError(failure.reason)
    this.isOpen = true
    const look = async () => {
      await this.look().catch(error => this.emit('unseen', servingError(error).message))
      if (this.timer) this.timer = setTimeout(look, this.options.poll)
    }
    if (this.options.poll) this.timer = setTimeout(look, this.options.poll)
  }

  /** Every model that lies there and has not been unloaded answers. */
  get isReady(): boolean {
    return this.isOpen && [...this.models.values()].every(({ versions, isUnloaded }) => isUnloaded || versions.size > 0)
  }

  /** Throws ServingError `missing` or `unavailable`. */
  find(name: string, version?: string): Served {
    const model = this.models.get(name)
    if (!model) throw new ServingError('missing', `no model "${name}"; POST /v2/repository/index lists them`)
    const served = model.versions.get(version || newest(model.versions.keys()) || '')
    if (served) return served
    const reason = model.failures.get(version || newest(model.failures.keys()) || '')?.reason
    if (version && !reason) throw new ServingError('missing', `model "${name}" has no version "${version}"`)
    throw new ServingError('unavailable', `model "${name}" is not loaded${reason ? `: ${reason}` : ''}`)
  }

  versionsOf(name: string): string[] {
    return sorted(this.models.get(name)?.versions.keys() ?? [])
  }

  served(): Served[] {
    return [...this.models.values()].flatMap(({ versions }) => [...versions.values()])
  }

  index(onlyReady: boolean): IndexEntry[] {
    return [...this.models].sort().flatMap(([name, { versions, failures, isUnloaded }]) => {
      const all = sorted(new Set([...versions.keys(), ...failures.keys()]))
      const entries = (all.length ? all : ['']).map((version): IndexEntry => {
        const state = versions.has(version) ? 'READY' : 'UNAVAILABLE'
        return { name, version, state, reason: failures.get(version)?.reason ?? (isUnloaded ? 'unloaded' : '') }
      })
      return entries.filter(({ state }) => !onlyReady || state === 'READY')
    })
  }

  /** Loads what lies there under that name, anew where it has changed. */
  load(name: string): Promise<void> {
    return this.change(async () => {
      const found = scan(this.options.place, this.options.name).filter(each => each.name === name)
      if (!found.length) throw new ServingError('missing', `no model "${name}" in the repository`)
      const model = this.model(name)
      model.failures.clear()
      model.isUnloaded = false
      model.isUploaded = false
      await this.applyTo(name, found)
      const [failure] = model.failures.values()
      if (failure) throw new ServingError('invalid', failure.reason)
    })
  }

  /** Takes a model that a client has sent, in place of all versions of that name. */
  upload(name: string, files: ReadonlyMap<string, () => Uint8Array>): Promise<void> {
    if (!this.options.uploads)
      throw new ServingError('invalid', 'models in requests are not taken here; cairn serve --uploads takes them')
    if (this.uploads >= mostUploads)
      throw new ServingError('busy', `${this.uploads} models are being loaded; try again later`, 5)
    this.uploads++
    return this.change(async () => {
      const made: Served[] = []
      try {
        for (const [version, bytes] of files) {
          made.push(await this.make({ name, version, bytes: bytes() }))
          this.checkUploaded(name, made)
        }
      } catch (error) {
        for (const { lane } of made) this.pool.close(lane.model)
        throw error
      }
      const model = this.model(name)
      const gone = [...model.versions.values()]
      model.versions.clear()
      model.failures.clear()
      model.isUnloaded = false
      model.isUploaded = true
      for (const served of made) this.serve(model, served)
      for (const served of gone) this.retire(served)
    }).finally(() => this.uploads--)
  }

  /** Throws ServingError `large` where uploaded models need too much with those that `name` is to have. */
  private checkUploaded(name: string, made: readonly Served[]): void {
    const { maxMemory } = this.options.limits
    if (maxMemory === undefined) return
    const others = [...this.models].filter(([other, { isUploaded }]) => isUploaded && other !== name)
    const all = [...others.flatMap(([, { versions }]) => [...versions.values()]), ...made]
    const each = all.reduce((sum, { memory }) => sum + memory, 0) / this.pool.threads
    if (each > mostUploaded * maxMemory)
      throw new ServingError(
        'large',
        `uploaded models would need ${each} bytes; together ${mostUploaded * maxMemory} are allowed: unload some`
      )
  }

  unload(name: string): Promise<void> {
    return this.change(async () => {
      const model = this.models.get(name)
      if (!model) throw new ServingError('missing', `no model "${name}"`)
      model.isUnloaded = true
      const gone = [...model.versions.values()]
      model.versions.clear()
      model.failures.clear()
      for (const served of gone) this.retire(served)
    })
  }

  /** Looks at the folder, and takes over what has changed and stands still. */
  async look(): Promise<void> {
    const found = scan(this.options.place, this.options.name)
    const calm = found.filter(each => this.seen.get(key(each)) === each.stamp)
    this.seen = new Map(found.map(each => [key(each), each.stamp]))
    await this.change(() => this.apply(calm, found))
  }

  async drained(): Promise<void> {
    clearTimeout(this.timer)
    this.timer = undefined
    await this.last.catch(() => undefined)
    await Promise.all(this.served().map(({ lane }) => lane.drained()))
  }

  private change<T>(step: () => Promise<T>): Promise<T> {
    const done = this.last.then(step, step)
    this.last = done.catch(() => undefined)
    return done
  }

  private model(name: string): Model {
    const known = this.models.get(name)
    if (known) return known
    const made = { versions: new Map(), failures: new Map(), isUnloaded: false, isUploaded: false }
    this.models.set(name, made)
    return made
  }

  /** `found` is loaded; what is not even in `present` is gone. */
  private async apply(found: readonly Found[], present = found): Promise<void> {
    for (const { name } of present) this.model(name)
    for (const [name, model] of this.models) {
      if (model.isUnloaded || model.isUploaded) continue
      const own = (list: readonly Found[]) => list.filter(each => each.name === name)
      await this.applyTo(name, own(found), own(present))
      if (!own(present).length) this.models.delete(name)
    }
  }

  private async applyTo(name: string, found: readonly Found[], present = found): Promise<void> {
    const model = this.model(name)
    for (const each of found) {
      const { version, stamp } = each
      if (model.versions.get(version)?.stamp === stamp || model.failures.get(version)?.stamp === stamp) continue
      try {
        const made = await this.make(each)
        const before = model.versions.get(version)
        model.failures.delete(version)
        this.serve(model, made)
        if (before) this.retire(before)
      } catch (error) {
        const reason = servingError(error).message
        model.failures.set(version, { stamp, reason })
        this.emit('failed', name, version, reason)
      }
    }
    const stays = new Set(present.map(({ version }) => version))
    for (const version of model.failures.keys()) if (!stays.has(version)) model.failures.delete(version)
    for (const served of model.versions.values())
      if (!stays.has(served.version)) {
        model.versions.delete(served.version)
        this.retire(served)
      }
  }

  /** From here on requests find it. */
  private serve(model: Model, served: Served): void {
    model.versions.set(served.version, served)
    this.dispatcher.add(served.lane)
    this.emit('loaded', served)
  }

  /** Requests find another; those that it has are answered, then it is closed. */
  private async retire(served: Served): Promise<void> {
    await served.lane.drained()
    this.dispatcher.remove(served.lane)
    this.pool.close(served.lane.model)
    this.emit('unloaded', served)
  }

  private async make(from: Found | { name: string; version: string; bytes: Uint8Array }): Promise<Served> {
    const { name, version } = from
    const { limits, queue, maxBatch, maxDelay } = this.options
    const given = 'bytes' in from
    const what = given ? { path: `${name} (uploaded)`, bytes: from.bytes } : { path: from.path }
    const { file, labels: own } = await load({ ...what, maxMemory: limits.maxMemory })
    const { header } = decodeHead(file)
    const labels = !given && from.labels ? linesOf(from.labels) : own
    const probe = maxBatch > 1 && batchOf(header) !== undefined
    const { model, memory, independent } = await this.pool.open(file, {
      limits,
      pictures: { labels, mostPixels },
      probe
    })
    const options = { queue, maxDelay, maxBatch: independent ? maxBatch : 1 }
    const lane = new Lane(this.pool, model, options, this.watch(name, version), () => this.dispatcher.pump())
    const stamp = given ? '' : from.stamp
    return { name, version, stamp, header, lane, labels, memory, isBatched: independent }
  }
}

const key = ({ name, version }: Found) => `${name}/${version}`

const sorted = (versions: Iterable<string>): string[] => [...versions].sort((a, b) => Number(a) - Number(b))

const newest = (versions: Iterable<string>): string | undefined => sorted(versions).at(-1)

function linesOf(path: string): string[] {
  const lines = readFileSync(path, 'utf8').split(/\r?\n/)
  return lines.at(-1) === '' ? lines.slice(0, -1) : lines
}
