import type { MemoryPlan } from '../../compiler/lower/index.js'
import { escapeXml, size } from '../terminal/index.js'

/** The memory plan as a picture: calls from left to right, addresses from bottom to top, one rectangle a storage. */
export function planSvg({ arena, lowerBound, calls, storages }: MemoryPlan, title: string): string {
  const [width, height, left, bottom, top] = [1200, 600, 70, 40, 34]
  const x = (call: number) => left + ((call + 1) / (calls + 2)) * (width - left - 10)
  const y = (address: number) => height - bottom - (address / Math.max(arena, 1)) * (height - bottom - top)
  const rectangles = storages.map(({ name, bytes, offset, first, last }, i) => {
    const [x0, x1] = [x(first), x(last + 1)]
    const [y0, y1] = [y(offset + bytes), y(offset)]
    const hue = Math.round((i * 137.508) % 360)
    const label = `${name}: ${size(bytes)} at ${offset}, calls ${first} to ${last}`
    return `<rect x="${x0.toFixed(1)}" y="${y0.toFixed(1)}" width="${(x1 - x0).toFixed(1)}" height="${(y1 - y0).toFixed(1)}" fill="hsl(${hue} 55% 62%)" stroke="#fff" stroke-width=".5"><title>${escapeXml(label)}</title></rect>`
  })
  const ticks = [0, 0.25, 0.5, 0.75, 1].map(part => {
    const at = y(part * arena)
    return `<text x="${left - 6}" y="${(at + 4).toFixed(1)}" text-anchor="end">${size(Math.round(part * arena))}</text>`
  })
  const bound = y(lowerBound).toFixed(1)
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="11">
<rect width="${width}" height="${height}" fill="#fff"/>
<text x="${left}" y="18" font-size="14">${escapeXml(title)}</text>
${rectangles.join('\n')}
<line x1="${left}" x2="${width - 10}" y1="${bound}" y2="${bound}" stroke="#c00" stroke-dasharray="4 3"><title>lower bound</title></line>
${ticks.join('\n')}
<text x="${(width + left) / 2}" y="${height - 12}" text-anchor="middle">calls, first to last (dashed: lower bound)</text>
</svg>
`
}
