import { createHash } from 'node:crypto'
import type { Picture } from '../../runtime/tensor/index.js'
import { pngOf } from '../pictures/index.js'
import { escapeXml } from '../terminal/index.js'
import { mapScript } from './map-script.js'

/** An example on the map. */
export interface Place {
  readonly name: string
  readonly label: string
  readonly picture: Picture
  /** The nearest others: which, and the cosine. */
  readonly near: readonly (readonly [index: number, cosine: number])[]
}

/** A way to put them on a plane. */
export interface Layout {
  readonly name: string
  readonly about: string
  readonly points: readonly (readonly [number, number])[]
}

/** Sides of the drawing and of its pictures, in pixels. */
const [side, small] = [960, 40]

const style = `:root{color-scheme:light dark;--rule:#8886}body{font:15px/1.5 system-ui,sans-serif;max-width:78rem;margin:2rem auto;padding:0 1rem;overflow-wrap:anywhere}
h1{font-size:1.5rem;line-height:1.25}main{display:grid;grid-template-columns:minmax(0,1fr) 17rem;gap:1.5rem}@media(max-width:50rem){main{grid-template-columns:minmax(0,1fr)}}
svg{display:block;width:100%;height:auto;border:1px solid var(--rule);touch-action:pan-y}svg rect{fill:none;stroke:var(--c);stroke-width:3}svg path{stroke:currentColor;stroke-width:1.5;fill:none;pointer-events:none}
g{cursor:pointer;outline:none;transition:transform .4s,opacity .2s}@media(prefers-reduced-motion:reduce){g{transition:none}}g:focus-visible rect,#mark{stroke:currentColor;stroke-width:5;pointer-events:none}#mark[hidden]{display:none}svg.some g:not(.chosen,.near){opacity:.35}g.gone{display:none}
.controls,.classes{display:flex;flex-wrap:wrap;gap:.4rem .8rem;align-items:center;padding:0;margin:.5rem 0;list-style:none}
button{font:inherit;color:inherit;background:none;border:1px solid var(--rule);border-radius:4px;padding:.15rem .5rem;cursor:pointer}
[data-hides]::before{content:"";display:inline-block;width:.8em;height:.8em;margin-right:.4em;background:var(--c)}[aria-pressed=false]{opacity:.45;text-decoration:line-through}
#told h2{font-size:1rem;margin:0 0 .5rem}#told img{width:48px;height:48px;margin-right:.6rem;vertical-align:middle;border-radius:3px;flex:none}#told ol{padding:0;margin:0;list-style:none}
#told button{display:flex;align-items:center;width:100%;text-align:left;border:0;padding:.2rem 0}`

/** One page that loads nothing: pictures where their features lie, framed in the colour of their class, and who is near to whom. */
export function mapHtml(title: string, places: readonly Place[], layouts: readonly Layout[]): string {
  const labels = [...new Set(places.map(({ label }) => label))]
  const colourOf = (label: string) => `hsl(${Math.round((360 * labels.indexOf(label)) / labels.length)} 70% 45%)`
  const pictures = places.map(({ name, label, picture }) => {
    const png = Buffer.from(pngOf(picture)).toString('base64')
    const told = escapeXml(labels.length > 1 ? `${label}: ${name}` : name)
    const box = `width="${small}" height="${small}"`
    return `<g tabindex="0" role="button" aria-label="${told}" data-class="${labels.indexOf(label)}" style="--c:${colourOf(label)}"><title>${told}</title><image ${box} href="data:image/png;base64,${png}"/><rect ${box}/></g>`
  })
  const classes = labels.map(
    (label, i) =>
      `<li><button type="button" data-hides="${i}" aria-pressed="true" style="--c:${colourOf(label)}">${escapeXml(label)}</button></li>`
  )
  const choice = layouts.map(({ name }) => `<option>${escapeXml(name)}</option>`).join('')
  const data = JSON.stringify({
    layouts: layouts.map(({ about, points }) => ({ about, points: placed(points) })),
    near: places.map(({ near }) => near)
  })
  const hash = createHash('sha256').update(mapScript).digest('base64')
  const policy = `default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'sha256-${hash}'`
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<title>${escapeXml(title)}</title><style>${style}</style></head><body>
<h1>${escapeXml(title)}</h1>
<p id="about">${escapeXml(layouts[0].about)}</p>
<div class="controls">${layouts.length > 1 ? `<label>Places by <select id="layout">${choice}</select></label>` : ''}
<label>Closer <input id="zoom" type="range" min="1" max="6" step="0.1" value="1"></label></div>
${labels.length > 1 ? `<ul class="classes">${classes.join('')}</ul>` : ''}
<main><svg viewBox="0 0 ${side} ${side}" data-half="${small / 2}" role="group" aria-label="map of features">${pictures.join('')}<path/><rect id="mark" width="${small}" height="${small}" hidden/></svg>
<section id="told" aria-live="polite"><p>Press a picture: its nearest ones by cosine are listed here.</p></section></main>
<script type="application/json" id="map-data">${data.replace(/</g, '\\u003c')}</script>
<script>${mapScript}</script></body></html>
`
}

/** Points in the drawing's pixels, at the corner of each picture. */
function placed(points: Layout['points']): [number, number][] {
  const ranges = [0, 1].map(axis => {
    const values = points.map(point => point[axis])
    const low = values.reduce((a, b) => Math.min(a, b))
    return { low, extent: values.reduce((a, b) => Math.max(a, b)) - low || 1 }
  })
  const at = (value: number, axis: number) =>
    Math.round(10 * (small / 2 + ((side - 2 * small) * (value - ranges[axis].low)) / ranges[axis].extent)) / 10
  return points.map(([x, y]) => [at(x, 0), at(y, 1)])
}
