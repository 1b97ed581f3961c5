import type { LayerFindings } from '../../explain/index.js'
import type { Picture } from '../../runtime/tensor/index.js'
import { pngOf } from '../pictures/index.js'
import { escapeXml, shape, short } from '../terminal/index.js'
import { pictureFigure, style } from '../train/index.js'

/** A picture of the report. */
export interface Shown {
  readonly title: string
  readonly caption: string
  readonly picture: Picture
}

export interface FeaturesReport {
  readonly title: string
  readonly facts: readonly (readonly [string, string])[]
  readonly findings: readonly LayerFindings[] | undefined
  readonly sections: readonly Section[]
}

/** Pictures of one kind; none where there are no pictures. */
export interface Section {
  readonly title: string
  readonly about: string
  readonly shown: readonly Shown[]
}

const policy = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
const own = `.pictures figure img{max-width:100%}p{max-width:46rem}`

/** One page that stands alone: no scripts, nothing loaded. */
export function featuresHtml({ title, facts, findings, sections }: FeaturesReport): string {
  const parts = sections.filter(({ shown }) => shown.length).map(section)
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<title>${escapeXml(title)} – cairn features</title><style>${style}${own}</style></head><body>
<h1>${escapeXml(title)}</h1>
<dl>${facts.map(([name, value]) => `<div><dt>${escapeXml(name)}</dt><dd>${escapeXml(value)}</dd></div>`).join('')}</dl>
${findings ? layerTable(findings) : ''}${parts.join('')}</body></html>
`
}

function section({ title, about, shown }: Section): string {
  const figures = shown.map(({ picture, ...told }) => pictureFigure({ ...told, png: pngOf(picture) }))
  return `<section><h2>${escapeXml(title)}</h2>
<p>${escapeXml(about)}</p>
<div class="pictures">${figures.join('\n')}</div></section>
`
}

function layerTable(findings: readonly LayerFindings[]): string {
  const heads = ['layer', 'units', 'maps', 'sees', 'silent', 'dead units', 'mean |r|', 'most alike']
  const rows = findings.map(({ layer, sparsity, dead, correlation: { mean, largest } }) => {
    const cells = [
      String(layer.units),
      layer.height * layer.width === 1 ? '–' : shape([layer.height, layer.width]),
      layer.field ? shape([layer.field.height, layer.field.width]) : 'all',
      `${(100 * sparsity).toFixed(1)} %`,
      deadText(dead),
      mean.toFixed(3),
      largest ? `${largest.units.join(', ')}: ${largest.r.toFixed(3)}` : '–'
    ]
    return `<tr><th scope="row">${escapeXml(layer.name)}</th>${cells.map(cell => `<td>${escapeXml(cell)}</td>`).join('')}</tr>`
  })
  return `<section><h2>Layers over the folder</h2>
<p>Silent is the share of elements that are not above 0; a dead unit says the same of every place of every picture; r is the
correlation of two units. A layer that has learnt well has few dead units and few that are alike.</p>
<div class="scroll" tabindex="0" role="region" aria-label="Layers"><table class="figures">
<thead><tr>${heads.map(head => `<th scope="col">${escapeXml(head)}</th>`).join('')}</tr></thead>
<tbody>
${rows.join('\n')}
</tbody></table></div></section>
`
}

const mostDead = 6

function deadText(dead: readonly number[]): string {
  if (!dead.length) return '0'
  return `${dead.length}: ${dead.slice(0, mostDead).join(', ')}${dead.length > mostDead ? ' …' : ''}`
}

/** The same as lines for a terminal. */
export function findingsText(findings: readonly LayerFindings[]): string[] {
  return findings.map(({ layer, sparsity, dead, correlation }) => {
    const { units, height, width } = layer
    return `${layer.name}: ${shape([units, height, width])}, ${(100 * sparsity).toFixed(1)} % silent, ${dead.length} dead, mean |r| ${short(correlation.mean)}`
  })
}
