import { startMeasuring } from './actions/measuring.js'
import { type Model, ready } from './actions/opening.js'
import { Placing } from './actions/placing.js'
import { startQuantising } from './actions/quantising.js'
import { Why } from './actions/why.js'
import { byId, download } from './dom.js'
import { Engine } from './engine/engine.js'
import type { Answer, Given, Job, Progress, Ran } from './engine/protocol.js'
import { workOffline } from './kept/offline.js'
import { Visits } from './kept/visits.js'
import { type Entry, fetchBytes, readCatalogue, readStarter } from './model/catalogue.js'
import { parseLabels } from './model/labels.js'
import { meaningOf, usedOf } from './model/meaning.js'
import { fromEntry, fromFile, fromZoo, type Source, withHead } from './model/source.js'
import { plural } from './numbers.js'
import type { Finding } from './outputs/output.js'
import { startInput, stopCamera } from './photo/input.js'
import { type Photo, photoFrom, pixelsOf, testPicture } from './photo/photo.js'
import type { Preparation } from './photo/prepare.js'
import { receive } from './photo/receive.js'
import { Training } from './training.js'
import { oneAtATime, working } from './turns.js'
import type { OwnLabels, Shown } from './views/findings.js'
import { showLayerTable } from './views/layer-table.js'
import { showLayers } from './views/layers.js'
import { showCode } from './views/model/code.js'
import { chosenThreads, startDevices } from './views/model/device.js'
import { showFigures, showName, showTitle } from './views/model/model.js'
import { showPreparation, startPreparation } from './views/preparation.js'
import { sentence, showResult } from './views/result.js'
import { showStage } from './views/stage.js'
import { nameOfUrl, pressSample, showEntries, showSamples, showStarter, showZoo } from './views/start.js'
import { announce, doing, showFailure } from './views/status.js'
import { selectFirstTab, startTabs } from './views/tabs.js'
import { followTheme } from './views/theme.js'
import { closeShots, keptClasses, restoreClasses } from './views/train/train.js'

/** The page's one state: a model, a photo, and what the one says of the other. */
const engine = new Engine()
const placing = new Placing(engine, () => model)
const canvas = byId<HTMLCanvasElement>('canvas')
const chosen = (id: string) => byId<HTMLInputElement | HTMLSelectElement>(id).value
/** All that the server offers: also a model that was dropped may fit its labels. */
let offered: { readonly photos: readonly string[]; readonly labels: readonly string[] } = { photos: [], labels: [] }
let model: Model | undefined
let photo: Photo | undefined
let last: { ran: Ran; findings: readonly Finding[] } | undefined
/** What the figures that are shown hold for. */
let figures = ''
let layers: Answer<'layers'>
/** Labels that were given by hand come before all others. */
let ownLabels: OwnLabels | undefined

/** What is being opened; whatever is asked for later takes its place. */
let opening: AbortController | undefined

/**
 * The model that was asked for last is the one that is open in the end; one that cannot be opened changes nothing. It
 * begins with the photo at `first`, or with one of its samples where there is no photo yet.
 */
async function open(source: Source, first?: string): Promise<boolean> {
  opening?.abort()
  opening = new AbortController()
  const { signal } = opening
  const next = await doing(source.name, progress =>
    ready(source, means(source), progress, signal).catch(error => {
      if (!signal.aborted) throw error
    })
  )
  if (!next) return false
  model = next.model
  placing.is(next.loaded)
  last = layers = undefined
  if (source.patch) takeLabels(undefined)
  figures = ''
  visits.opened(model.source, !signal.aborted)
  visits.keepModel(model)
  if (!signal.aborted) show('work')
  showModel(model)
  training.begin()
  // A photo that was asked for and is not read yet comes before a sample.
  const begin = first ?? (photo || wanted ? undefined : samplesOf(model)[0])
  if (begin && model.port) await takeSample(begin)
  else await run()
  return !signal.aborted
}

/** What was made here of the model that is open. */
function openMade(name: string, content: Blob, trained: Source['trained']): Promise<boolean> {
  selectFirstTab()
  return open(fromFile(name, content, { trained }))
}

/** The model, or the one in sight, with a head that was trained for it. */
async function openPatched(patch: File, source: Source | undefined): Promise<boolean> {
  const shown = document.body.dataset.view === 'work' ? model : undefined
  const base = source ?? shown?.source
  if (!base) return needsModel(patch)
  const known = shown && { preparation: shown.preparation, why: 'as with the head before' }
  return open(withHead(base, patch, source ? undefined : known))
}

