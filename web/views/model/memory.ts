import type { Inspection } from 'cairnjs/compiler'
import { byId, el, facts, svg, table } from '../../dom.js'
import { bytes, count } from '../../numbers.js'

type Plan = Inspection['memory']

const [width, height, left, bottom] = [1000, 520, 96, 34]

/** The memory plan as a picture: calls from left to right, addresses upwards, a rectangle for each storage. */
export function showMemory({ memory }: Inspection, threads: number): void {
  const line = el(
    'p',
    { className: 'muted', 'aria-live': 'polite' },
    'Point at a rectangle, or walk through them with the arrow keys.'
  )
  const drawn = picture(memory, text => {
    line.textContent = text
  })
  // It is drawn anew where another number of threads is found to be faster: who walks through it goes on.
  const hadFocus = document.activeElement?.matches('#plan svg')
  byId('plan').replaceChildren(
    facts([
      ['working memory (arena)', bytes(memory.arena)],
      ['least possible', bytes(memory.lowerBound)],
      ['buffers in it (storages)', count(memory.storages.length)],
      ['threads', String(threads)]
    ]),
    drawn,
    line,
    el(
      'p',
      { className: 'muted' },
      'A rectangle is a layer’s result, as wide as it is needed and as high as it is large. Calls go from left to right, addresses from bottom to top; dashed is the bound that no plan can go below.'
    ),
    el('details', {}, el('summary', {}, 'The same as a table'), el('div', { className: 'scroll' }, tableOf(memory)))
  )
  if (hadFocus) drawn.focus({ preventScroll: true })
}

const steps: Readonly<Record<string, number>> = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }

function picture({ arena, lowerBound, calls, storages }: Plan, say: (text: string) => void): SVGSVGElement {
  const x = (call: number) => left + ((call + 1) / (calls + 2)) * (width - left)
  const y = (address: number) => (height - bottom) * (1 - address / Math.max(arena, 1)) + 4
  const rectangles = storages.map(({ bytes: size, offset, first, last }, i) =>
    svg('rect', {
      ...{ class: 'storage', x: x(first), y: y(offset + size), width: x(last + 1) - x(first) },
      ...{
        height: Math.max(y(offset) - y(offset + size), 1),
        fill: `hsl(${Math.round((150 + i * 137.508) % 360)} 42% 58%)`
      }
    })
  )
  const marks = [0, 0.5, 1].map(part =>
    svg(
      'text',
      { x: left - 8, y: Math.max(y(arena * part) + 4, 14), 'text-anchor': 'end' },
      bytes(Math.round(arena * part))
    )
  )
  const drawn = svg(
    'svg',
    {
      class: 'plan',
      viewBox: `0 0 ${width} ${height}`,
      role: 'img',
      tabindex: 0,
      'aria-label': 'Memory plan; the table below has the same figures'
    },
    ...rectangles,
    svg('line', { x1: left, x2: width, y1: y(lowerBound), y2: y(lowerBound) }),
    ...marks,
    svg('text', { x: left, y: height - 8 }, 'first call'),
    svg('text', { x: width - 4, y: height - 8, 'text-anchor': 'end' }, `call ${count(calls)}`)
  )
  let at = -1
  const choose = (wanted: number) => {
    rectangles[at]?.removeAttribute('data-on')
    at = (wanted + storages.length) % storages.length
    rectangles[at].setAttribute('data-on', '')
    say(describe(storages[at], calls))
  }
  rectangles.forEach((rectangle, i) => rectangle.addEventListener('pointerenter', () => choose(i)))
  drawn.addEventListener('keydown', event => {
    const step = steps[event.key]
    if (step === undefined || !storages.length) return
    event.preventDefault()
    choose(at < 0 ? 0 : at + step)
  })
  return drawn
}

type Storage = Plan['storages'][number]

const when = (call: number, calls: number) =>
  call < 0 ? 'the start' : call >= calls ? 'the end' : `call ${count(call + 1)}`

function describe({ name, bytes: size, offset, first, last }: Storage, calls: number): string {
  return `${name}: ${bytes(size)} at ${count(offset)}, from ${when(first, calls)} to ${when(last, calls)}`
}

function tableOf({ storages, calls }: Plan): HTMLTableElement {
  const rows = storages.map(({ name, bytes: size, offset, first, last }) => [
    name,
    when(first, calls),
    when(last, calls),
    count(size),
    count(offset)
  ])
  return table('Memory plan', ['buffer', 'from', 'to', 'bytes', 'address'], rows, 3)
}
