import { CairnError, type CallTime, copyFloats, type Feeds, InferenceSession, Tensor, type Type } from 'cairnjs'
import { CompileError, compile, inspect, kindOf, type LayerInfo, passNames } from 'cairnjs/compiler'
import { classesOf } from 'cairnjs/train'
import { zoo } from '../../models/index.js'
import { median } from '../numbers.js'
import { type Prepared, picturePort, prepare } from '../photo/prepare.js'
import { devices } from './devices.js'
import { explained, forgetExplainer, layerPicture, type Origin } from './explain.js'
import { externalDataFrom } from './parts.js'
import type {
  Api,
  Argument,
  Given,
  Job,
  Loaded,
  Method,
  Opened,
  PassReport,
  Probed,
  Progress,
  Quantised,
  Quantising,
  Question,
  Ran
} from './protocol.js'
import { quantisedFile } from './quantise.js'
import { classesIn, classify, patch, patched, recall, stopTraining, study, train, withPatch } from './train.js'

/** The engine's worker: one model, its session, and the input of its last run. */
let file: Uint8Array | undefined
let session: InferenceSession | undefined
let feeds: Feeds | undefined
/** Layers of the model at given sizes; a file that had been compiled already has none. */
let layersAt: LayersAt | undefined
/** What was opened last, until it is loaded; `opened` counts. */
let candidate: Candidate | undefined
/** What the open model was compiled from. */
let origin: Origin | undefined
let opened = 0

interface Candidate {
  readonly id: number
  readonly file: Uint8Array
  readonly layersAt: LayersAt | undefined
  readonly origin: Origin
}

type LayersAt = (dims: Record<string, number>) => LayerInfo[]

type Handlers = {
  [M in Method]: (
    argument: Argument<M>,
    progress: (progress: Progress) => void
  ) => ReturnType<Api[M]> | Promise<ReturnType<Api[M]>>
}

const handlers: Handlers = {
  devices: () => Promise.all(devices.map(async ({ name, missing }) => ({ name, missing: await missing() }))),
  zoo: () => Object.entries(zoo).map(([key, { title, paper, parameters }]) => ({ key, title, paper, parameters })),
  kind: ({ head }) => kindOf(head),
  open,
  load,
  run,
  time,
  profile,
  probe,
  inspect: ({ threads }) => inspect(current(), dimsOf(feeds), threads),
  layers: () => layersAt?.(dimsOf(feeds)),
  file: () => current().slice(),
  explain: (asked, progress) => explained({ asked, origin: origin!, session: loaded() }, pausing(), progress),
  layerPicture: asked => layerPicture({ asked, origin: origin!, session: loaded() }),
  quantise,
  study,
  recall,
  train,
  stopTraining,
  classify,
  patch,
  patched,
  withPatch,
  classesIn
}

async function open({ name, from, weights, parts }: Given, progress: (progress: Progress) => void): Promise<Opened> {
  const total = passNames.length + 2
  if (!(from instanceof Uint8Array)) progress({ done: 0, total, what: `drawing the weights of ${name}` })
  const bytes = from instanceof Uint8Array ? from : zoo[from.zoo].build()
  const done: Omit<PassReport, 'before'>[] = []
  const began = performance.now()
  const read = new Map<string, Uint8Array>()
  let layers: LayersAt | undefined
  let compiled = bytes
  if (!isCairn(bytes)) {
    progress({ done: 1, total, what: 'reading the model' })
    compiled = await compile(bytes, {
      weights,
      externalData: externalDataFrom(name, parts, read),
      onLayers: at => {
        layers = at
      },
      onPass: (pass, did, _text, after) => {
        done.push({ name: pass, did, after })
        const what = done.length < passNames.length ? pass : 'packing the weights'
        progress({ done: done.length + 1, total, what })
      }
    })
  }
  const model = inspect(compiled)
  const externalData = externalDataFrom(name, parts, read)
  candidate = { id: ++opened, file: compiled, layersAt: layers, origin: { bytes, externalData } }
  const passes = done.map((pass, i) => ({ ...pass, before: i ? done[i - 1].after : model.nodesBefore }))
  return {
    ...{ id: opened, name, bytes: compiled.length, milliseconds: performance.now() - began },
    given: [bytes, ...read.values()].reduce((sum, { length }) => sum + length, 0),
    parts: [...read.keys()],
    passes: passes.length ? passes : undefined,
    model,
    classes: isCairn(bytes) ? undefined : classesOf(bytes)
  }
}