async function needsModel(patch: File): Promise<boolean> {
  await doing(patch.name, async () => {
    const classes = await engine.ask('classesIn', { patch: new Uint8Array(await patch.arrayBuffer()) })
    const what = `a trained head that tells ${classes.join(', ')} apart`
    throw new Error(`${patch.name}: this is ${what}; drop the .onnx model that it was trained on, too`)
  })
  return false
}

const means = ({ key }: Source) => ({
  ...{ engine, offered: offered.labels, kept: keeper.model(key)?.preparation },
  weights: chosen('weights') as Given['weights']
})

const samplesOf = ({ source: { entry } }: Model) => (entry?.photos.length ? entry.photos : offered.photos)

function takeLabels(labels: OwnLabels | undefined): void {
  showLabels(labels)
  keeper.keep({ labels })
}

function showLabels(labels: OwnLabels | undefined): void {
  ownLabels = labels
  byId('labels-note').textContent = labels ? `${labels.file}: ${plural(labels.names.length, 'label')}` : ''
}

function showModel(now: Model): void {
  const { opened, untrained, port } = now
  showSamples(samplesOf(now), url => void takeSample(url))
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
  showTitle(view === 'work' ? model?.opened.name : undefined)
  // What had the focus is gone with the view.
  if (view !== before) byId(view === 'work' ? 'model-name' : 'start-title').focus({ preventScroll: view === 'start' })
  if (view === 'work') return
  opening?.abort()
  stopCamera()
  closeShots()
}

async function changeDevice(): Promise<void> {
  if (await placing.change()) await run()
}

/** Runs the model on the photo. */
const run = oneAtATime(
  async quiet => {
    await runOnce(quiet)
    await training.try()
    await why.try(quiet)
  },
  quiet => {
    if (!quiet && last) void working(placing.probe().then(refreshFigures)).catch(showFailure)
  },
  showFailure
)

async function runOnce(quiet: boolean): Promise<void> {
  const [now, of] = [model, photo]
  const job = currentJob()
  // Maps that are shown are of what was there before.
  if (quiet || !last) byId('layer-maps').hidden = true
  if (!now || !job) return update()
  const ask = () => engine.ask('run', job)
  const ran = await (quiet ? ask() : doing('Running', ask))
  // Of another model or photo than are there by now: another run comes behind this one.
  if (model !== now || photo !== of) return
  last = ran && { ran, findings: meaningOf(ran, now, ownLabels?.names) }
  update()
  const shown = currentResult()
  if (shown && !quiet) announce(sentence(shown))
  await refreshFigures()
}

/** What depends on the input's shape and on the threads, once these are others. */
async function refreshFigures(): Promise<void> {
  if (!model) return
  const { opened } = model
  const { threads } = placing
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
  return model && last && { ...last, own: ownLabels, least: Number(chosen('least')), untrained: model.untrained }
}

/** The same outputs, of which something else is known by now. */
function interpretAgain(): void {
  if (model && last) last = { ...last, findings: meaningOf(last.ran, model, ownLabels?.names) }
  update()
}

/** Shows what is, all of it. */
function update(): void {
  const shown = currentResult()
  showResult(shown)
  showCode(model && last && usedOf(model, last.ran, last.findings))
  if (model?.port) showPreparation(model.preparation, model.guess, model.port)
  byId('least-value').textContent = `${Math.round(Number(chosen('least')) * 100)} %`
  showStage({
    ...{ photo, shown, takesPicture: model?.port !== undefined || !model },
    ...{ blend: Number(chosen('blend')), heat: why.heat }
  })
}

/** Counts the photos that have been asked for. */
let wanted = 0

async function take(next: Photo, sample?: string): Promise<void> {
  wanted++
  photo = next
  last = undefined
  pressSample(sample)
  void working(visits.keepPhoto(next, () => photo === next))
  if (!model) byId('model-drop-title').textContent = `Drop a model for ${next.name}`
  await run()
}

/** Takes what `read` gives, unless another photo has been asked for meanwhile. */
async function takeFrom(read: (progress: (progress: Progress) => void) => Promise<Photo>, sample?: string) {
  stopCamera()
  const turn = ++wanted
  const next = await doing('Photo', read)
  if (next && turn === wanted) await take(next, sample)
}

function takeSample(url: string): Promise<void> {
  return takeFrom(async progress => {
    const content = await fetchBytes(url, (done, total) => progress({ done, total, what: nameOfUrl(url) }))
    return photoFrom(new Blob([content]), nameOfUrl(url))
  }, url)
}

function prepareBy(preparation: Preparation): void {
  if (!model) return
  model.preparation = preparation
  visits.keepModel(model)
  void run()
}

