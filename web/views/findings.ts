import { topK } from 'cairnjs'
import { el, table } from '../dom.js'
import type { Output, Ran } from '../engine/protocol.js'
import { fitting, nameOf } from '../model/labels.js'
import { count, percent, plural, shape, short } from '../numbers.js'
import {
  type Boxes,
  type Classes,
  type ClassMap,
  type Finding,
  lengthOf,
  type Mask,
  type Numbers,
  type Planes,
  type Points,
  range,
  type Text
} from '../outputs/output.js'
import { colourOf, isBackground } from '../photo/draw.js'
import { contextOf } from '../photo/photo.js'

/** The panel's first view: what the model says of the photo. */
export interface Shown {
  readonly ran: Ran
  /** What is drawn on the picture comes first. */
  readonly findings: readonly Finding[]
  readonly own: OwnLabels | undefined
  readonly least: number
  readonly untrained: boolean
}

/** Labels that the user has given. */
export interface OwnLabels {
  readonly file: string
  readonly names: readonly string[]
}

/** One section for each meaning that the outputs have, under their names where there are several. */
export function findingParts(shown: Shown): Node[] {
  const { findings, ran } = shown
  const isAlone = ran.outputs.length === 1
  return findings.flatMap(finding => {
    const parts = [...partsOf(finding, shown), ...notesOn(finding, shown)]
    if (isAlone) return parts
    return [
      el(
        'section',
        { className: 'output' },
        headOf(ran.outputs.filter(({ name }) => finding.of.includes(name))),
        ...parts
      )
    ]
  })
}

function headOf(outputs: readonly Output[]): Node {
  const names = outputs.flatMap(({ name, dims }, i) => [
    i ? ', ' : '',
    el('b', {}, name),
    ' ',
    el('span', { className: 'muted' }, shape(dims))
  ])
  return el('h3', { className: 'output-name' }, ...names)
}

function partsOf(finding: Finding, { least }: Shown): Node[] {
  switch (finding.kind) {
    case 'classes':
      return classParts(finding)
    case 'boxes':
      return boxParts(finding, least)
    case 'points':
      return pointParts(finding)
    case 'text':
      return textParts(finding)
    case 'mask':
      return maskParts(finding)
    case 'map':
      return mapParts(finding)
    case 'image':
      return [plain(`The model has made a picture of ${finding.pixels.width}×${finding.pixels.height}.`)]
    case 'planes':
      return planeParts(finding)
    case 'numbers':
      return numberParts(finding)
  }
}

const plain = (...text: (string | Node)[]) => el('p', { className: 'muted' }, ...text)
const note = (text: string) => el('p', { className: 'note' }, text)

/** What speaks against the names, where one reads them: names of another set, or labels that do not fit. */
function notesOn(finding: Finding, { own, findings }: Shown): Node[] {
  const notes = 'caveat' in finding && finding.caveat ? [plain(finding.caveat)] : []
  const classes = classesOf(finding)
  // Of numbers nobody says that they have classes, unless nothing else here can have any.
  const others = findings.some(({ kind }) => kind !== 'numbers' && kind !== 'planes')
  if (!own || classes === undefined || (finding.kind === 'numbers' && others)) return notes
  if (finding.kind === 'text' ? finding.read : fitting(classes, [own.names])) return notes
  const wanted =
    finding.kind === 'text' ? `${count(classes)} signs, one of them blank` : plural(classes, 'class', 'classes')
  return [
    ...notes,
    note(`${own.file} has ${plural(own.names.length, 'line')}, this output ${wanted}: its names are not used.`)
  ]
}

function classesOf(finding: Finding): number | undefined {
  if (finding.kind === 'classes') return finding.probabilities.length
  if (finding.kind === 'boxes' || finding.kind === 'map') return finding.classes
  if (finding.kind === 'text') return finding.signs
  return finding.kind === 'numbers' && finding.mayBeClasses ? finding.vector?.length : undefined
}

interface Bar {
  readonly name: string
  readonly share: number
  readonly colour?: string
}

