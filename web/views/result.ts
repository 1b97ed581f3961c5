import { byId, el, facts, table } from '../dom.js'
import { labelOf } from '../engine/devices.js'
import { ms, plural, shape, short } from '../numbers.js'
import { range } from '../outputs/output.js'
import { seesPart } from '../photo/draw.js'
import { findingParts, phrase, type Shown } from './findings.js'

export function showResult(shown: Shown | undefined): void {
  byId('no-result').hidden = shown !== undefined
  for (const id of ['timing', 'raw']) byId(id).hidden = shown === undefined
  const kinds = new Set(shown?.findings.map(({ kind }) => kind))
  byId('least-field').hidden = !kinds.has('boxes')
  byId('blend-field').hidden = !kinds.has('mask') && !kinds.has('map') && !kinds.has('image')
  byId('blend-label').textContent = kinds.has('image') ? 'Before and after' : 'Strength of the overlay'
  byId('save-picture').hidden = byId('blend-field').hidden && !kinds.has('boxes') && !kinds.has('points')
  byId('found').replaceChildren(...(shown ? found(shown) : []))
  showMargins(shown)
  if (shown) showFigures(shown)
}

/** The picture's dark margins in words, for who points at it or comes to it with the keyboard. */
function showMargins(shown: Shown | undefined): void {
  const region = shown?.ran.shown?.region
  const isCut =
    shown !== undefined && seesPart(shown.findings) && region !== undefined && (region.x >= 1 || region.y >= 1)
  byId('margins').hidden = !isCut
  byId('canvas').tabIndex = isCut ? 0 : -1
}

/** The result in a sentence. */
export function sentence({ findings, least, ran }: Shown): string {
  return `${phrase(findings[0], least)}; ${ms(ran.milliseconds)} on ${labelOf(ran.device)}`
}

function found(shown: Shown): Node[] {
  const note = shown.untrained && el('p', { className: 'note' }, 'Untrained weights: the answer means nothing.')
  const parts = findingParts(shown)
  return note ? [note, ...parts] : parts
}
function showFigures({ ran }: Shown): void {
  const entries: [string, string][] = [
    ['this run', ms(ran.milliseconds)],
    ['device', ran.device === 'wasm' ? `CPU, ${plural(ran.threads, 'thread')}` : labelOf(ran.device)],
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
