import { byId, el } from '../dom.js'
import type { Engine } from '../engine/engine.js'
import type { Answer, Job, Opened } from '../engine/protocol.js'
import { median, ms } from '../numbers.js'
import { Check } from '../views/check.js'
import { showLayerTable } from '../views/layer-table.js'
import { showLayers } from '../views/layers.js'
import { announce, doing, showFailure } from '../views/status.js'

/** What is timed and compared on demand. */
export interface Measured {
  readonly engine: Engine
  job(): Job | undefined
  /** Calls and layers of the model that is open. */
  layers(): { readonly calls: Opened['model']['calls']; readonly layers: Answer<'layers'> } | undefined
}

const check = new Check()
const chosen = (id: string) => byId<HTMLSelectElement>(id).value

export function startMeasuring(measured: Measured): void {
  onSubmit('time-form', () => timeRuns(measured))
  onSubmit('profile-form', () => measureLayers(measured))
  onSubmit('check-form', () => compareDevices(measured))
  byId('check-stop').onclick = () => check.stop()
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
