import type { Model } from '../actions/opening.js'
import { byId, el } from '../dom.js'
import type { ZooNetwork } from '../engine/protocol.js'
import type { Entry } from '../model/catalogue.js'
import { fromEntry, fromFile, fromZoo, type Source } from '../model/source.js'
import { plural } from '../numbers.js'
import type { Photo } from '../photo/photo.js'
import { doing, showFailure } from '../views/status.js'
import { enter, type Place, settle, startHistory, startPlace } from './history.js'
import { Keeper, type KeptModel } from './kept.js'

/** What the page does when the browser goes back and forth. */
export interface Host {
  source(): Source | undefined
  /** False where it is not open in the end. */
  open(source: Source): Promise<boolean>
  show(view: 'start' | 'work'): void
  /** All that was kept is gone. */
  forgotten(): void
}

/** Addresses, the history, and what the browser keeps: by them a model comes back that has been open before. */
export class Visits {
  readonly keeper = new Keeper(
    () => this.showKept(),
    () => this.host.forgotten()
  )
  /** Those of this visit, which are there also where nothing is kept. */
  private readonly sources = new Map<string, Source>()
  private entries: readonly Entry[] = []
  private zoo: readonly ZooNetwork[] = []

  constructor(private readonly host: Host) {
    byId('forget').onclick = () => {
      const question = 'Forget the models, photos, classes and trained heads that this browser keeps for this page?'
      if (confirm(question)) void doing('Forgetting', () => this.keeper.forget()).then(() => host.forgotten())
    }
  }

  offer(entries: readonly Entry[], zoo: readonly ZooNetwork[]): void {
    this.entries = entries
    this.zoo = zoo
    this.showKept()
  }

  /** A model has been opened; `isWanted` unless the page has gone elsewhere meanwhile. */
  opened(source: Source, isWanted: boolean): void {
    this.sources.set(source.key, source)
    if (isWanted) enter({ model: source.key }, source.address)
    else if (document.body.dataset.view === 'work') settle({ model: source.key }, source.address)
  }

  /** Its preparation is kept where it was chosen by hand. */
  keepModel({ source, preparation, guess }: Model): void {
    const { key, name, address, file, parts, trained } = source
    const own = JSON.stringify(preparation) === JSON.stringify(guess.preparation) ? undefined : preparation
    this.keeper.keepModel({ ...{ key, name, address, file, parts, trained }, preparation: own })
  }

  /** Unless it is another one by the time that it is packed. */
  async keepPhoto({ name, content, canvas }: Photo, isShown: () => boolean): Promise<void> {
    const packed = content ?? (await new Promise<Blob | null>(resolve => canvas.toBlob(resolve)))
    if (packed && isShown()) this.keeper.keep({ photo: { name, content: packed } })
  }

  leave(): void {
    enter(startPlace)
    this.host.show('start')
  }

  /** Whether it was the page of a model that was loaded anew. */
  get isReturning(): boolean {
    return (history.state as Place | null) !== null && 'model' in history.state
  }

  /** Where the visit begins: the history's place, the address's model, or the start. */
  async begin(): Promise<void> {
    const place = startHistory(place => void this.visit(place)) ?? this.addressed()
    if (place) await this.visit(place)
  }

  private addressed(): Place | undefined {
    const asked = new URLSearchParams(location.search)
    const [model, zoo] = [asked.get('model'), asked.get('zoo')]
    if (model !== null) return { model: `entry ${model}` }
    return zoo === null ? undefined : { model: `zoo ${zoo}` }
  }

  private async visit(place: Place): Promise<void> {
    const own = this.host.source()
    if ('start' in place) return this.host.show('start')
    if (place.model === own?.key) return this.host.show('work')
    const source = this.sourceOf(place.model)
    if (source && (await this.host.open(source))) return
    // Another one may have been asked for meanwhile.
    if (history.state && JSON.stringify(history.state) !== JSON.stringify(place)) return
    if (!source) showFailure(new Error(this.missing(place.model)))
    const still = this.host.source()
    if (still && document.body.dataset.view === 'work') settle({ model: still.key }, still.address)
    else settle(startPlace)
  }

  private sourceOf(key: string): Source | undefined {
    const own = this.sources.get(key)
    if (own) return own
    const entry = this.entries.find(({ place, name }) => [place, name].some(each => `entry ${each}` === key))
    if (entry) return fromEntry(entry)
    const network = this.zoo.find(each => `zoo ${each.key}` === key)
    if (network) return fromZoo(network.key, network.title)
    const kept = this.keeper.model(key)
    return kept && keptSource(kept)
  }

  private missing(key: string): string {
    const [, kind, name] = /^(\w+) (.*)$/.exec(key) ?? []
    if (kind === 'entry')
      return `${name}: this server offers no such model; ${list(this.entries.map(each => each.place))} allowed`
    if (kind === 'zoo') return `${name}: no such architecture; ${list(this.zoo.map(each => each.key))} allowed`
    return "this browser keeps the model's file no more; open it again"
  }

  private showKept(): void {
    const { all, isEmpty, refusal, heavy } = this.keeper
    const photos = all.classes.reduce((sum, each) => sum + each.photos.length, 0)
    const heads = all.models.filter(({ head }) => head).length
    const parts = [
      all.models.length && plural(all.models.length, 'model'),
      photos && `${plural(photos, 'photo')} of classes`,
      heads && `${plural(heads, 'trained head')}`
    ].filter(Boolean)
    const what = parts.length ? `This browser keeps ${parts.join(', ')} for you, on this machine alone.` : ''
    byId('kept').textContent = refusal ?? [what, heavy].filter(Boolean).join(' ')
    byId('forget').hidden = isEmpty
    this.showGoingOn(all.models.filter(model => this.sourceOf(model.key)).reverse())
  }

  private showGoingOn(models: readonly KeptModel[]): void {
    byId('go-on').hidden = !models.length
    byId('go-on-list').replaceChildren(
      ...models.map(({ key, name, head }) => {
        const open = () => void this.host.open(this.sourceOf(key)!)
        const note = head && el('small', {}, `taught ${head.classes.join(', ')}`)
        return el('li', {}, el('button', { className: 'card', type: 'button', onclick: open }, name, note))
      })
    )
  }
}

function keptSource({ key, name, file, parts, trained, address }: KeptModel): Source | undefined {
  return file && !address ? fromFile(name, file, { key, parts, trained }) : undefined
}

const list = (names: readonly string[]) =>
  names.length
    ? `${names.slice(0, 8).join(', ')}${names.length > 8 ? ' …' : ''} ${names.length > 1 ? 'are' : 'is'}`
    : 'a file of your own is'
