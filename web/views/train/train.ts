import type { EpochRecord } from 'cairnjs/train'
import { byId, el, table } from '../../dom.js'
import type { Learnt, Lesson, Progress } from '../../engine/protocol.js'
import type { KeptClass } from '../../kept/kept.js'
import { ms, percent, plural, short } from '../../numbers.js'
import { colourOf } from '../../photo/draw.js'
import { type Photo, thumbnailOf } from '../../photo/photo.js'
import { bars } from '../findings.js'
import { announce, showFailure } from '../status.js'
import { Classes, thumbnailSide } from './train-classes.js'
import { optionsRefusal, startOptions } from './train-options.js'

/** The tab in which a model is taught: classes, progress, curves, and what has been learnt. */
export interface Actions {
  changed(): void
  start(): void
  stop(): void
}

let classes: Classes

export function startTrainingView({ changed, start, stop }: Actions): void {
  let ready = false
  classes = new Classes(() => ready && changed())
  ready = true
  startOptions(changed)
  byId<HTMLFormElement>('train-form').onsubmit = event => {
    event.preventDefault()
    start()
  }
  byId('train-stop').onclick = stop
}

export const classNames = () => classes.all.map(({ name }) => name)

export function lessonsOf(): Lesson['photos'] {
  return classes.all.flatMap(({ samples }, label) => samples.map(({ name, content }) => ({ name, content, label })))
}

/** The classes with their photos as they are kept, and from there again. */
export const keptClasses = () => classes.kept()
export const restoreClasses = (kept: readonly KeptClass[]) => classes.restore(kept)

export const lockLessons = (on: boolean) => classes.lock(on)

export const closeShots = () => classes.closeCamera()

/** What is missing before a model can be trained, in a sentence. */
export function lessonsRefusal(): string | undefined {
  const { all } = classes
  if (all.length < 2) return 'Two classes are the least.'
  const names = classNames()
  if (names.includes('')) return 'A class has no name.'
  const twice = names.find((name, i) => names.indexOf(name) !== i)
  if (twice !== undefined) return `Two classes are named "${twice}".`
  const few = all.find(({ samples }) => samples.length < 2)
  if (few) return `"${few.name}" has ${few.samples.length ? 'one photo' : 'no photos yet'}; two are the least.`
  return optionsRefusal()
}

export interface Readiness {
  readonly refusal: string | undefined
  readonly untrained: boolean
  readonly running: boolean
  readonly studied: boolean
  readonly note: string
}

export function showReadiness({ refusal, untrained, running, studied, note }: Readiness): void {
  byId('train-not').hidden = refusal === undefined
  byId('train-not').textContent = refusal ?? ''
  byId('train-work').hidden = refusal !== undefined
  byId('train-untrained').hidden = !untrained
  const missing = lessonsRefusal()
  const button = byId<HTMLButtonElement>('train-start')
  button.disabled = running || !studied || missing !== undefined
  button.hidden = running
  byId('train-stop').hidden = !running
  byId('train-why').textContent = running ? '' : (missing ?? note)
  byId('train-options')
    .querySelectorAll('input, select')
    .forEach(each => {
      ;(each as HTMLInputElement).disabled =
        running || (each.id === 'unfreeze' && (each as HTMLInputElement).max === '0')
    })
}

/** What is under way, since when, and what share of it was done then. */
let phase: { readonly kind: string; readonly began: number; readonly from: number } | undefined

export function showProgress(progress: Progress | undefined): void {
  byId('train-progress').hidden = progress === undefined
  byId('tab-train').textContent = progress ? 'Train…' : 'Train'
  if (!progress) {
    phase = undefined
    return
  }
  const { done, total, what } = progress
  const share = done / total
  const kind = what.split(' ')[0]
  if (phase?.kind !== kind) phase = { kind, began: performance.now(), from: share }
  const passed = performance.now() - phase.began
  const left = (passed / (share - phase.from)) * (1 - share)
  byId<HTMLProgressElement>('train-bar').value = share
  const of = kind === 'epoch' ? '' : `, ${done} of ${total}`
  const time = passed > 700 && Number.isFinite(left) ? `, about ${duration(left)} left` : ''
  byId('train-doing').textContent = `${what[0].toUpperCase()}${what.slice(1)}${of}${time}`
}

function duration(milliseconds: number): string {
  const seconds = Math.ceil(milliseconds / 1000)
  return seconds < 90 ? `${seconds} s` : `${Math.round(seconds / 60)} min`
}

/** Milliseconds between two drawings of curves that grow. */
const drawingPause = 120

let drawing = false
let wanted: { readonly epochs: readonly EpochRecord[]; readonly planned: number } | undefined