const visits = new Visits({ source: () => model?.source, open, show, forgotten: () => void forgotten() })
const { keeper } = visits

const training = new Training({
  pupil: () => model,
  photo: () => photo,
  threads: () => chosenThreads(model?.opened),
  head: ({ source }) => keeper.model(source.key)?.head,
  keepHead: ({ source }, head) => keeper.keepModel({ ...keeper.model(source.key)!, head }),
  classesChanged: () => keepClasses(),
  async use(trained) {
    takeLabels(undefined)
    const { name, content, preparation, classes } = trained
    await openMade(name, new Blob([content]), { preparation, classes })
  }
})

const why = new Why({
  ...{ engine, model: () => model, photo: () => photo, job: currentJob },
  ...{ findings: () => last?.findings ?? [], changed: () => update() }
})

followTheme()
startTabs(panel => {
  training.turn(panel === 'train')
  why.turn(panel === 'why')
  if (panel !== 'train') closeShots()
})
const takers = {
  open,
  patch: openPatched,
  tell: (head: Uint8Array) => engine.ask('kind', { head }),
  photo: (read: () => Promise<Photo>) => takeFrom(read),
  async labels(file: File) {
    takeLabels({ file: file.name, names: parseLabels(await file.text()) })
    interpretAgain()
  }
}

startInput({
  files: files => void receive(files, takers).catch(showFailure),
  photo: taken => void take(taken),
  frame: async frame => {
    photo = frame
    pressSample(undefined)
    await run(true)
  }
})
startPreparation(prepareBy, () => {
  if (model) prepareBy(model.guess.preparation)
})
byId('test-picture').onclick = () => {
  stopCamera()
  void take(testPicture())
}
document.addEventListener('as-classes', event => {
  model?.insisted.add((event as CustomEvent<string>).detail)
  interpretAgain()
})
byId('other').onclick = () => visits.leave()
byId('save').onclick = () =>
  void doing('Saving', async () =>
    download(`${model!.opened.name}.cairn`, new Blob([await engine.ask('file', undefined)]))
  )
byId('save-picture').onclick = byId('save-why').onclick = () =>
  canvas.toBlob(blob => blob && download(`${photo!.name.replace(/\.\w+$/, '')}-${model!.opened.name}.png`, blob))
byId('weights').onchange = () => model && void open(model.source)
for (const id of ['least', 'blend']) byId(id).oninput = update
startMeasuring({
  ...{ engine, photo: () => photo, job: currentJob },
  layers: () => model && { calls: model.opened.model.calls, layers }
})
startQuantising({
  ...{ model: () => model, photo: () => photo, job: currentJob, threads: () => placing.threads },
  samples: () => (model ? samplesOf(model) : []),
  use: (name, content) => void openMade(name, content, { preparation: model!.preparation, classes: model!.labels[0] })
})

/** What was kept of an earlier visit, or of this one before it was loaded anew. */
async function goOn(): Promise<void> {
  const { classes, photo: kept, labels } = keeper.all
  showLabels(labels)
  const restored = restoreClasses(classes).then(() => {
    isRestoring = false
    training.remember()
  })
  if (kept?.content && visits.isReturning) photo = await photoFrom(kept.content, kept.name).catch(() => undefined)
  await Promise.all([restored, visits.begin()])
}

let isRestoring = true

function keepClasses(): void {
  if (!isRestoring) keeper.keep({ classes: keptClasses() })
}

async function forgotten(): Promise<void> {
  isRestoring = true
  await restoreClasses([])
  isRestoring = false
  photo = undefined
  showLabels(undefined)
  training.begin()
  visits.leave()
  update()
}

addEventListener('beforeunload', event => {
  if (keeper.unsaved || training.isRunning) event.preventDefault()
})

let entries: readonly Entry[] = []
await doing('Starting', async () => {
  const [zoo, starter] = await Promise.all([
    engine.ask('zoo', undefined),
    readStarter(),
    engine.ask('devices', undefined).then(available => startDevices(available, () => void changeDevice())),
    keeper.open()
  ])
  entries = await readCatalogue().catch(error => {
    showFailure(error)
    return []
  })
  visits.offer([...entries, ...(starter ? [starter] : [])], zoo)
  showStarter(starter, (entry, first) => void open(fromEntry(entry), first))
  showZoo(zoo, ({ key, title }) => void open(fromZoo(key, title)))
})
const all = (kind: 'photos' | 'labels') => [...new Set(entries.flatMap(entry => entry[kind]))]
offered = { photos: all('photos'), labels: all('labels') }
showEntries(entries, entry => void open(fromEntry(entry)))
document.body.dataset.ready = ''
void workOffline()
await goOn()
