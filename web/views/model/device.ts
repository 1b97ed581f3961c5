import { byId, option } from '../../dom.js'
import { labelOf, reference } from '../../engine/devices.js'
import type { Availability, Probed } from '../../engine/protocol.js'
import { remember, remembered } from '../../kept/settings.js'
import { ms, plural } from '../../numbers.js'

/** Device and threads: what can be chosen here, and what is chosen. */
const list = (id: string) => byId<HTMLSelectElement>(id)

const cores = crossOriginIsolated ? Math.min(navigator.hardwareConcurrency, 16) : 1
const counts = [1, 2, 3, 4, 6, 8, 12, 16].filter(count => count <= cores)

export function startDevices(available: readonly Availability[], changed: () => void): void {
  const usable = available.filter(({ missing }) => missing === undefined)
  list('device').replaceChildren(option('auto', 'Auto'), ...usable.map(({ name }) => option(name, labelOf(name))))
  const others = usable.filter(({ name }) => name !== 'wasm')
  list('against').replaceChildren(...[...others, reference].map(({ name }) => option(name, labelOf(name))))
  const missing = available.flatMap(({ name, missing }) =>
    missing === undefined ? [] : [`No ${labelOf(name)}: ${missing}.`]
  )
  list('device').title = missing.join(' ')
  list('threads').replaceChildren(
    ...(counts.length > 1 ? [option(automatic, 'Fastest')] : []),
    ...counts.map(count => option(String(count), String(count)))
  )
  list('threads').title = `This machine's browser offers ${plural(counts.length ? cores : 1, 'thread')}.`
  byId('isolation').textContent = [...missing, crossOriginIsolated ? '' : notIsolated].filter(Boolean).join(' ')
  for (const id of ['device', 'threads']) list(id).onchange = changed
}

const automatic = 'auto'

const notIsolated = 'The server does not isolate this page from others, so models run on one thread.'

/** With `auto` the session takes the faster one. */
export const chosenDevice = () => list('device').value

/** Goes back to what was loaded before. */
export function revertDevice(device: string, threads: string): void {
  list('device').value = device
  list('threads').value = threads
}

export const chosenThreadsOption = () => list('threads').value

/** How many threads a model of that name and size runs on: as said, as measured here before, or half of what there are. */
export function chosenThreads(model?: { readonly name: string; readonly bytes: number }): number {
  const { value } = list('threads')
  if (value !== automatic) return Number(value) || 1
  return (model && measured()[nameOf(model)]) ?? Math.min(4, Math.ceil(cores / 2))
}

/** What to try, where the fastest number is wanted and not known yet. */
export function threadsToTry(model: { readonly name: string; readonly bytes: number }): readonly number[] {
  return list('threads').value === automatic && !(nameOf(model) in measured()) ? counts : []
}

export function rememberThreads(model: { readonly name: string; readonly bytes: number }, { threads }: Probed): void {
  const latest = Object.entries(measured()).slice(-49)
  remember(setting, JSON.stringify({ ...Object.fromEntries(latest), [nameOf(model)]: threads }))
}

/** What the number of threads was chosen by. */
export function threadsLine({ threads, times }: Probed): string {
  const others = times.filter(([count]) => count !== threads).map(([count, time]) => `${ms(time)} on ${count}`)
  const own = times.find(([count]) => count === threads)!
  return `Fastest here: ${plural(threads, 'thread')}, ${ms(own[1])} a run${others.length ? ` (${others.join(', ')})` : ''}.`
}

const setting = 'cairn-threads'

/** Threads that were the fastest, by model; a machine with other cores asks anew. */
function measured(): Record<string, number> {
  try {
    return JSON.parse(remembered(setting) ?? '{}')
  } catch {
    return {}
  }
}

const nameOf = ({ name, bytes }: { readonly name: string; readonly bytes: number }) => `${cores} ${bytes} ${name}`

/** Why `auto` has taken the device and the threads that it has; the line keeps its place without any. */
export function noteDevice(...texts: readonly (string | undefined)[]): void {
  byId('device-note').textContent = texts.filter(Boolean).join(' ')
  byId('device-note').title = byId('device-note').textContent
}