/** Hidden where undefined. */
export function showCurves(epochs: readonly EpochRecord[] | undefined, planned: number): void {
  byId('train-curves').hidden = !epochs?.length
  wanted = epochs?.length ? { epochs, planned } : undefined
  if (drawing || !wanted) return
  drawing = true
  setTimeout(() => void draw().catch(showFailure), drawingPause)
}

async function draw(): Promise<void> {
  if (wanted) showEpochs(wanted.epochs)
  // Charts are more than half of the page's code, and most visits need none.
  const { drawCurves } = await import('./train-curves.js').finally(() => {
    drawing = false
  })
  if (wanted) drawCurves(wanted.epochs, wanted.planned)
}

function showEpochs(epochs: readonly EpochRecord[]): void {
  const rows = epochs.map(each => [
    String(each.epoch),
    percent(each.trainAccuracy),
    percent(each.validationAccuracy ?? 0),
    short(each.trainLoss),
    short(each.validationLoss ?? 0)
  ])
  const header = ['epoch', 'accuracy, trained on', 'kept', 'loss, trained on', 'kept']
  byId('epoch-table').replaceChildren(table('Epochs', header, rows, 0))
}

export function showLearnt(learnt: Learnt | undefined, names: readonly string[]): void {
  byId('trained').hidden = learnt === undefined
  if (!learnt) return
  const { accuracy, validated, trained, epochs, bestEpoch, milliseconds } = learnt
  const verdict = `${percent(accuracy)} of ${plural(validated, 'photo')} that it had not learnt from are told right.`
  const doubt = doubtOn(accuracy, validated)
  const story = `Learnt from ${plural(trained, 'photo')} in ${plural(epochs, 'epoch')} and ${ms(milliseconds)}; the weights are those of epoch ${bestEpoch}, the best.`
  byId('train-verdict').textContent = verdict
  const stopped = learnt.stopped && el('p', { className: 'note' }, `Ended early: ${learnt.stopped}.`)
  byId('train-notes').replaceChildren(
    ...(doubt ? [el('p', { className: 'note' }, doubt)] : []),
    el('p', { className: 'muted' }, story),
    ...(stopped ? [stopped] : []),
    ...learnt.warnings.map(text => el('p', { className: 'note' }, `${text[0].toUpperCase()}${text.slice(1)}.`)),
    ...mistakesOf(learnt, names)
  )
  announce([verdict, doubt].filter(Boolean).join(' '))
}

/** From so many photos on a share is a figure to rely on. */
const enough = 30

/** What a share of few photos is worth: the 95 % interval of Wilson, "Probable inference", 1927. */
function doubtOn(accuracy: number, photos: number): string | undefined {
  if (photos >= enough) return undefined
  const z2 = 1.96 ** 2
  const middle = accuracy + z2 / (2 * photos)
  const spread = 1.96 * Math.sqrt((accuracy * (1 - accuracy) + z2 / (4 * photos)) / photos)
  const [least, most] = [-1, 1].map(sign => (middle + sign * spread) / (1 + z2 / photos))
  const whole = (share: number) => `${Math.round(share * 100)} %`
  return `${plural(photos, 'photo')} ${photos === 1 ? 'is' : 'are'} too few to tell: of many, anything from ${whole(least)} to ${whole(most)} could be right. More photos of each class, or trying it below, tell more.`
}

/** The photos that it takes for something else: often they tell what is missing. */
function mistakesOf({ mistakes }: Learnt, names: readonly string[]): Node[] {
  if (!mistakes.length) return []
  const samples = classes.all.flatMap(each => each.samples.map(sample => ({ sample, name: each.name })))
  const items = mistakes.slice(0, 24).flatMap(({ photo, taken, probability }) => {
    if (!samples[photo]) return []
    const { sample, name } = samples[photo]
    const copy = el('canvas', { width: sample.thumbnail.width, height: sample.thumbnail.height })
    copy.getContext('2d')!.drawImage(sample.thumbnail, 0, 0)
    return el('li', {}, copy, el('span', {}, `${name}, taken for ${names[taken]} (${percent(probability)})`))
  })
  return [el('h3', {}, 'Mistakes'), el('ul', { className: 'mistakes' }, ...items)]
}

/** The new head's answer to a photo, as bars in the classes' colours. */
export function showTried(photo: Photo | undefined, shares: readonly number[], names: readonly string[]): void {
  const hint = 'Choose, drop or paste a photo, or take the camera.'
  const colour = (i: number) => colourOf(classes.all[i]?.id ?? i)
  const answer = bars(shares.map((share, i) => ({ name: names[i], share, colour: colour(i) })))
  byId('tried').replaceChildren(
    photo
      ? el('div', { className: 'tried' }, thumbnailOf(photo, thumbnailSide), answer)
      : el('p', { className: 'muted' }, hint)
  )
}
