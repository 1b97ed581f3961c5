import { type Entry, fetchBytes, fetchLabels, readCatalogue, readStarter } from './catalogue.js'
import { byId, download, el } from './dom.js'
import { draw } from './draw.js'
import { Engine } from './engine.js'
import { type Guess, guess } from './guess.js'
import { startInput, stopCamera } from './input.js'
import { parseLabels } from './labels.js'
import { expect, insist, meaningOf, usedOf } from './meaning.js'
import { median, ms, plural } from './numbers.js'
import type { Finding } from './outputs/output.js'
import { type Photo, photoFrom, pixelsOf, testPicture } from './photo.js'
import { type PicturePort, type Preparation, picturePort } from './prepare.js'
import type { Answer, Given, Job, Loaded, Opened, Progress, Ran } from './protocol.js'
import { type Trained, Training } from './training.js'
import { Check } from './views/check.js'
import { showCode } from './views/code.js'
import { chosenDevice, chosenThreads, noteDevice, startDevices } from './views/device.js'
import { showLayerTable } from './views/layer-table.js'
import { showLayers } from './views/layers.js'
import { showFigures, showName } from './views/model.js'
import { showPreparation, startPreparation } from './views/preparation.js'
import { type OwnLabels, type Shown, sentence, showResult } from './views/result.js'
import { nameOfUrl, pressSample, sampleButton, showEntries, showSamples, showStarter, showZoo } from './views/start.js'
import { announce, doing, showFailure } from './views/status.js'
import { selectFirstTab, startTabs } from './views/tabs.js'
import { followTheme } from './views/theme.js'
import { closeShots } from './views/train.js'

/** The page's one state: a model, a photo, and what the one says of the other. */
interface Source {
  readonly name: string
  readonly entry?: Entry
  /** A photo that the model is opened with. */
  readonly first?: string
  /** What a model that was trained in this page is known to take. */
  readonly trained?: Trained
  /** Bytes, or an architecture of the zoo, whose weights are not trained. */
  read(progress: (progress: Progress) => void): Promise<Given['from']>
}

interface Model {
  readonly source: Source
  readonly opened: Opened
  readonly untrained: boolean
  readonly port: PicturePort | undefined
  readonly guess: Guess
  preparation: Preparation
  readonly labels: readonly (readonly string[])[]
}

const engine = new Engine()
const check = new Check()
const canvas = byId<HTMLCanvasElement>('canvas')
const chosen = (id: string) => byId<HTMLInputElement | HTMLSelectElement>(id).value
/** All that the server offers: also a model that was dropped may fit its labels. */
let offered: { readonly photos: readonly string[]; readonly labels: readonly string[] } = { photos: [], labels: [] }
let model: Model | undefined
let loaded: Loaded | undefined
let photo: Photo | undefined
let last: { ran: Ran; findings: readonly Finding[] } | undefined
/** What the figures that are shown hold for. */
let figures = ''
let layers: Answer<'layers'>
/** Labels that were given by hand come before all others. */
let ownLabels: OwnLabels | undefined

async function open(source: Source): Promise<void> {
  const opening = await doing(source.name, async progress => {
    const from = await source.read(progress)
    const opened = await engine.ask(
      'open',
      { name: source.name, from, weights: chosen('weights') as Given['weights'] },
      progress
    )
    await expect(opened)
    return {
      opened,
      untrained: !(from instanceof Uint8Array),
      labels: [
        ...(opened.classes ? [opened.classes] : []),
        ...(await fetchLabels([...new Set([...(source.entry?.labels ?? []), ...offered.labels])]))
      ]
    }
  })
  model = loaded = last = undefined
  if (!opening) {
    training.begin()
    return show('start')
  }
  const guessed = source.trained
    ? { preparation: source.trained.preparation, why: 'as it was trained' }
    : guess([source.name, opening.opened.model.name], opening.opened.model, source.entry?.preprocess)
  const port = picturePort(opening.opened.model.inputs)
  figures = ''
  model = { source, ...opening, port, guess: guessed, preparation: guessed.preparation }
  const samples = source.entry?.photos.length ? source.entry.photos : offered.photos
  showSamples(samples, (url, button) => void takeSample(url, button))
  showModel(model)
  training.begin()
  await load()
  // A photo that was asked for and is not read yet comes before a sample.
  const first = source.first ?? (photo || wanted ? undefined : samples[0])
  if (first && port) await takeSample(first, sampleButton(first))
}

function showModel({ opened, untrained, port }: Model): void {
  show('work')
  showName(opened.name, untrained)
  showFigures(opened, opened.model, 1)
  byId('input-details').hidden = port === undefined
  byId('no-photo-title').textContent = port ? 'Drop a photo' : 'This model takes no picture'
  byId('no-photo-text').textContent = port ? 'or paste one from the clipboard' : 'it runs on numbers that are made up'
  void showLayers(undefined)
  showLayerTable([], undefined, undefined)
  update()
}