export function bars(rows: readonly Bar[]): Node {
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

const shownClasses = 5

const explained: Readonly<Record<Classes['given'], string | undefined>> = {
  shares: undefined,
  logarithms: 'The model gives logarithms of these shares.',
  scores: 'The model gives scores; a softmax has made them shares.',
  independent: 'Each class on its own: the shares need not sum to 100 %.'
}

function classParts({ probabilities, given, labels }: Classes): Node[] {
  const rows = topK(probabilities, shownClasses)
  const list = bars(rows.map(({ index, score }) => ({ name: nameOf(index, labels), share: score })))
  const why = explained[given]
  return why ? [list, plain(why)] : [list]
}

function boxParts({ boxes, labels }: Boxes, least: number): Node[] {
  const seen = boxes.filter(({ score }) => score >= least)
  if (!boxes.length) return [plain('Nothing found.')]
  if (!seen.length) return [plain('Nothing found that is as sure as this.')]
  return [
    bars(seen.map(({ index, score }) => ({ name: nameOf(index, labels), share: score, colour: colourOf(index) })))
  ]
}

function pointParts({ points }: Points): Node[] {
  return [plain(`${plural(points.length, 'point')} on the picture.`)]
}

function textParts({ read, steps, signs }: Text): Node[] {
  if (!read)
    return [
      plain(
        `${count(steps)} steps over ${count(signs)} signs: probably writing. Give the model's alphabet as labels, a sign a line, to read it.`
      )
    ]
  if (!read.text) return [plain('No writing.')]
  return [
    el('p', { className: 'read' }, el('q', {}, read.text)),
    plain(`Each sign ${percent(read.score)} sure on average.`)
  ]
}

function maskParts({ values, width, height, squashed }: Mask): Node[] {
  const inside = values.reduce((sum, value) => sum + Number(value > 0.5), 0) / values.length
  const text = `A mask of ${width}×${height}; ${percent(inside)} of its pixels are more likely in than out.`
  return squashed ? [plain(text), plain('The model gives scores; a sigmoid has made them shares.')] : [plain(text)]
}

function mapParts({ best, classes, labels }: ClassMap): Node[] {
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

const shownPlanes = 16

/** Each map as a grey picture, dark where it is least. */
function planeParts({ planes }: Planes): Node[] {
  const { channels, height, width } = planes
  const shown = Math.min(channels, shownPlanes)
  const what = channels === 1 ? 'A map' : `${count(channels)} maps`
  return [
    plain(
      `${what} of ${height}×${width} numbers, the larger the brighter${shown < channels ? `; the first ${shown}` : ''}.`
    ),
    el('div', { className: 'planes' }, ...Array.from({ length: shown }, (_, channel) => planeCanvas(planes, channel)))
  ]
}

function planeCanvas({ height, width, at }: Planes['planes'], channel: number): HTMLCanvasElement {
  const values = Float32Array.from({ length: height * width }, (_, i) => at(channel, i))
  const { least, most } = range(values)
  const canvas = el('canvas', { width, height, role: 'img' })
  canvas.setAttribute('aria-label', `map ${channel}, from ${short(least)} to ${short(most)}`)
  canvas.title = `${channel}: from ${short(least)} to ${short(most)}`
  const pixels = new ImageData(width, height)
  values.forEach((value, i) => {
    const light = ((value - least) / (most - least || 1)) * 255
    pixels.data.set([light, light, light, 255], i * 4)
  })
  contextOf(canvas).putImageData(pixels, 0, 0)
  return canvas
}

const [shownNumbers, shownRows, shownColumns] = [12, 6, 8]

function numberParts({ output, vector, guess, mayBeClasses }: Numbers): Node[] {
  const { dims, data } = output
  const { least, most, mean } = range(data)
  if (!data.length) return [plain('Nothing found: the output has no rows.')]
  if (data.length === 1) return [el('p', { className: 'read' }, short(data[0])), ...(guess ? [plain(guess)] : [])]
  const size = vector ? `A vector of ${count(vector.length)} numbers` : `${shape(dims)} numbers`
  const spread = `from ${short(least)} to ${short(most)}, ${short(mean)} on average`
  const length = vector && vector.length > 2 ? `, length ${short(lengthOf(vector))}` : ''
  const parts: Node[] = [
    plain(`${size}, ${spread}${length}${guess ? `: ${guess}` : ''}.`),
    firstNumbers(output, vector)
  ]
  if (vector && mayBeClasses) {
    const turn = () => document.dispatchEvent(new CustomEvent('as-classes', { detail: output.name }))
    parts.push(
      el('p', {}, el('button', { type: 'button', className: 'quiet', onclick: turn }, 'Show as shares of classes'))
    )
  }
  return parts
}

/** A vector's first numbers in a row, other outputs as their first rows and columns. */
function firstNumbers({ dims, data, name }: Output, vector: Float32Array | undefined): Node {
  const columns = vector ? vector.length : (dims.at(-1) ?? 1)
  const [high, wide] = vector
    ? [1, Math.min(columns, shownNumbers)]
    : [Math.min(data.length / columns, shownRows), Math.min(columns, shownColumns)]
  const cells = Array.from({ length: high }, (_, row) =>
    Array.from({ length: wide }, (_, column) => short(data[row * columns + column]))
  )
  const header = Array.from({ length: wide }, (_, column) => String(column))
  const more = wide < columns || high * columns < data.length
  return el(
    'div',
    { className: 'scroll' },
    table(
      `The first numbers of ${name}`,
      [...header, ...(more ? ['…'] : [])],
      cells.map(row => [...row, ...(more ? [''] : [])]),
      0
    )
  )
}

/** What was found, in a few words. */
export function phrase(finding: Finding | undefined, least: number): string {
  if (finding?.kind === 'classes') {
    const [{ index, score }] = topK(finding.probabilities, 1)
    return `${nameOf(index, finding.labels)}, ${percent(score)}`
  }
  if (finding?.kind === 'boxes') {
    const seen = finding.boxes.filter(({ score }) => score >= least)
    return seen.length ? seen.map(({ index }) => nameOf(index, finding.labels)).join(', ') : 'nothing found'
  }
  if (finding?.kind === 'points') return plural(finding.points.length, 'point')
  if (finding?.kind === 'text' && finding.read) return `“${finding.read.text}”`
  if (finding?.kind === 'numbers' && finding.output.data.length === 1) return short(finding.output.data[0])
  return 'the model has run'
}
