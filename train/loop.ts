import { Breath, CairnError } from '../runtime/base/index.js'
import {
  accuracy,
  classWeights as balanced,
  confusionMatrix,
  miniBatches,
  predictionsOf,
  RunningMean,
  type Split
} from '../runtime/train/index.js'
import type { Examples } from './dataset.js'
import { logSumExp, losses } from './network/losses.js'
import type { Settings } from './options.js'
import type { Batch, Pace, Stage } from './stage.js'

/** What an epoch has come to. Losses are the trainer's, an example; cross-entropies are in nats. */
export interface EpochRecord {
  /** Counted from 1. */
  readonly epoch: number
  /** Mean over the examples trained on, while the weights changed. */
  readonly trainLoss: number
  /** Share of them taken for their class, 0 to 1. */
  readonly trainAccuracy: number
  /** Mean over the examples that validate, behind the epoch. */
  readonly validationLoss?: number
  /** Share of them taken for their class, 0 to 1. */
  readonly validationAccuracy?: number
  /** Of the epoch's last step. */
  readonly learningRate: number
  /** Mean over the steps. */
  readonly gradientNorm: number
  /** Time of the epoch. */
  readonly seconds: number
}

/** What a network makes of examples with known classes. */
export interface Evaluation {
  /** Mean of the trainer's loss; cross-entropy is in nats. */
  readonly loss: number
  /** Share of the examples taken for their class, 0 to 1. */
  readonly accuracy: number
  /** The class that each example is taken for, and with which probability. */
  readonly predictions: readonly number[]
  /** Of the class that each example is taken for, 0 to 1. */
  readonly probabilities: readonly number[]
  /** Rows are true classes. */
  readonly confusion: readonly (readonly number[])[]
}

/** A run of epochs with one stage, and where it stands. */
export interface Course {
  readonly stage: Stage
  readonly examples: Examples
  /** Epochs before this stage's, and its own. */
  readonly before: number
  readonly epochs: number
  /** Whether nothing comes behind it: then a lack of progress is the end. */
  readonly isLast: boolean
}

/** Where a training stands between two epochs. */
export interface Standing {
  epoch: number
  /** The epoch that its stage began behind, and the blocks that the stage trains. */
  began: number
  trained: number
  readonly history: EpochRecord[]
  best: { epoch: number; loss: number; accuracy: number; weights: Map<string, Float32Array> } | undefined
  /** Why it has ended before its time. */
  stopped?: string
}

export interface Watch {
  /** Ends training behind the step that is under way; the best weights are kept. */
  readonly signal?: AbortSignal
  /** After each step: how much of the epoch is done, and its loss so far. */
  readonly onStep?: (done: number, total: number, loss: number) => void
  /** Called behind each epoch, and awaited. */
  readonly onEpoch?: (record: EpochRecord) => void | Promise<void>
}

interface Data {
  readonly labels: readonly number[]
  readonly split: Split
  readonly settings: Settings
}

/** Trains until the course's epochs are done, validation has long not been better, the signal says so, or the loss breaks. */
export async function train(course: Course, standing: Standing, data: Data, watch: Watch): Promise<void> {
  const { stage, before, epochs } = course
  const { settings, split } = data
  const perEpoch = Math.ceil(split.training.length / settings.batchSize)
  while (standing.epoch < before + epochs && standing.stopped === undefined) {
    if (standing.epoch - Math.max(standing.best?.epoch ?? 0, before) >= settings.patience) {
      if (course.isLast) standing.stopped = `no better validation for ${settings.patience} epochs`
      break
    }
    const began = Date.now()
    const own = standing.epoch - before
    const kept = stage.weights()
    const learnt = await trainEpoch(course, standing.epoch, own * perEpoch, epochs * perEpoch, data, watch)
    if (learnt.stopped !== undefined) {
      standing.stopped = learnt.stopped
      if (learnt.broken) stage.restore(standing.best?.weights ?? kept)
      else stage.settle()
      break
    }
    stage.settle()
    const validation = split.validation.length
      ? await evaluate(stage, course.examples, split.validation, data.labels, settings)
      : undefined
    standing.epoch++
    const record: EpochRecord = {
      epoch: standing.epoch,
      trainLoss: learnt.loss,
      trainAccuracy: learnt.accuracy,
      validationLoss: validation?.loss,
      validationAccuracy: validation?.accuracy,
      learningRate: learnt.rate,
      gradientNorm: learnt.norm,
      seconds: (Date.now() - began) / 1000
    }
    standing.history.push(record)
    note(standing, record, stage)
    await watch.onEpoch?.(record)
  }
}

/** Keeps the best weights: the highest accuracy, and of equal ones the lowest loss, on validation where there is any. */
function note(standing: Standing, record: EpochRecord, stage: Stage): void {
  const loss = record.validationLoss ?? record.trainLoss
  const accuracy = record.validationAccuracy ?? record.trainAccuracy
  const { best } = standing
  if (best && (accuracy < best.accuracy || (accuracy === best.accuracy && loss >= best.loss))) return
  standing.best = { epoch: record.epoch, loss, accuracy, weights: stage.weights() }
}

interface Learnt {
  readonly loss: number
  readonly accuracy: number
  readonly norm: number
  readonly rate: number
  readonly stopped?: string
  readonly broken?: boolean
}

