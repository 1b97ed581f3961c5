import type { EpochRecord } from 'cairnjs/train'
import type { Learnt, Part } from '../engine/protocol.js'
import type { Taught } from '../model/source.js'
import type { Preparation } from '../photo/prepare.js'
import { forgetSettings } from './settings.js'
import { folder, Store } from './tab-store.js'

/** What a model has been taught here, as it is kept. */
export interface Head {
  readonly patch: Blob
  readonly learnt: Learnt
  readonly classes: readonly string[]
  readonly preparation: Preparation
  readonly epochs: readonly EpochRecord[]
  /** The photos that it has learnt from, in their order. */
  readonly photos: string
}

/** A model that was open, as it is needed to open it again. */
export interface KeptModel {
  readonly key: string
  readonly name: string
  readonly address?: string
  readonly file?: Blob
  readonly parts?: readonly Part[]
  readonly trained?: Taught
  /** Where it was set by hand. */
  readonly preparation?: Preparation
  /** What it has been taught here. */
  readonly head?: Head
}

export interface KeptClass {
  readonly name: string
  readonly photos: readonly { readonly name: string; readonly content: Blob }[]
}

export interface Kept {
  /** The newest is the last. */
  readonly models: readonly KeptModel[]
  readonly classes: readonly KeptClass[]
  readonly photo?: { readonly name: string; readonly content: Blob }
  /** The file that the user has given. */
  readonly labels?: { readonly file: string; readonly names: readonly string[] }
}

/** As many models as Back may go through. */
const mostModels = 5

/** Milliseconds in which changes gather before they are written. */
const pause = 250

/** Keeps what the page is told to, and says whether the browser does; the page works all the same where it does not. */
export class Keeper {
  private kept: Kept = { models: [], classes: [] }
  private store: Store<Kept> | undefined
  private timer = 0
  private writing: Promise<void> = Promise.resolve()
  private changes = 0
  private readonly channel = 'BroadcastChannel' in window ? new BroadcastChannel(`cairn ${folder}`) : undefined
  /** Why the browser keeps nothing, in a sentence; and why it keeps all but the model. */
  refusal: string | undefined
  heavy: string | undefined

  /** `forgotten` is called when another tab has taken everything away. */
  constructor(
    private readonly changed: () => void,
    forgotten: () => void
  ) {
    this.channel?.addEventListener('message', () => {
      this.drop()
      forgotten()
    })
  }

  async open(): Promise<void> {
    try {
      const { store, kept } = await withinTime(Store.open<Kept>())
      this.store = store
      if (kept) this.kept = kept
    } catch (error) {
      this.refusal = `Nothing can be kept in this browser (${(error as Error).message}): what you make here is gone when the page is closed.`
    }
    this.changed()
  }

  get all(): Kept {
    return this.kept
  }

  model(key: string | undefined): KeptModel | undefined {
    return this.kept.models.find(each => each.key === key)
  }

  /** Puts the model last; what is known of it already stays. */
  keepModel(model: KeptModel): void {
    const others = this.kept.models.filter(({ key }) => key !== model.key)
    this.keep({ models: [...others, { ...this.model(model.key), ...model }].slice(-mostModels) })
  }

  keep(part: Partial<Kept>): void {
    this.kept = { ...this.kept, ...part }
    clearTimeout(this.timer)
    const mine = ++this.waiting
    this.timer = window.setTimeout(() => {
      this.writing = this.writing.then(() => this.write(mine))
    }, pause)
    this.changed()
  }

  /** Changes that are not written yet; the body says so to those who drive the page. */
  private get waiting(): number {
    return this.changes
  }

  private set waiting(count: number) {
    this.changes = count
    document.body.toggleAttribute('data-keeping', count > 0)
  }

  /** Whether something would be lost that only this page has. */
  get unsaved(): boolean {
    const isWork = this.kept.classes.some(({ photos }) => photos.length) || this.kept.models.some(({ head }) => head)
    return isWork && (this.waiting > 0 || this.refusal !== undefined)
  }

  get isEmpty(): boolean {
    const { models, classes, photo } = this.kept
    return !models.length && !photo && !classes.some(({ photos }) => photos.length)
  }

  async forget(): Promise<void> {
    this.drop()
    await this.writing
    await this.store?.clear()
    if ('caches' in window) await caches.delete(`cairn offered ${folder}`)
    forgetSettings()
    this.channel?.postMessage('forgotten')
  }

  private drop(): void {
    clearTimeout(this.timer)
    this.waiting = 0
    this.kept = { models: [], classes: [] }
    this.store?.forgotten()
    this.changed()
  }

  private async write(mine: number): Promise<void> {
    const { store, kept } = this
    if (!store) {
      this.waiting = 0
      return
    }
    this.heavy = this.refusal = undefined
    try {
      // What was learnt and its photos are worth more than a file that lies on the disk.
      await store.write(kept).catch(error => {
        this.heavy = `The model's file is not kept: ${reasonOf(error)}.`
        return store.write(withoutFiles(kept))
      })
    } catch (error) {
      this.refusal = `The last changes are not kept: ${reasonOf(error as DOMException)}. Save what you need before you close the page.`
    }
    if (mine === this.waiting) this.waiting = 0
    this.changed()
  }
}

const withoutFiles = ({ photo, ...kept }: Kept): Kept => ({
  ...kept,
  models: kept.models.map(({ file, parts, ...model }) => model)
})

function reasonOf({ name, message }: DOMException): string {
  if (name === 'QuotaExceededError') return 'the space that the browser gives this page is full'
  return message || name
}

/** A browser that never answers keeps nothing either. */
function withinTime<T>(asked: Promise<T>): Promise<T> {
  const late = new Promise<never>((_, reject) => setTimeout(() => reject(new Error('no answer')), 4000))
  return Promise.race([asked, late])
}
