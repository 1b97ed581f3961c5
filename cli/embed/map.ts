import type { Picture } from '../../runtime/tensor/index.js'
import { pngOf } from '../pictures/index.js'
import { escapeXml } from '../terminal/index.js'

/** An example on the map. */
export interface Place {
  readonly name: string
  readonly label: string
  readonly point: readonly [number, number]
  readonly picture: Picture
}

/** Sides of the drawing and of its pictures, in pixels. */
const [side, small] = [960, 40]

/** One page that loads nothing: pictures where their features lie, framed in the colour of their class; names on hover. */
export function mapHtml(title: string, places: readonly Place[], shares: readonly [number, number]): string {
  const labels = [...new Set(places.map(({ label }) => label))]
  const colourOf = (label: string) => `hsl(${Math.round((360 * labels.indexOf(label)) / labels.length)} 70% 45%)`
  const ranges = [0, 1].map(axis => {
    const values = places.map(({ point }) => point[axis])
    const [low, high] = [Math.min(...values), Math.max(...values)]
    return { low, extent: high - low || 1 }
  })
  const at = (value: number, axis: number) =>
    (small + ((side - 2 * small) * (value - ranges[axis].low)) / ranges[axis].extent).toFixed(1)
  const pictures = places.map(({ name, label, point: [x, y], picture }) => {
    const png = Buffer.from(pngOf(picture)).toString('base64')
    const title = `<title>${escapeXml(`${label}: ${name}`)}</title>`
    const box = `width="${small}" height="${small}"`
    return `<g transform="translate(${at(x, 0)} ${at(y, 1)})" style="--c:${colourOf(label)}">${title}<image ${box} href="data:image/png;base64,${png}"/><rect ${box}/></g>`
  })
  const legend = labels.map(label => `<li style="--c:${colourOf(label)}">${escapeXml(label)}</li>`).join('')
  const [first, second] = shares.map(share => `${(100 * share).toFixed(1)} %`)
  return `<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>${escapeXml(title)}</title>
<style>:root{color-scheme:light dark}body{font:15px/1.5 system-ui,sans-serif;max-width:62rem;margin:2rem auto;padding:0 1rem}
svg{width:100%;height:auto}rect{fill:none;stroke:var(--c);stroke-width:3}g:hover{outline:3px solid var(--c)}
ul{display:flex;flex-wrap:wrap;gap:.3rem 1.2rem;padding:0;list-style:none}li::before{content:"";display:inline-block;width:.8em;height:.8em;margin-right:.4em;background:var(--c)}</style>
<h1>${escapeXml(title)}</h1>
<p>${places.length} pictures where the two first principal components of their features put them: ${first} of the variance across, ${second} down.</p>
<ul>${legend}</ul>
<svg viewBox="0 0 ${side} ${side}" role="img" aria-label="map of features">${pictures.join('')}</svg>
</html>
`
}
