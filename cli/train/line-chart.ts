import { scaleLinear, scaleLog } from 'd3-scale'
import { line } from 'd3-shape'
import { escapeXml } from '../terminal/index.js'

export interface Series {
  readonly name: string
  /** What colours it, in `chartStyle`. */
  readonly className: string
  /** One an epoch. A line leads over what is undefined; it is broken where a value is not finite. */
  readonly values: readonly (number | undefined)[]
}

export interface LineChart {
  readonly title: string
  readonly epochs: readonly number[]
  readonly series: readonly Series[]
  readonly best: number
  readonly height: number
  readonly format: (value: number) => string
  readonly axis: 'linear' | 'from zero' | 'logarithmic if wide'
}

export const chartWidth = 440

/** Plain rules, because viewers of pictures know no variables. Blue and orange are told apart by everyone. */
export const chartStyle = `.curves{font:12px system-ui,sans-serif;color:#57606a}
.curves text,.curves tspan,.curves circle{fill:currentColor}
.curves path{fill:none;stroke:currentColor;stroke-width:1.6;stroke-linejoin:round;stroke-linecap:round}
.curves path,.curves circle{pointer-events:none}.curves path.validation{stroke-width:2.4}
.curves .title{font-weight:600;font-size:14px;color:#1f2328}
.curves .training{color:#0072b2}.curves .validation,.curves .gap{color:#d55e00}
.curves .epoch{fill:currentColor;fill-opacity:0}.curves .gap{fill-opacity:.3}.curves .epoch:hover{fill-opacity:.15}
.curves .grid{stroke:#d8dee4}.curves .best{stroke:currentColor;stroke-dasharray:4 3}.curves .paper{fill:#fff}
@media screen and (prefers-color-scheme:dark){.curves{color:#a5acb4}.curves .title{color:#e6edf3}
.curves .training{color:#56b4e9}.curves .validation,.curves .gap{color:#f0a202}
.curves .grid{stroke:#343b43}.curves .paper{fill:#0d1117}}`

const [left, right, top, bottom] = [52, 12, 44, 26]

/** A chart of values by epoch; `attributes` are more of its `svg`. Its colours are `chartStyle`'s. */
export function lineChart(chart: LineChart, attributes = ''): string {
  const { title, epochs, series, best, height, format } = chart
  const [first, last] = epochs.length ? [Math.min(...epochs), Math.max(...epochs)] : [0, 0]
  const x = scaleLinear()
    .domain(first < last ? [first, last] : [first - 0.5, first + 0.5])
    .range([left, chartWidth - right])
  const { y, ticks, logarithmic } = vertical(chart)
  const path = line<readonly [number, number]>()
    .defined(([, value]) => Number.isFinite(value))
    .x(([epoch]) => x(epoch))
    .y(([, value]) => y(value))
    .digits(1)
  const lines = series.map(({ className, values }) => {
    const points = epochs.flatMap((epoch, i) => (values[i] === undefined ? [] : [[epoch, values[i]] as const]))
    return `<path class="${className}" d="${path(points) ?? ''}"/>`
  })
  const bands = epochs.map((epoch, i) => {
    const [from, to] = [epoch - 0.5, epoch + 0.5].map(at => Math.min(chartWidth - right, Math.max(left, x(at))))
    const told = series.filter(({ values }) => values[i] !== undefined)
    const gap = told.some(({ values }) => !Number.isFinite(values[i]))
    const label = `epoch ${epoch}: ${told.map(({ name, values }) => `${name} ${format(values[i]!)}`).join(', ')}`
    return `<rect class="epoch${gap ? ' gap' : ''}" x="${round(from)}" y="${top}" width="${round(Math.max(gap ? 2 : 0, to - from))}" height="${height - top - bottom}"><title>${escapeXml(label)}</title></rect>`
  })
  const horizontals = ticks.map(
    value => `<line class="grid" x1="${left}" x2="${chartWidth - right}" y1="${round(y(value))}" y2="${round(y(value))}"/>
<text x="${left - 6}" y="${round(y(value) + 4)}" text-anchor="end">${escapeXml(format(value))}</text>`
  )
  const whole = x.ticks(8).filter(epoch => Number.isInteger(epoch) && epoch >= first && epoch <= last)
  const numbers = whole.map(
    epoch => `<text x="${round(x(epoch))}" y="${height - bottom + 17}" text-anchor="middle">${epoch}</text>`
  )
  const key =
    series.length > 1 ? series.map(({ name, className }) => `<tspan class="${className}">●</tspan> ${name}`) : []
  return `<svg class="curves" viewBox="0 0 ${chartWidth} ${height}" role="img" aria-label="${escapeXml(spoken(chart))}"${attributes}>
<text class="title" x="0" y="15">${escapeXml(title)}${logarithmic ? ', logarithmic' : ''}</text>
<text x="${chartWidth - right}" y="15" text-anchor="end">${key.join('\u00a0\u00a0 ')}</text>
${[...horizontals, ...numbers, ...bands, ...lines].join('\n')}
${epochs.includes(best) ? bestMark(chart, x(best), y) : ''}
</svg>`
}

function vertical({ series, height, axis }: LineChart) {
  const values = series.flatMap(each => each.values).filter((value): value is number => Number.isFinite(value))
  const range = [height - bottom, top]
  const about = Math.max(2, Math.round((height - top - bottom) / 35))
  const positive = values.filter(value => value > 0)
  const [least, most] = values.length ? [Math.min(...values), Math.max(...values)] : [0, 1]
  if (axis === 'logarithmic if wide' && least >= 0 && most > 100 * Math.min(...positive)) {
    const y = scaleLog([Math.min(...positive), most], range).clamp(true)
    const labelled = y.tickFormat(about, '~g')
    return { y, ticks: y.ticks(about).filter(value => labelled(value)), logarithmic: true }
  }
  const y = scaleLinear([axis === 'from zero' ? Math.min(0, least) : least, most], range).nice()
  return { y, ticks: y.ticks(about), logarithmic: false }
}

function bestMark({ epochs, series, best, height }: LineChart, at: number, y: (value: number) => number): string {
  const anchor = at < left + 40 ? 'start' : at > chartWidth - right - 40 ? 'end' : 'middle'
  const dots = series.map(({ className, values }) => {
    const value = values[epochs.indexOf(best)] ?? Number.NaN
    return Number.isFinite(value)
      ? `<circle class="${className}" cx="${round(at)}" cy="${round(y(value))}" r="3.5"/>`
      : ''
  })
  return `<line class="best" x1="${round(at)}" x2="${round(at)}" y1="${top - 4}" y2="${height - bottom}"/>
<text x="${round(at)}" y="${top - 9}" text-anchor="${anchor}">best: epoch ${best}</text>
${dots.join('')}`
}

/** What the chart shows, for those who do not see it. */
function spoken({ title, epochs, series, best, format }: LineChart): string {
  const parts = series.map(({ name, values }) => {
    const told = values.filter(value => value !== undefined)
    return told.length ? `${name} from ${format(told[0]!)} to ${format(told.at(-1)!)}` : `no ${name}`
  })
  const at = epochs.includes(best) ? `; the best epoch is ${best}` : ''
  return `${title} by epoch: ${parts.join(', ')}${at}`
}

const round = (value: number) => String(+value.toFixed(1))
