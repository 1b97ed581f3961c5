import type { CallTime } from 'cairnjs'
import type { CallInfo, LayerInfo } from 'cairnjs/compiler'
import { byId, el } from '../dom.js'
import { count, ms, percent, rough, shape } from '../numbers.js'

/** One kernel call, with the layer that it computes where the compiler has told of it. */
interface Row {
  readonly at: number
  readonly node: string
  readonly kernel: string
  /** Of the layer's first call alone, so that a sum over the rows is right. */
  readonly layer: LayerInfo | undefined
  readonly milliseconds: number | undefined
}

interface Column {
  readonly title: string
  readonly isNumber?: boolean
  text(row: Row, total: number): string
  /** What the cell holds instead, where that is more than text. */
  cell?(row: Row): HTMLElement | undefined
  /** What rows are sorted by. */
  key(row: Row): number | string
}

const none = '–'
const size = (dims: readonly number[]) => dims.reduce((a, b) => a * b, 1)

const columns: readonly Column[] = [
  { title: 'call', isNumber: true, text: ({ at }) => count(at + 1), key: ({ at }) => at },
  { title: 'layer', text: ({ node }) => node, cell: picked, key: ({ node }) => node },
  { title: 'kernel', text: ({ kernel }) => kernel, key: ({ kernel }) => kernel },
  {
    title: 'output',
    text: ({ layer }) => (layer ? shape(layer.output) : none),
    key: ({ layer }) => (layer ? size(layer.output) : -1)
  },
  {
    title: 'multiply-adds',
    isNumber: true,
    text: ({ layer }) => (layer?.macs ? rough(layer.macs) : none),
    key: ({ layer }) => layer?.macs ?? -1
  },
  {
    title: 'time',
    isNumber: true,
    text: ({ milliseconds }) => (milliseconds === undefined ? none : ms(milliseconds)),
    key: ({ milliseconds }) => milliseconds ?? -1
  },
  {
    title: 'share',
    isNumber: true,
    text: ({ milliseconds }, total) => (milliseconds === undefined ? none : percent(milliseconds / total)),
    key: ({ milliseconds }) => milliseconds ?? -1
  },
  { title: 'operator', text: ({ layer }) => layer?.operator ?? none, key: ({ layer }) => layer?.operator ?? '' },
  {
    title: 'input',
    text: ({ layer }) => layer?.inputs.map(shape).join(', ') ?? none,
    key: ({ layer }) => (layer ? layer.inputs.reduce((sum, dims) => sum + size(dims), 0) : -1)
  },
  {
    title: 'weights',
    text: ({ layer }) => (layer?.weights ? shape(layer.weights) : none),
    key: ({ layer }) => (layer?.weights ? size(layer.weights) : -1)
  }
]

let rows: Row[] = []
let pick: (node: string) => void = () => undefined

/** Whoever presses a layer's name asks for it. */
export function onPickedLayer(picked: (node: string) => void): void {
  pick = picked
}

function picked({ node, layer }: Row): HTMLElement | undefined {
  return layer && el('button', { type: 'button', className: 'pick', onclick: () => pick(node) }, node)
}

let sorted: { readonly column: number; readonly falling: boolean } = { column: 0, falling: false }

/** All calls of a run; their times once they have been measured. */
export function showLayerTable(
  calls: readonly CallInfo[],
  layers: readonly LayerInfo[] | undefined,
  times: readonly CallTime[] | undefined
): void {
  const byName = new Map(layers?.map(layer => [layer.node, layer]))
  rows = calls.map(({ node, kernel }, at) => {
    const layer = byName.get(node)
    byName.delete(node)
    return {
      at,
      node,
      kernel,
      layer,
      milliseconds: times?.length === calls.length ? times[at].milliseconds : undefined
    }
  })
  byId('layer-box').hidden = rows.length === 0
  byId('layer-note').textContent = layers
    ? 'Layers as they are behind all passes: activations and normalisations are in the layer before them. Press a layer to see its maps, a heading to sort.'
    : 'A .cairn file keeps no shapes of its layers; its .onnx has them. Press a heading to sort.'
  draw()
}

function draw(): void {
  const { column, falling } = sorted
  const { key } = columns[column]
  const compare = (a: Row, b: Row) => {
    const [x, y] = [key(a), key(b)]
    return typeof x === 'string' ? x.localeCompare(String(y), 'en', { numeric: true }) : x - Number(y)
  }
  const ordered = [...rows].sort((a, b) => (falling ? -1 : 1) * compare(a, b) || a.at - b.at)
  const total = rows.reduce((sum, { milliseconds = 0 }) => sum + milliseconds, 0)
  const align = ({ isNumber }: Column) => (isNumber ? 'number' : '')
  byId('layer-table').replaceChildren(
    el(
      'table',
      {},
      el('caption', { className: 'hidden' }, 'Layers'),
      el('thead', {}, el('tr', {}, ...columns.map(heading))),
      el(
        'tbody',
        {},
        ...ordered.map(row =>
          el(
            'tr',
            {},
            ...columns.map(each => el('td', { className: align(each) }, each.cell?.(row) ?? each.text(row, total)))
          )
        )
      )
    )
  )
}

function heading({ title, isNumber }: Column, column: number): HTMLElement {
  const own = sorted.column === column
  // Of numbers the largest are looked for first.
  const falling = own ? !sorted.falling : isNumber === true && column > 0
  const onclick = () => {
    sorted = { column, falling }
    draw()
    byId('layer-table').querySelectorAll<HTMLElement>('th button')[column].focus()
  }
  const mark = own ? (sorted.falling ? ' ↓' : ' ↑') : ''
  return el(
    'th',
    {
      scope: 'col',
      className: isNumber ? 'number' : '',
      'aria-sort': own ? (sorted.falling ? 'descending' : 'ascending') : 'none'
    },
    el('button', { type: 'button', className: 'sort', onclick }, `${title}${mark}`)
  )
}
