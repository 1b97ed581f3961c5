import { escapeXml } from '../terminal/index.js'
import { type Layer, layerHeader, layerRows } from './layers.js'
import type { MemoryReport } from './memory.js'
import { planSvg } from './plan-svg.js'

export interface ReportContent {
  readonly title: string
  readonly facts: readonly (readonly [string, string])[]
  readonly passes: readonly (readonly string[])[]
  readonly layers: readonly Layer[]
  readonly plan: MemoryReport
  /** Further tables, at the end. */
  readonly more?: readonly {
    readonly title: string
    readonly header: readonly string[]
    readonly rows: readonly (readonly string[])[]
  }[]
}

const style = `body{font:14px/1.5 system-ui,sans-serif;max-width:75rem;margin:2rem auto;padding:0 1rem;color:#222}
table{border-collapse:collapse;margin:.5rem 0 2rem}td,th{padding:.15rem .8rem .15rem 0;text-align:left;border-bottom:1px solid #ddd}
.layers td:nth-child(n+3),.layers th:nth-child(n+3){text-align:right;font-variant-numeric:tabular-nums}
svg{max-width:100%;border:1px solid #ddd}`

/** One page that stands alone: no scripts, nothing loaded. */
export function reportHtml({ title, facts, passes, layers, plan, more = [] }: ReportContent): string {
  const row = (cells: readonly string[], tag = 'td') =>
    `<tr>${cells.map(cell => `<${tag}>${escapeXml(cell)}</${tag}>`).join('')}</tr>`
  const rows = (lines: readonly (readonly string[])[]) => lines.map(line => row(line)).join('\n')
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>${escapeXml(title)} – cairn</title><style>${style}</style></head><body>
<h1>${escapeXml(title)}</h1>
<table>${rows(facts)}</table>
<h2>Passes</h2>
<table>${row(['pass', 'did', 'nodes left'], 'th')}${rows(passes)}</table>
<h2>Memory plan</h2>
${planSvg(plan, `arena ${plan.arena} bytes, lower bound ${plan.lowerBound}`)}
<h2>Layers</h2>
<table class="layers">${row(layerHeader, 'th')}${rows(layerRows(layers))}</table>
${more.map(({ title, header, rows: lines }) => `<h2>${escapeXml(title)}</h2>\n<table>${row(header, 'th')}${rows(lines)}</table>`).join('\n')}
</body></html>
`
}
