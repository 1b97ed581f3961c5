import { labelOf, reference } from '../devices.js'
import { byId, option } from '../dom.js'
import type { Availability } from '../protocol.js'

/** Device and threads: what can be chosen here, and what is chosen. */
const list = (id: string) => byId<HTMLSelectElement>(id)

export function startDevices(available: readonly Availability[], changed: () => void): void {
  const usable = available.filter(({ missing }) => missing === undefined)
  list('device').replaceChildren(option('auto', 'Auto'), ...usable.map(({ name }) => option(name, labelOf(name))))
  const others = usable.filter(({ name }) => name !== 'wasm')
  list('against').replaceChildren(...[...others, reference].map(({ name }) => option(name, labelOf(name))))
  const missing = available.flatMap(({ name, missing }) =>
    missing === undefined ? [] : [`No ${labelOf(name)}: ${missing}.`]
  )
  list('device').title = missing.join(' ')

  const cores = crossOriginIsolated ? Math.min(navigator.hardwareConcurrency, 16) : 1
  list('threads').replaceChildren(
    ...[1, 2, 3, 4, 6, 8, 12, 16].filter(count => count <= cores).map(count => option(String(count), String(count)))
  )
  list('threads').value = String(Math.min(4, Math.ceil(cores / 2)))
  byId('isolation').textContent = [...missing, crossOriginIsolated ? '' : notIsolated].filter(Boolean).join(' ')
  for (const id of ['device', 'threads']) list(id).onchange = changed
}

const notIsolated = 'The server does not isolate this page from others, so models run on one thread.'

/** With `auto` the session takes the faster one. */
export const chosenDevice = () => list('device').value

export const chosenThreads = () => Number(list('threads').value)

/** Why `auto` has taken the device that it has. */
export function noteDevice(text: string | undefined): void {
  byId('device-note').hidden = text === undefined
  byId('device-note').textContent = text ?? ''
}