function show(view: 'start' | 'work'): void {
  const before = document.body.dataset.view
  document.body.dataset.view = view
  // What had the focus is gone with the view.
  if (view !== before) byId(view === 'work' ? 'model-name' : 'start-title').focus({ preventScroll: view === 'start' })
  if (view === 'work') return
  document.title = 'Cairn'
  stopCamera()
  closeShots()
}

/** Loads the model on the chosen device. */
async function load(): Promise<void> {
  noteDevice(undefined)
  loaded = await doing('Loading', () => engine.ask('load', { device: chosenDevice(), threads: chosenThreads() }))
  noteDevice(loaded?.choice && `Auto took ${loaded.choice}.`)
  await run()
}

let running = false
let again = false

/** Runs the model on the photo; what is asked for meanwhile is done behind it, once. */
async function run(quiet = false): Promise<void> {
  if (running) {
    again = true
    return
  }
  running = true
  try {
    do {
      again = false
      await runOnce(quiet)
      await training.try()
    } while (again)
  } catch (error) {
    showFailure(error)
  } finally {
    running = false
  }
}

async function runOnce(quiet: boolean): Promise<void> {
  const [now, of] = [model, photo]
  const job = currentJob()
  if (!now || !loaded || !job) return update()
  const ask = () => engine.ask('run', job)
  const ran = await (quiet ? ask() : doing('Running', ask))
  // Of another model or photo than are there by now: another run comes behind this one.
  if (model !== now || photo !== of) return
  last = ran && { ran, findings: meaningOf(ran, now, ownLabels?.names) }
  update()
  const shown = currentResult()
  if (shown && !quiet) announce(sentence(shown))
  await refreshFigures(now)
}

/** What depends on the input's shape and on the threads, once these are others. */
async function refreshFigures({ opened }: Model): Promise<void> {
  const threads = loaded?.threads ?? 1
  const { height, width } = last?.ran.shown ?? {}
  const now = [opened.name, height, width, threads].join()
  if (!last || now === figures) return
  figures = now
  const inspection = await engine.ask('inspect', { threads })
  layers = await engine.ask('layers', undefined)
  if (model?.opened !== opened) return
  showFigures(opened, inspection, threads)
  showLayerTable(opened.model.calls, layers, undefined)
}

/** Models that take no picture get one all the same, and take no notice of it. */
function currentJob(): Job | undefined {
  const given = photo ?? (model && !model.port ? testPicture() : undefined)
  return model && given && { picture: pixelsOf(given), preparation: model.preparation }
}

function currentResult(): Shown | undefined {
  if (!model || !loaded || !last) return undefined
  const { untrained } = model
  return { ...last, loaded, own: ownLabels, least: Number(chosen('least')), untrained }
}

/** The same outputs, of which something else is known by now. */
function interpretAgain(): void {
  if (model && last) last = { ran: last.ran, findings: meaningOf(last.ran, model, ownLabels?.names) }
  update()
}

/** Shows what is, all of it. */
function update(): void {
  const shown = currentResult()
  showResult(shown)
  showCode(model && last && usedOf(model, last.ran, last.findings))
  if (model?.port) showPreparation(model.preparation, model.guess, model.port)
  byId('least-value').textContent = `${Math.round(Number(chosen('least')) * 100)} %`
  const isDrawn = photo !== undefined && (model?.port !== undefined || !model)
  canvas.hidden = !isDrawn || !byId('video').hidden
  byId('no-photo').hidden = isDrawn || !byId('video').hidden
  if (photo && isDrawn)
    draw(canvas, {
      photo,
      findings: shown?.findings ?? [],
      region: shown?.ran.shown?.region,
      least: Number(chosen('least')),
      blend: Number(chosen('blend'))
    })
  canvas.setAttribute(
    'aria-label',
    shown && photo ? `${photo.name}: ${sentence(shown)}` : (photo?.name ?? 'No picture')
  )
}

/** Counts the photos that have been asked for. */
let wanted = 0

async function take(next: Photo, sample?: HTMLElement): Promise<void> {
  wanted++
  photo = next
  last = undefined
  pressSample(sample)
  if (!model) byId('model-drop-title').textContent = `Drop a model for ${next.name}`
  await run()
}

/** Takes what `read` gives, unless another photo has been asked for meanwhile. */
async function takeFrom(read: (progress: (progress: Progress) => void) => Promise<Photo>, sample?: HTMLElement) {
  stopCamera()
  const turn = ++wanted
  const next = await doing('Photo', read)
  if (next && turn === wanted) await take(next, sample)
}

function takeSample(url: string, button?: HTMLElement): Promise<void> {
  return takeFrom(async progress => {
    const content = await fetchBytes(url, (done, total) => progress({ done, total, what: nameOfUrl(url) }))
    return photoFrom(new Blob([content]), nameOfUrl(url))
  }, button)
}

