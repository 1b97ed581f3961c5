import { byId, el } from '../dom.js'
import type { Engine } from '../engine/engine.js'
import type { Answer, Job, Opened } from '../engine/protocol.js'
import { median, ms, plural } from '../numbers.js'
import type { Photo } from '../photo/photo.js'
import { Check } from '../views/check.js'
import { onPickedLayer, showLayerTable } from '../views/layer-table.js'
import { showLayers } from '../views/layers.js'
import { announce, doing, showFailure } from '../views/status.js'

/** What is timed and compared on demand. */
export interface Measured {
  readonly engine: Engine
  photo(): Photo | undefined
  job(): Job | undefined
  /** Calls and layers of the model that is open. */
  layers(): { readonly calls: Opened['model']['calls']; readonly layers: Answer<'layers'> } | undefined
}

/** Pixels across below which the maps of a sheet are enlarged as squares. */
const smallSheet = 320

const check = new Check()
const chosen = (id: string) => byId<HTMLSelectElement>(id).value

export function startMeasuring(measured: Measured): void {
  onSubmit('time-form', () => timeRuns(measured))
  onSubmit('profile-form', () => measureLayers(measured))
  onSubmit('check-form', () => compareDevices(measured))
  byId('check-stop').onclick = () => check.stop()
  onPickedLayer(node => void showMaps(measured, node))
}

/** The layer's maps of the photo, above the table. */
async function showMaps({ engine, job: current, photo }: Measured, node: string): Promise<void> {
  const [job, of] = [current(), photo()]
  const found = job && (await doing(node, () => engine.ask('layerPicture', { ...job, node })))
  // Of another photo than is there by now: they stay hidden, as its run has left them.
  if (photo() !== of) return
  const figure = byId('layer-maps')
  figure.hidden = found === undefined
  if (!found) return
  const { name, units, height, width, shown, sheet, milliseconds } = found
  const maps =
    height * width === 1 ? plural(units, 'unit') : `${shown} of ${plural(units, 'map')}, ${height}×${width} each`
  const text = `${name}: ${maps}; ${ms(milliseconds)}.`
  byId('layer-maps-note').textContent = text
  const canvas = byId<HTMLCanvasElement>('layer-maps-canvas')
  canvas.width = sheet.width
  canvas.height = sheet.height
  canvas.classList.toggle('small', sheet.width < smallSheet)
  canvas.setAttribute('aria-label', `What ${name} makes of the photo: ${maps}`)
  canvas
    .getContext('2d')!
    .putImageData(new ImageData(new Uint8ClampedArray(sheet.data), sheet.width, sheet.height), 0, 0)
  figure.scrollIntoView({ block: 'nearest' })
  announce(text)
}

function onSubmit(id: string, act: () => Promise<unknown>): void {
  byId<HTMLFormElement>(id).onsubmit = event => {
    event.preventDefault()
    void act()
  }
}

async function timeRuns({ engine }: Measured): Promise<void> {
  const times = await doing('Timing', progress => engine.ask('time', { runs: Number(chosen('time-runs')) }, progress))
  if (!times) return
  const text = `${ms(median(times))} (${ms(Math.min(...times))} to ${ms(Math.max(...times))})`
  byId('timing-facts').append(el('div', {}, el('dt', {}, `median of ${times.length}`), el('dd', {}, text)))
  announce(`median of ${times.length} runs: ${ms(median(times))}`)
}

async function measureLayers({ engine, layers }: Measured): Promise<void> {
  const calls = await doing('Measuring', progress =>
    engine.ask('profile', { runs: Number(chosen('profile-runs')) }, progress)
  )
  const of = layers()
  if (!calls || !of) return
  showLayerTable(of.calls, of.layers, calls)
  await showLayers(calls)
}

async function compareDevices({ engine, job: current }: Measured): Promise<void> {
  const job = current()
  if (!job) return showFailure(new Error('there is nothing to compare yet: the model waits for a photo'))
  await doing('Comparing', async progress =>
    check.run(await engine.ask('file', undefined), chosen('against'), job, progress)
  )
}