async function quantise(job: Quantising, progress: (progress: Progress) => void): Promise<Quantised> {
  const began = performance.now()
  const made = await quantisedFile(job, progress)
  candidate = { id: ++opened, file: made.file, layersAt: undefined, origin: { bytes: made.file } }
  const { error, layers, narrow, notes } = made
  return {
    ...{ error, layers, narrow, notes },
    id: opened,
    bytes: made.file.length,
    milliseconds: performance.now() - began
  }
}

/** The session that there is goes once the new one stands. */
async function load({ id, device, threads }: Argument<'load'>): Promise<Loaded> {
  const isNew = candidate?.id === id
  const wanted = isNew ? candidate!.file : current()
  const began = performance.now()
  const made = await InferenceSession.create(wanted, { executionProviders: [device], numThreads: threads })
  const milliseconds = performance.now() - began
  await session?.release()
  session = made
  if (isNew) {
    file = wanted
    layersAt = candidate!.layersAt
    origin = candidate!.origin
    await forgetExplainer()
    feeds = candidate = undefined
  }
  const { choice, memoryBytes: memory } = session
  return { device: session.device, choice, threads: session.threads, milliseconds, memory }
}

async function run({ picture, preparation }: Job): Promise<Ran> {
  const running = loaded()
  const began = performance.now()
  const port = picturePort(running.inputMetadata)
  const prepared = port && prepare(picture, port, preparation)
  feeds = { ...randomFeeds(running, port?.name), ...(prepared && { [port.name]: prepared.tensor }) }
  const ready = performance.now()
  const results = await running.run(feeds)
  const outputs = Object.entries(results).map(([name, tensor]) => {
    const { type, dims } = tensor
    return { name, type, dims, data: copyFloats(tensor) }
  })
  const { device, threads } = running
  const milliseconds = performance.now() - ready
  return { outputs, device, threads, milliseconds, preparing: ready - began, shown: shownBy(prepared) }
}

function shownBy(prepared: Prepared | undefined): Ran['shown'] {
  if (!prepared) return undefined
  const { height, width, region } = prepared
  return { height, width, region }
}

async function time({ runs }: Argument<'time'>, progress: (progress: Progress) => void): Promise<number[]> {
  const running = loaded()
  const times: number[] = []
  for (let i = 0; i < runs; i++) {
    const began = performance.now()
    await running.run(given())
    times.push(performance.now() - began)
    progress({ done: i + 1, total: runs, what: `run ${i + 1} of ${runs}` })
  }
  return times
}

async function profile({ runs }: Argument<'profile'>, progress: (progress: Progress) => void): Promise<CallTime[]> {
  const running = loaded()
  const all: CallTime[][] = []
  for (let i = 0; i < runs; i++) {
    all.push(await running.profile(given()))
    progress({ done: i + 1, total: runs, what: `run ${i + 1} of ${runs}` })
  }
  return all[0].map((call, i) => {
    return { ...call, milliseconds: median(all.map(calls => calls[i].milliseconds)) }
  })
}

/** Milliseconds that a number of threads is measured, and that all of them take together; then what they must win. */
const [probing, allProbing, gain] = [400, 4000, 0.95]

