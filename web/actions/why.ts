import type { Method } from 'cairnjs/explain'
import { byId, el } from '../dom.js'
import type { Engine } from '../engine/engine.js'
import type { Explained, Job } from '../engine/protocol.js'
import { nameOf } from '../model/labels.js'
import { ms, percent } from '../numbers.js'
import type { Classes, Finding } from '../outputs/output.js'
import type { Heat } from '../photo/draw.js'
import type { Photo } from '../photo/photo.js'
import { oneAtATime } from '../turns.js'
import { announce, doing } from '../views/status.js'
import type { Model } from './opening.js'

/** What is explained, and where. */
export interface Explainable {
  readonly engine: Engine
  model(): Model | undefined
  photo(): Photo | undefined
  job(): Job | undefined
  /** What the last run has found. */
  findings(): readonly Finding[]
  /** There is another map to draw, or none any more. */
  changed(): void
}

/** A camera's picture is explained as long as a map takes less, in milliseconds. */
const liveLimit = 100
/** Classes to choose from, the surest first. */
const offered = 12

/** The "Why" tab: where the model looks on the photo, for its best class or another. */
export class Why {
  private isShown = false
  private isLive = false
  private made:
    | { readonly model: Model; readonly photo: Photo; readonly image: ImageData; readonly found: Explained }
    | undefined
  /** How long the last map took, of this method and model, without what was compiled for it. */
  private took: { readonly of: string; readonly milliseconds: number } | undefined
  private readonly method = byId<HTMLSelectElement>('why-method')
  private readonly class = byId<HTMLSelectElement>('why-class')
  private readonly opacity = byId<HTMLInputElement>('why-opacity')
  /** Explains what is there, where the tab is in front; `quiet` for frames of a camera. */
  readonly try: (quiet?: boolean) => Promise<void>

  constructor(private readonly open: Explainable) {
    this.try = oneAtATime(
      quiet => this.explain(quiet),
      () => undefined,
      error => this.say(error instanceof Error ? error.message : String(error))
    )
    this.method.onchange = () => void this.try()
    this.class.onchange = () => void this.try()
    this.opacity.oninput = () => open.changed()
  }

  /** The tab comes to the front, or goes. */
  turn(isShown: boolean): void {
    if (this.isShown === isShown) return
    this.isShown = isShown
    if (isShown) void this.try()
    else this.open.changed()
  }

  /** What lies over the photo, while it is of this photo. */
  get heat(): Heat | undefined {
    const { made, open } = this
    const photo = open.photo()
    // A frame of the camera is shown with the map of the one before until its own is there.
    const isFrame = this.isLive && photo?.name === made?.photo.name
    if (!this.isShown || !made || made.model !== open.model()) return undefined
    if (made.photo !== photo && !isFrame) return undefined
    return { image: made.image, region: made.found.region, opacity: Number(this.opacity.value) }
  }

  private async explain(quiet: boolean): Promise<void> {
    if (!this.isShown) return
    const { open } = this
    const [model, photo, job] = [open.model(), open.photo(), open.job()]
    const classes = open.findings().find((finding): finding is Finding & Classes => finding.kind === 'classes')
    if (!model || !photo || !job || !classes)
      return this.say(
        model && photo
          ? 'This model gives no classes to explain.'
          : 'Nothing to explain yet: the model waits for a photo.'
      )
    const hasGraph = model.opened.passes !== undefined
    for (const option of this.method.options) option.disabled = !hasGraph && option.value !== 'occlusion'
    if (!hasGraph) this.method.value = 'occlusion'
    const method = this.method.value as Method
    const of = `${model.opened.id} ${method}`
    const slow = this.took?.of === of && this.took.milliseconds > liveLimit ? this.took.milliseconds : undefined
    this.isLive = quiet && slow === undefined
    if (quiet && slow !== undefined)
      return this.say(`A map takes ${ms(slow)} here, too long for a live picture: take one, or another method.`)
    const wanted = this.class.value === '' ? undefined : Number(this.class.value)
    const ask = (progress?: Parameters<Engine['ask']>[2]) =>
      open.engine.ask('explain', { ...job, method, class: wanted }, progress)
    if (!quiet) this.say('')
    const found = await (quiet ? ask() : doing('Explaining', ask))
    if (!found) return
    if (!found.isFirst) this.took = { of, milliseconds: found.milliseconds }
    const { data, width, height } = found.painted
    this.made = { model, photo, found, image: new ImageData(new Uint8ClampedArray(data), width, height) }
    this.offer(classes, found)
    const text = textOf(found, classes)
    this.say(text)
    if (!quiet) announce(text)
    open.changed()
  }

  private say(text: string): void {
    byId('why-says').textContent = text
  }

  /** The surest classes; the one that was chosen stays chosen. */
  private offer({ labels }: Classes, { scores, class: shown }: Explained): void {
    const chosen = this.class.value
    const best = Array.from(scores, (score, index) => ({ score, index }))
      .sort((a, b) => b.score - a.score)
      .slice(0, offered)
      .map(({ index }) => index)
    const all = chosen === '' || best.includes(shown) ? best : [...best, shown]
    const option = (value: string, text: string) => el('option', { value, selected: value === chosen }, text)
    this.class.replaceChildren(
      option('', 'The best one'),
      ...all.map(index => option(String(index), nameOf(index, labels)))
    )
  }
}

function textOf(
  { class: index, layer, milliseconds, error, isFirst }: Explained,
  { labels, probabilities }: Classes
): string {
  const share = probabilities[index]
  const what = `What speaks for ${nameOf(index, labels)}${share === undefined ? '' : `, ${percent(share)}`}`
  const where = layer ? `; ${layer.height}×${layer.width} at ${layer.name}` : ''
  const sums = error === undefined ? '' : `; the parts add up within ${percent(error)}`
  return `${what}${where}${sums}; ${ms(milliseconds)}${isFirst ? ', with compiling' : ''}.`
}
