import { topK } from 'cairn'
import { labelOf } from '../devices.js'
import { byId, el, facts, table } from '../dom.js'
import { colourOf, isBackground } from '../draw.js'
import { nameOf } from '../labels.js'
import { ms, percent, shape, short } from '../numbers.js'
import type { Boxes, Classes, ClassMap, Finding, Mask } from '../outputs/output.js'
import { range } from '../outputs/output.js'
import type { Loaded, Ran } from '../protocol.js'

/** The panel's first view: what the model says of the photo. */
export interface Shown {
  readonly ran: Ran
  readonly loaded: Loaded
  readonly finding: Finding | undefined
  readonly labels: readonly string[] | undefined
  readonly least: number
  readonly untrained: boolean
}

const shownClasses = 5

export function showResult(shown: Shown | undefined): void {
  byId('no-result').hidden = shown !== undefined
  for (const id of ['timing', 'raw']) byId(id).hidden = shown === undefined
  const kind = shown?.finding?.kind
  byId('least-field').hidden = kind !== 'boxes'
  byId('blend-field').hidden = kind !== 'mask' && kind !== 'map' && kind !== 'image'
  byId('blend-label').textContent = kind === 'image' ? 'Before and after' : 'Strength of the overlay'
  byId('save-picture').hidden = byId('blend-field').hidden && kind !== 'boxes'
  byId('found').replaceChildren(...(shown ? found(shown) : []))
  if (shown) showFigures(shown)
}

/** The result in a sentence. */
export function sentence({ finding, labels, least, ran, loaded }: Shown): string {
  const took = `${ms(ran.milliseconds)} on ${labelOf(loaded.device)}`
  if (finding?.kind === 'classes') {
    const [{ index, score }] = topK(finding.probabilities, 1)
    return `${nameOf(index, labels)}, ${percent(score)}; ${took}`
  }
  if (finding?.kind === 'boxes') {
    const seen = finding.boxes.filter(({ score }) => score >= least)
    return `${seen.length ? seen.map(({ index }) => nameOf(index, labels)).join(', ') : 'nothing found'}; ${took}`
  }
  return `the model has run; ${took}`
}

function found(shown: Shown): Node[] {
  const { finding, untrained } = shown
  const note = untrained && el('p', { className: 'note' }, 'Untrained weights: the answer means nothing.')
  const parts: Node[] = finding
    ? partsOf(finding, shown)
    : [plain('The outputs are of no kind that this page draws; below they are in numbers.')]
  return note ? [note, ...parts] : parts
}

function partsOf(finding: Finding, { labels, least }: Shown): Node[] {
  if (finding.kind === 'classes') return classParts(finding, labels)
  if (finding.kind === 'boxes') return boxParts(finding, labels, least)
  if (finding.kind === 'mask') return maskParts(finding)
  if (finding.kind === 'map') return mapParts(finding, labels)
  return [plain(`The model has made a picture of ${finding.pixels.width}×${finding.pixels.height}.`)]
}

const plain = (text: string) => el('p', { className: 'muted' }, text)

export function bars(rows: readonly { name: string; share: number; colour?: string }[]): Node {
  return el(
    'ol',
    { className: 'bars' },
    ...rows.map(({ name, share, colour }) => {
      const filled = el('i')
      filled.style.width = percent(Math.min(share, 1))
      if (colour !== undefined) filled.style.background = colour
      const swatch = colour !== undefined && el('span', { className: 'swatch', 'aria-hidden': 'true' })
      if (swatch) swatch.style.background = colour!
      const track = el('span', { className: 'track', 'aria-hidden': 'true' }, filled)
      return el('li', { className: 'bar' }, el('span', {}, swatch, name), el('b', {}, percent(share)), track)
    })
  )
}

function classParts({ probabilities, softmaxed }: Classes, labels: readonly string[] | undefined): Node[] {
  const rows = topK(probabilities, shownClasses)
  const list = bars(rows.map(({ index, score }) => ({ name: nameOf(index, labels), share: score })))
  return softmaxed ? [list, plain('The model gives scores; a softmax has made them shares.')] : [list]
}

function boxParts({ boxes }: Boxes, labels: readonly string[] | undefined, least: number): Node[] {
  const seen = boxes.filter(({ score }) => score >= least)
  if (!seen.length) return [plain('Nothing found that is as sure as this.')]
  return [
    bars(seen.map(({ index, score }) => ({ name: nameOf(index, labels), share: score, colour: colourOf(index) })))
  ]
}

function maskParts({ values, width, height }: Mask): Node[] {
  const inside = values.reduce((sum, value) => sum + Number(value > 0.5), 0) / values.length
  return [plain(`A mask of ${width}×${height}; ${percent(inside)} of its pixels are more likely in than out.`)]
}

function mapParts({ best, classes }: ClassMap, labels: readonly string[] | undefined): Node[] {
  const pixels = new Float64Array(classes)
  for (const index of best) pixels[index]++
  const rows = topK(pixels, 12).filter(({ score }) => score > 0)
  return [
    bars(
      rows.map(({ index, score }) => ({
        name: nameOf(index, labels),
        share: score / best.length,
        colour: isBackground(index, labels) ? 'transparent' : colourOf(index)
      }))
    ),
    plain('Shares of the pixels.')
  ]
}

function showFigures({ ran, loaded }: Shown): void {
  const entries: [string, string][] = [
    ['this run', ms(ran.milliseconds)],
    [
      'device',
      loaded.device === 'wasm'
        ? `CPU, ${loaded.threads} thread${loaded.threads > 1 ? 's' : ''}`
        : labelOf(loaded.device)
    ],
    ['preparing the photo', ms(ran.preparing)]
  ]
  if (ran.shown) entries.push(['input', `${ran.shown.width}×${ran.shown.height}`])
  byId('timing-facts').replaceChildren(...facts(entries).children)
  const rows = ran.outputs.map(({ name, type, dims, data }) => {
    const { least, most, mean } = range(data)
    return [name, type, shape(dims), short(least), short(most), short(mean)]
  })
  const header = ['output', 'type', 'shape', 'least', 'most', 'mean']
  byId('raw-table').replaceChildren(table('Outputs', header, rows, 3))
}