async function probe({ threads }: Argument<'probe'>): Promise<Probed | undefined> {
  const asked = questions
  let [best, fastest] = [loaded(), Number.POSITIVE_INFINITY]
  const times: [number, number][] = []
  const began = performance.now()
  try {
    // What runs by now comes first: the others have to beat it.
    for (const count of [best.threads, ...threads.filter(count => count !== best.threads)]) {
      if (times.length && performance.now() - began > allProbing) break
      const tried = times.length
        ? await InferenceSession.create(current(), { executionProviders: ['wasm'], numThreads: count })
        : best
      const took = await pace(tried, asked)
      if (took !== undefined) times.push([tried.threads, took])
      const isBetter = took !== undefined && took < fastest * (times.length > 1 ? gain : 1)
      const loser = isBetter ? best : tried
      if (isBetter) [best, fastest] = [tried, took]
      if (loser !== best && loser !== session) await loser.release()
      if (took === undefined) return undefined
    }
    if (best !== session) {
      await session?.release()
      session = best
    }
    return { threads: best.threads, times: times.sort((a, b) => a[0] - b[0]) }
  } finally {
    if (best !== session) await best.release()
  }
}

/** A signal for work that gives way to the next question. */
function pausing(): () => boolean {
  const asked = questions
  return () => questions !== asked
}

/** The median of runs behind a first one, which takes longer; nothing once another question has come. */
async function pace(tried: InferenceSession, asked: number): Promise<number | undefined> {
  const times: number[] = []
  const began = performance.now()
  while (times.length < 3 || (times.length < 12 && performance.now() - began < probing)) {
    await new Promise(resolve => setTimeout(resolve))
    if (questions !== asked) return undefined
    const start = performance.now()
    await tried.run(given())
    times.push(performance.now() - start)
  }
  return median(times.slice(1))
}

function current(): Uint8Array {
  if (!file) throw new CairnError('no model is open')
  return file
}

function loaded(): InferenceSession {
  if (!session) throw new CairnError('the model is not loaded')
  return session
}

function given(): Feeds {
  if (!feeds) throw new CairnError('the model has not run yet')
  return feeds
}

const isCairn = (bytes: Uint8Array) => String.fromCharCode(...bytes.subarray(0, 4)) === 'CARN'

/** Inputs that no picture can be: numbers from -1 to 1 that look random and are the same each time. */
function randomFeeds({ inputMetadata }: InferenceSession, but: string | undefined): Feeds {
  const others = inputMetadata.filter(({ name }) => name !== but)
  return Object.fromEntries(
    others.map(({ name, type, shape }) => {
      const dims = shape.map(dim => (typeof dim === 'number' ? dim : 1))
      const count = dims.reduce((a, b) => a * b, 1)
      const whole = !type.startsWith('float')
      const data = Array.from({ length: count }, (_, i) => (whole ? i % 2 : Math.sin(i * 12.9898 + 78.233)))
      return [name, new Tensor(type as Type, type.endsWith('int64') ? data.map(BigInt) : data, dims)]
    })
  )
}

/** Values of the free dimensions, as the last input has bound them. */
function dimsOf(fed: Feeds | undefined): Record<string, number> {
  const dims: Record<string, number> = {}
  for (const { name, shape } of session?.inputMetadata ?? [])
    shape.forEach((dim, axis) => {
      if (fed?.[name] && typeof dim === 'string') dims[dim] = fed[name].dims[axis]
    })
  return dims
}

/** Refusals are one line already; whatever else goes wrong is named as what it is. */
function lineOf(error: unknown): string {
  if (error instanceof CompileError || error instanceof CairnError) return error.message
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error)
}

async function answer({ id, method, argument }: Question): Promise<void> {
  try {
    const handler = handlers[method] as (argument: unknown, progress: (progress: Progress) => void) => unknown
    self.postMessage({ id, value: await handler(argument, progress => self.postMessage({ id, progress })) })
  } catch (error) {
    self.postMessage({ id, error: lineOf(error) })
  }
}

/** One question after the other: a model is not loaded anew while it runs. */
let turn: Promise<void> = Promise.resolve()
let questions = 0
const atOnce: readonly Method[] = ['kind', 'stopTraining']
self.onmessage = ({ data }: MessageEvent<Question>) => {
  questions++
  if (atOnce.includes(data.method)) void answer(data)
  else turn = turn.then(() => answer(data))
}
