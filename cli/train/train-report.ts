import type { EpochRecord } from '../../train/index.js'
import { escapeXml, short } from '../terminal/index.js'
import { classTable, confusionTable } from './confusion.js'
import { allCharts, percent } from './curves.js'
import { lineChart } from './line-chart.js'
import { style } from './style.js'

export type { EpochRecord } from '../../train/index.js'
export { curvesSvg } from './curves.js'

export interface TrainReport {
  readonly title: string
  /** Settings and results. */
  readonly facts: readonly (readonly [string, string])[]
  readonly classes: readonly string[]
  readonly epochs: readonly EpochRecord[]
  readonly bestEpoch: number
  /** Counts of validation pictures; rows are true classes. */
  readonly confusion?: readonly (readonly number[])[]
  readonly pictures: readonly Picture[]
  readonly mistakes?: readonly Mistake[]
  readonly warnings: readonly string[]
}

export interface Picture {
  readonly title: string
  readonly caption: string
  readonly png: Uint8Array
}

export interface Mistake {
  readonly png: Uint8Array
  readonly truth: string
  readonly said: string
  readonly probability: number
}

/** A browser that reads this fetches and runs nothing, whatever the names of folders hold. */
const policy = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"

/** One page that stands alone: no scripts, nothing loaded. */
export function trainReport(report: TrainReport): string {
  const { title, facts, classes, epochs, bestEpoch, confusion, pictures, mistakes = [], warnings } = report
  const charts = allCharts(epochs, bestEpoch).map(chart => `<figure>${lineChart(chart)}</figure>`)
  const sections = [
    section('Warnings', warnings.length > 0, `<div class="warnings"><ul>${warnings.map(item).join('')}</ul></div>`),
    section('Settings and results', facts.length > 0, `<dl>${facts.map(fact).join('\n')}</dl>`),
    section('Training', epochs.length > 0, `<div class="charts">${charts.join('\n')}</div>\n${epochTable(report)}`),
    confusion
      ? section('Classes', true, `${confusionTable(classes, confusion)}\n${classTable(classes, confusion)}`)
      : '',
    section('Mistakes', mistakes.length > 0, `<div class="mistakes">${mistakes.map(mistake).join('\n')}</div>`),
    section('Pictures', pictures.length > 0, `<div class="pictures">${pictures.map(pictureFigure).join('\n')}</div>`)
  ]
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<title>${escapeXml(title)} – cairn train</title><style>${style}</style></head><body>
<h1>${escapeXml(title)}</h1>
${sections.join('')}</body></html>
`
}

const section = (title: string, any: boolean, content: string) =>
  any ? `<section><h2>${title}</h2>\n${content}\n</section>\n` : ''

const item = (text: string) => `<li>${escapeXml(text)}</li>`

const fact = ([name, value]: readonly [string, string]) =>
  `<div><dt>${escapeXml(name)}</dt><dd>${escapeXml(value)}</dd></div>`

/** The curves as numbers, folded. */
function epochTable({ epochs, bestEpoch }: TrainReport): string {
  const heads =
    'epoch,training loss,training accuracy,validation loss,validation accuracy,learning rate,gradient norm,seconds'.split(
      ','
    )
  const rows = epochs.map(each => {
    const { validationLoss, validationAccuracy } = each
    const cells = [
      short(each.trainLoss),
      percent(each.trainAccuracy),
      validationLoss === undefined ? '' : short(validationLoss),
      validationAccuracy === undefined ? '' : percent(validationAccuracy),
      short(each.learningRate),
      short(each.gradientNorm),
      each.seconds.toFixed(1)
    ]
    const best = each.epoch === bestEpoch ? ' (best)' : ''
    return `<tr><th scope="row">${each.epoch}${best}</th>${cells.map(cell => `<td>${cell}</td>`).join('')}</tr>`
  })
  return `<details><summary>The epochs in numbers</summary>
<div class="scroll" tabindex="0" role="region" aria-label="Epochs"><table class="figures">
<thead><tr>${heads.map(head => `<th scope="col">${head}</th>`).join('')}</tr></thead>
<tbody>
${rows.join('\n')}
</tbody></table></div></details>`
}

export function pictureFigure({ title, caption, png }: Picture): string {
  return `<figure>${image(png, title, 256)}<figcaption><b>${escapeXml(title)}</b>${escapeXml(caption)}</figcaption></figure>`
}

function mistake({ png, truth, said, probability }: Mistake): string {
  const alt = `a picture of ${truth} that was taken for ${said}`
  return `<figure>${image(png, alt, 120)}<figcaption>${escapeXml(truth)} → <b>${escapeXml(said)}</b> ${percent(probability)}</figcaption></figure>`
}

/** Pictures smaller than `least` are enlarged to whole multiples of their pixels. */
function image(png: Uint8Array, alt: string, least: number): string {
  const bytes = Buffer.from(png.buffer, png.byteOffset, png.byteLength)
  const [width, height] = [bytes.readUInt32BE(16), bytes.readUInt32BE(20)]
  const times = Math.max(1, Math.floor(least / Math.max(width, height, 1)))
  const pixels = times > 1 ? ' class="pixels"' : ''
  return `<img${pixels} width="${width * times}" height="${height * times}" alt="${escapeXml(alt)}" src="data:image/png;base64,${bytes.toString('base64')}">`
}
