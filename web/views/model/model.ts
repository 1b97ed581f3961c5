import type { Inspection } from 'cairnjs/compiler'
import { byId, el } from '../../dom.js'
import type { Opened } from '../../engine/protocol.js'
import { bytes, rough } from '../../numbers.js'
import { showCompilation } from './compilation.js'
import { showMemory } from './memory.js'

/** The model's head line, and everything that says what the compiler has made of it. */
export function showName(name: string, untrained: boolean): void {
  const badge = untrained ? [' ', el('span', { className: 'badge' }, 'untrained')] : []
  byId('model-name').replaceChildren(name, ...badge)
}

/** The page's title names the model that is in sight. */
export function showTitle(name: string | undefined): void {
  document.title = name === undefined ? 'Cairn' : `${name} · Cairn`
}

/** For the free dimensions that `model` has been looked at with. */
export function showFigures(opened: Opened, model: Inspection, threads: number): void {
  byId('model-facts').textContent = [
    `${rough(model.parameters)} parameters`,
    `${rough(model.macs)} multiply-adds`,
    `file ${bytes(opened.bytes)}`,
    `working memory ${bytes(model.memory.arena)}`
  ].join(' · ')
  showCompilation(opened, model)
  showMemory(model, threads)
}