async function receive(files: readonly File[]): Promise<void> {
  const order = ['model', 'labels', 'photo']
  const sorted = files
    .map(file => ({ file, kind: kindOf(file) }))
    .sort((a, b) => order.indexOf(a.kind) - order.indexOf(b.kind))
  for (const { file, kind } of sorted) {
    if (kind === 'model')
      await open({
        name: file.name.replace(/\.(onnx|cairn)$/i, ''),
        read: async () => new Uint8Array(await file.arrayBuffer())
      })
    else if (kind === 'labels') {
      ownLabels = { file: file.name, names: parseLabels(await file.text()) }
      byId('labels-note').textContent = `${file.name}: ${plural(ownLabels.names.length, 'label')}`
      interpretAgain()
    } else await takeFrom(() => photoFrom(file, file.name))
  }
}

function kindOf({ name, type }: File): 'model' | 'labels' | 'photo' {
  if (/\.(onnx|cairn)$/i.test(name)) return 'model'
  return /\.txt$/i.test(name) || type === 'text/plain' ? 'labels' : 'photo'
}

function onSubmit(id: string, act: () => Promise<unknown>): void {
  byId<HTMLFormElement>(id).onsubmit = event => {
    event.preventDefault()
    void act()
  }
}

async function timeRuns(): Promise<void> {
  const times = await doing('Timing', progress => engine.ask('time', { runs: Number(chosen('time-runs')) }, progress))
  if (!times) return
  const text = `${ms(median(times))} (${ms(Math.min(...times))} to ${ms(Math.max(...times))})`
  byId('timing-facts').append(el('div', {}, el('dt', {}, `median of ${times.length}`), el('dd', {}, text)))
  announce(`median of ${times.length} runs: ${ms(median(times))}`)
}

async function measureLayers(): Promise<void> {
  const calls = await doing('Measuring', progress =>
    engine.ask('profile', { runs: Number(chosen('profile-runs')) }, progress)
  )
  if (!calls || !model) return
  showLayerTable(model.opened.model.calls, layers, calls)
  await showLayers(calls)
}

async function compareDevices(): Promise<void> {
  const job = currentJob()
  if (!job) return showFailure(new Error('there is nothing to compare yet: the model waits for a photo'))
  await doing('Comparing', async progress =>
    check.run(await engine.ask('file', undefined), chosen('against'), job, progress)
  )
}

const training = new Training({
  pupil: () => model,
  photo: () => photo,
  threads: chosenThreads,
  async use(trained) {
    ownLabels = undefined
    byId('labels-note').textContent = ''
    selectFirstTab()
    await open({ name: trained.name, trained, read: async () => trained.content })
  }
})

followTheme()
startTabs(panel => {
  training.turn(panel === 'train')
  if (panel !== 'train') closeShots()
})
startInput({
  files: files => void receive(files),
  photo: taken => void take(taken),
  frame: async frame => {
    photo = frame
    pressSample(undefined)
    await run(true)
  }
})
startPreparation(
  preparation => {
    if (model) model.preparation = preparation
    void run()
  },
  () => {
    if (model) model.preparation = model.guess.preparation
    void run()
  }
)
byId('test-picture').onclick = () => {
  stopCamera()
  void take(testPicture())
}
document.addEventListener('as-classes', event => {
  insist((event as CustomEvent<string>).detail)
  interpretAgain()
})
byId('other').onclick = () => show('start')
byId('save').onclick = () =>
  void doing('Saving', async () =>
    download(`${model!.opened.name}.cairn`, new Blob([await engine.ask('file', undefined)]))
  )
byId('save-picture').onclick = () =>
  canvas.toBlob(blob => blob && download(`${photo!.name.replace(/\.\w+$/, '')}-${model!.opened.name}.png`, blob))
byId('weights').onchange = () => model && void open(model.source)
for (const id of ['least', 'blend']) byId(id).oninput = update
byId('check-stop').onclick = () => check.stop()
onSubmit('time-form', timeRuns)
onSubmit('profile-form', measureLayers)
onSubmit('check-form', compareDevices)

const reader =
  (url: string): Source['read'] =>
  progress =>
    fetchBytes(url, (done, total) => progress({ done, total, what: 'downloading' }))

await doing('Starting', async () => {
  const [entries, starter, networks, available] = await Promise.all([
    readCatalogue(),
    readStarter(),
    engine.ask('zoo', undefined),
    engine.ask('devices', undefined)
  ])
  startDevices(available, () => void load())
  const all = (kind: 'photos' | 'labels') => [...new Set(entries.flatMap(entry => entry[kind]))]
  offered = { photos: all('photos'), labels: all('labels') }
  showStarter(starter, (entry, first) => void open({ name: entry.name, entry, first, read: reader(entry.url) }))
  showEntries(
    entries,
    entry =>
      void open({
        name: entry.name,
        entry,
        read: reader(entry.url)
      })
  )
  showZoo(networks, ({ key, title }) => void open({ name: title, read: async () => ({ zoo: key }) }))
})
document.body.dataset.ready = ''
