import type { Inspection } from 'cairnjs/compiler'
import { byId, el, facts, table } from '../../dom.js'
import type { Opened } from '../../engine/protocol.js'
import { bytes, count, ms, rough, shape } from '../../numbers.js'

/** Figures are those of `model`, whose free dimensions are bound as in the last run. */
export function showCompilation(opened: Opened, model: Inspection): void {
  const { passes, given } = opened
  const { arena, lowerBound } = model.memory
  const ports = (list: typeof model.inputs) => list.map(({ name, shape: dims }) => `${name} ${shape(dims)}`).join(', ')
  const overview = facts([
    ['layers and other nodes', `${count(model.nodesBefore)} → ${count(model.nodesAfter)}`],
    ['parameters', count(model.parameters)],
    ['multiply-adds', rough(model.macs)],
    ['file', passes ? `${bytes(given)} → ${bytes(opened.bytes)}` : bytes(opened.bytes)],
    ['normalisations folded', count(model.batchNormsFolded)],
    ['working memory (arena)', bytes(arena)],
    ['times the least possible', (lowerBound ? arena / lowerBound : 1).toFixed(3)],
    ['steps of a run (kernel calls)', count(model.calls.length)],
    ...(passes ? [['compiled in', ms(opened.milliseconds)] as const] : []),
    ['inputs', ports(model.inputs)],
    ['outputs', ports(model.outputs)]
  ])
  byId('compiled').replaceChildren(
    overview,
    passes
      ? passTable(passes)
      : el('p', { className: 'muted' }, 'The file had been compiled before; its passes are not in it.')
  )
  byId('weights-field').hidden = passes === undefined
}

function passTable(passes: NonNullable<Opened['passes']>): HTMLElement {
  const rows = passes.map(({ name, did, before, after }) => {
    const cells = [name, did ?? '–', before === after ? count(after) : `${count(before)} → ${count(after)}`]
    return did === undefined ? cells.map(text => el('span', { className: 'muted' }, text)) : cells
  })
  return el('div', { className: 'scroll' }, el('h3', {}, 'Passes'), table('Passes', ['pass', 'did', 'nodes'], rows, 2))
}