async function trainEpoch(
  { stage, examples }: Course,
  epoch: number,
  first: number,
  total: number,
  { labels, split, settings }: Data,
  { signal, onStep }: Watch
): Promise<Learnt> {
  const loss = new RunningMean()
  const norm = new RunningMean()
  let right = 0
  let rate = settings.learningRate
  const weightOf = weighting(labels, split.training, settings)
  const batches = miniBatches(split.training, { size: settings.batchSize, seed: settings.seed, epoch })
  let done = 0
  const result = () => ({ loss: loss.mean, accuracy: right / Math.max(done, 1), norm: norm.mean, rate })
  const breath = new Breath()
  for (const [i, indices] of batches.entries()) {
    await breath.take()
    if (signal?.aborted) return { ...result(), stopped: 'it was told to stop' }
    const step = first + i
    rate = settings.learningRate * settings.schedule(step, total, batches.length)
    const batch = await gather(examples, epoch, indices, labels, settings, weightOf)
    const stepped = await stage.step(batch, paceOf(settings, rate, step + 1), epoch * batches.length + i + 1)
    if (!Number.isFinite(stepped.loss) || !Number.isFinite(stepped.norm))
      return { ...result(), stopped: brokenAt(epoch, i, rate, stepped), broken: true }
    const predicted = predictionsOf(stepped.logits, stage.outputs)
    right += predicted.filter((label, j) => label === labels[indices[j]]).length
    done += indices.length
    loss.add(stepped.loss, indices.length)
    norm.add(stepped.norm)
    onStep?.(i + 1, batches.length, loss.mean)
  }
  return result()
}

function brokenAt(epoch: number, step: number, rate: number, { loss, norm }: { loss: number; norm: number }): string {
  const what = Number.isFinite(loss) ? `the gradients have norm ${norm}` : `the loss became ${loss}`
  return `${what} in epoch ${epoch + 1}, step ${step + 1}, at learning rate ${rate.toPrecision(3)}; the best weights so far are kept; a smaller learning rate, clipping or a warm-up helps`
}

/**
 * The `t`-th step's. Running statistics that begin at nothing are the mean of all batches' until they have seen as many as
 * their momentum remembers: else they would lag behind, and a network that has learnt for a few steps be evaluated by what it began with.
 */
export function paceOf({ momentum, scratch }: Settings, rate: number, t: number): Pace {
  return {
    rate: Float32Array.of(rate, 1 / (1 - momentum ** t), 1 / (1 - 0.999 ** t)),
    follow: scratch ? 1 / t : 0
  }
}

/** How much an example counts, by its class. */
function weighting(
  labels: readonly number[],
  training: readonly number[],
  { classWeights, classes }: Settings
): ((label: number) => number) | undefined {
  if (!classWeights) return undefined
  const of =
    classWeights === 'balanced'
      ? balanced(
          training.map(i => labels[i]),
          classes.length
        )
      : classWeights
  return label => of[label]
}

export async function gather(
  examples: Examples,
  epoch: number,
  indices: readonly number[],
  labels: readonly number[],
  { classes, labelSmoothing }: Settings,
  weightOf: ((label: number) => number) | undefined
): Promise<Batch> {
  const features = await join(indices, index => examples.of(index, epoch))
  const targets = new Float32Array(indices.length * classes.length).fill(labelSmoothing / classes.length)
  const weights = Float32Array.from(indices, index => weightOf?.(labels[index]) ?? 1)
  indices.forEach((index, i) => {
    targets[i * classes.length + labels[index]] += 1 - labelSmoothing
  })
  const sum = weights.reduce((a, b) => a + b, 0)
  return { features, targets, weights: weights.map(weight => (sum > 0 ? weight / sum : 0)) }
}

export async function join(
  indices: readonly number[],
  of: (index: number) => Float32Array | Promise<Float32Array>
): Promise<Float32Array> {
  const parts = await Promise.all(indices.map(of))
  const size = parts[0].length
  const wrong = parts.findIndex(part => part.length !== size)
  if (wrong >= 0)
    throw new CairnError(`example ${indices[wrong]} has ${parts[wrong].length} elements, others have ${size}`)
  const all = new Float32Array(size * parts.length)
  parts.forEach((part, i) => {
    all.set(part, i * size)
  })
  return all
}

/** Loss, accuracy and confusions of what the stage has settled on. */
export async function evaluate(
  stage: Stage,
  examples: Examples,
  indices: readonly number[],
  labels: readonly number[],
  { batchSize, classes, loss }: Settings
): Promise<Evaluation> {
  const mean = new RunningMean()
  const predictions: number[] = []
  const probabilities: number[] = []
  const breath = new Breath()
  for (let at = 0; at < indices.length; at += batchSize) {
    await breath.take()
    const some = indices.slice(at, at + batchSize)
    const logits = await stage.scores(await join(some, index => examples.plain(index)), some.length)
    const predicted = predictionsOf(logits, classes.length)
    some.forEach((index, i) => {
      const row = logits.subarray(i * classes.length, (i + 1) * classes.length)
      const normaliser = logSumExp(row)
      mean.add(losses[loss].plain(row, labels[index]))
      predictions.push(predicted[i])
      probabilities.push(Math.exp(row[predicted[i]] - normaliser))
    })
  }
  const actual = indices.map(index => labels[index])
  const confusion = confusionMatrix(predictions, actual, classes.length)
  return { loss: mean.mean, accuracy: accuracy(predictions, actual), predictions, probabilities, confusion }
}
