import { byId, el } from '../../dom.js'
import type { KeptClass } from '../../kept/kept.js'
import { plural } from '../../numbers.js'
import { colourOf } from '../../photo/draw.js'
import { type Photo, photoFrom, thumbnailOf } from '../../photo/photo.js'
import { announce, showFailure } from '../status.js'
import { Shots } from './train-shots.js'

/** A photo of a class: what was given, and a small picture of it. */
export interface Sample {
  readonly name: string
  readonly content: Blob
  readonly thumbnail: HTMLCanvasElement
}

export interface Lesson {
  readonly id: number
  readonly name: string
  readonly samples: readonly Sample[]
}

export const thumbnailSide = 112

/** The classes with their photos; they outlast the model that learns them. */
export class Classes {
  private readonly cards: Card[] = []
  private readonly shots = new Shots()
  private made = 0

  constructor(private readonly changed: () => void) {
    byId('add-class').onclick = () => this.add().focus()
    this.add()
    this.add()
  }

  get all(): readonly Lesson[] {
    return this.cards
  }

  /** No photos come or go, and no names change, while a model learns them. */
  lock(on: boolean): void {
    this.shots.close()
    byId<HTMLButtonElement>('add-class').disabled = on
    for (const { element } of this.cards) element.disabled = on
  }

  closeCamera(): void {
    this.shots.close()
  }

  kept(): KeptClass[] {
    return this.cards.map(({ name, samples }) => ({
      name,
      photos: samples.map(({ name, content }) => ({ name, content }))
    }))
  }

  /** In place of those that there are. */
  async restore(kept: readonly KeptClass[]): Promise<void> {
    this.shots.close()
    for (const { element } of this.cards.splice(0)) element.parentElement!.remove()
    this.made = 0
    if (!kept.length) for (const _ of [1, 2]) this.add()
    await Promise.all(kept.map(({ name, photos }) => this.add(name).restore(photos)))
  }

  private add(name?: string): Card {
    const card: Card = new Card(this.made++, this.shots, this.changed, () => this.remove(card), name)
    this.cards.push(card)
    byId('train-classes').append(el('li', {}, card.element))
    this.changed()
    return card
  }

  private remove(card: Card): void {
    card.closeCamera()
    const at = this.cards.indexOf(card)
    this.cards.splice(at, 1)
    card.element.parentElement!.remove()
    announce(`${card.name} removed`)
    const next = this.cards[Math.min(at, this.cards.length - 1)]
    if (next) next.focus()
    else byId('add-class').focus()
    this.changed()
  }
}

class Card implements Lesson {
  readonly samples: Sample[] = []
  readonly element: HTMLFieldSetElement
  private readonly title: HTMLInputElement
  private readonly count = el('span', { className: 'muted' }, '')
  private readonly list = el('ul', { className: 'thumbnails' })
  private readonly adding: HTMLButtonElement

  constructor(
    readonly id: number,
    private readonly shots: Shots,
    private readonly changed: () => void,
    remove: () => void,
    name = `Class ${id + 1}`
  ) {
    const swatch = el('span', { className: 'swatch', 'aria-hidden': 'true' })
    swatch.style.background = colourOf(id)
    this.title = el('input', {
      ...{ type: 'text', value: name, maxLength: 60, 'aria-label': 'Name of the class' },
      ...{ autocomplete: 'off', spellcheck: false, oninput: () => this.show() }
    })
    const chooser = el('input', { type: 'file', accept: 'image/*', multiple: true, hidden: true })
    chooser.setAttribute('aria-label', 'Photos of the class')
    chooser.onchange = () => {
      void this.receive([...(chooser.files ?? [])])
      chooser.value = ''
    }
    this.adding = el('button', { type: 'button', onclick: () => chooser.click() }, 'Add photos')
    const camera = el('button', { type: 'button', onclick: () => void this.openCamera() }, 'Camera')
    const removing = el(
      'button',
      { type: 'button', className: 'quiet', onclick: remove, title: 'Remove the class' },
      '×'
    )
    removing.setAttribute('aria-label', 'Remove the class')
    this.element = el(
      'fieldset',
      { className: 'lesson' },
      el('div', { className: 'lesson-head' }, swatch, this.title, this.count, removing),
      el('div', { className: 'row' }, this.adding, camera, chooser),
      this.list
    )
    this.takeDrops()
    this.show()
  }

  get name(): string {
    return this.title.value.trim()
  }

  focus(): void {
    this.title.focus()
    this.title.select()
  }

  closeCamera(): void {
    if (this.shots.isAt(this.element)) this.shots.close()
  }

  async restore(photos: KeptClass['photos']): Promise<void> {
    for (const { name, content } of photos) {
      // What the browser has kept can be gone, and what it could read once it reads again.
      const photo = content && (await photoFrom(content, name).catch(() => undefined))
      if (photo) this.put({ name, content }, photo)
    }
  }

  private async openCamera(): Promise<void> {
    if (this.shots.isAt(this.element)) return this.shots.close()
    showFailure(undefined)
    await this.shots.open(this.element, this.list, photo => this.takeShot(photo)).catch(showFailure)
  }

  private async takeShot(photo: Photo): Promise<void> {
    const content = await new Promise<Blob | null>(resolve => photo.canvas.toBlob(resolve, 'image/jpeg', 0.95))
    if (content) this.put({ name: `shot ${this.samples.length + 1}`, content }, photo)
  }

  private async receive(files: readonly File[]): Promise<void> {
    const refusals: string[] = []
    for (const file of files)
      await photoFrom(file, file.name).then(
        photo => this.put({ name: file.name, content: file }, photo),
        (error: Error) => refusals.push(error.message)
      )
    const rest = refusals.length > 1 ? ` (and ${plural(refusals.length - 1, 'other file')})` : ''
    showFailure(refusals.length ? new Error(refusals[0] + rest) : undefined)
    announce(`${this.name}: ${plural(this.samples.length, 'photo')}`)
  }

  private put({ name, content }: { name: string; content: Blob }, photo: Photo): void {
    const sample = { name, content, thumbnail: thumbnailOf(photo, thumbnailSide) }
    const removing = el('button', { type: 'button', title: `Remove ${name}`, 'aria-label': `Remove ${name}` }, '×')
    const item = el('li', {}, sample.thumbnail, removing)
    removing.onclick = () => {
      this.samples.splice(this.samples.indexOf(sample), 1)
      const next = (item.nextElementSibling ?? item.previousElementSibling)?.querySelector('button') ?? this.adding
      item.remove()
      next.focus()
      this.show()
    }
    this.samples.push(sample)
    this.list.append(item)
    this.list.scrollTop = this.list.scrollHeight
    this.show()
  }

  private show(): void {
    this.count.textContent = this.samples.length ? plural(this.samples.length, 'photo') : 'no photos yet'
    this.element.setAttribute('aria-label', this.name || 'Class without a name')
    this.list.setAttribute('aria-label', `Photos of ${this.name}`)
    this.changed()
  }

  private takeDrops(): void {
    const { element } = this
    const mark = (on: boolean) => element.toggleAttribute('data-over', on)
    element.ondragover = () => mark(true)
    element.ondragleave = ({ relatedTarget }) => mark(element.contains(relatedTarget as Node | null))
    element.ondrop = event => {
      mark(false)
      event.preventDefault()
      if (!element.disabled) void this.receive([...(event.dataTransfer?.files ?? [])])
    }
  }
}
