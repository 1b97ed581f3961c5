import { build } from '../../compiler/index.js'
import { CairnError } from '../../runtime/base/index.js'
import { predictionsOf, type Split } from '../../runtime/train/index.js'
import { cachedExamples, type Dataset, type Examples, freshExamples } from '../dataset.js'
import { Engine } from '../device/engine.js'
import { type Standing, train, type Watch } from '../loop.js'
import { type Backbone, fileOf } from '../network/backbone.js'
import type { Cut } from '../network/network.js'
import type { Settings } from '../options.js'
import { Stage } from '../stage.js'
import { buildObservation } from '../step.js'
import type { Range, Ranges } from './fake.js'

/** What a trained network loses in int8, and what fine-tuning behind fake quantisation brings back. */

export interface Quantised {
  /** Share of the validating examples that the network in floats takes for their class, 0 to 1. */
  readonly float: number
  /** The same share where it is quantised as it was trained. */
  readonly before: number
  /** Quantised again after fine-tuning; undefined where the loss called for none. */
  readonly after?: number
  /** The better one as ONNX, quantised. */
  readonly model: Uint8Array
}

/** How far a trained network is quantised. */
export interface FineTuneOptions extends Watch {
  /** Which examples train and which validate. */
  readonly split: Split
  /** The loss in points above which the network is fine-tuned; default 1. */
  readonly above?: number
}

/** A network that has been trained, as its trainer has it. */
export interface Subject {
  readonly backbone: Backbone
  readonly cut: Cut
  readonly settings: Settings
  readonly stage: Stage
  /** The whole model with what a stage has learnt, as ONNX. */
  whole(stage: Stage): Promise<Uint8Array>
}

/** Examples whose ranges are measured. */
const mostCalibrating = 200

/** Fine-tuning takes a third of the epochs, at a tenth of the learning rate: the weights are nearly right. */
const shareOfEpochs = 1 / 3
const shareOfRate = 1 / 10

/** Also gives the stage to go on with: a new one where fine-tuning has helped, whose predecessor is released. */
export async function quantiseTrained(
  subject: Subject,
  data: Dataset,
  float: number,
  { split, above = 1, ...watch }: FineTuneOptions
): Promise<Quantised & { readonly stage: Stage }> {
  const { backbone, stage, whole } = subject
  const { quantise } = await import('../../compiler/quantise/index.js')
  const dims = [1, ...(backbone.graph!().inputs[0].shape.slice(1) as number[])]
  const step = Math.ceil(split.training.length / mostCalibrating)
  const calibrating = split.training.filter((_, i) => i % step === 0)
  const calibrate = await Promise.all(
    calibrating.map(async index => ({ [backbone.input]: { dims, data: await data.input(index, undefined) } }))
  )
  const measured = async (of: Stage) => {
    const model = await quantise(await whole(of), { calibrate })
    return { model, accuracy: await accuracyOf(model, data, split.validation, subject.settings) }
  }
  const before = await measured(stage)
  const plain = { float, before: before.accuracy, model: before.model, stage }
  if ((float - before.accuracy) * 100 <= above) return plain
  const tuned = await fineTuned(subject, data, split, calibrating, feeds => quantise(feeds, { calibrate }), watch)
  const after = await measured(tuned)
  const isBetter = after.accuracy > before.accuracy
  await (isBetter ? stage : tuned).release()
  return { ...plain, ...(isBetter ? { model: after.model, stage: tuned } : {}), after: after.accuracy }
}

/** A stage whose layers read through the steps of bytes, on features that the frozen part computes with bytes. */
async function fineTuned(
  { backbone, cut, settings, stage }: Subject,
  data: Dataset,
  split: Split,
  calibrating: readonly number[],
  quantise: (model: Uint8Array) => Promise<Uint8Array>,
  watch: Watch
): Promise<Stage> {
  const { device, numThreads, seed, copies } = settings
  let examples: Examples = freshExamples(data, seed)
  if (cut.boundary !== backbone.input) {
    const frozen = await quantise(backbone.frozenOnnx!(cut.boundary))
    const engine = await Engine.open(fileOf(build(frozen).program), device, numThreads)
    examples = await cachedExamples(data, engine, { seed, copies, training: split.training }, () => undefined)
    await engine.release()
  }
  const own: Settings = {
    ...settings,
    scratch: false,
    learningRate: settings.learningRate * shareOfRate,
    epochs: Math.ceil(settings.epochs * shareOfEpochs)
  }
  const weights = stage.weights()
  const features = await Promise.all(calibrating.map(index => examples.plain(index)))
  const ranges = await rangesOf({ backbone, cut, settings }, weights, features)
  const tuned = await Stage.open(backbone, cut, own, ranges)
  await tuned.load(weights)
  const standing: Standing = { epoch: 0, began: 0, trained: cut.trained, history: [], best: undefined }
  const course = { stage: tuned, examples, before: 0, epochs: own.epochs, isLast: true }
  await train(course, standing, { labels: data.labels, split, settings: own }, watch)
  if (standing.best) await tuned.load(standing.best.weights)
  return tuned
}

/** The ranges of what layers read, on the features of examples, and of their weights. */
async function rangesOf(
  { backbone, cut, settings }: Omit<Subject, 'stage' | 'whole'>,
  weights: ReadonlyMap<string, Float32Array>,
  features: readonly Float32Array[]
): Promise<Ranges> {
  const { classes, dropout, batchNorm, device, numThreads } = settings
  const section = backbone.section(cut, { classes: classes.length, dropout })
  const input = section.input.name
  const { program, names, filters } = buildObservation(section, batchNorm, weights)
  const activations = new Map<string, Range>()
  const widen = (name: string, data: Float32Array) => {
    let { low, high } = activations.get(name) ?? { low: 0, high: 0 }
    for (const value of data) {
      if (value < low) low = value
      if (value > high) high = value
    }
    activations.set(name, { low, high })
  }
  const engine = await Engine.open(fileOf(program), device, numThreads)
  engine.write(weights)
  for (const each of features) {
    widen(input, each)
    const found = await engine.runSingle(each)
    names.forEach((name, i) => widen(name, found[i]))
  }
  await engine.release()
  return { activations, weights: filters }
}

/** The share of examples that a quantised model takes for their class. */
async function accuracyOf(
  model: Uint8Array,
  data: Dataset,
  indices: readonly number[],
  { classes, device, numThreads }: Settings
): Promise<number> {
  if (!indices.length) throw new CairnError('what int8 loses is measured on examples that validate; there are none')
  const engine = await Engine.open(fileOf(build(model).program), device, numThreads)
  let right = 0
  for (const index of indices) {
    const [scores] = await engine.runSingle(await data.input(index, undefined))
    right += Number(predictionsOf(scores, classes.length)[0] === data.labels[index])
  }
  await engine.release()
  return right / indices.length
}
