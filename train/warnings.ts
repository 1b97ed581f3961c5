import type { EpochRecord, Evaluation } from './loop.js'
import { losses } from './network/losses.js'
import type { Settings } from './options.js'

/** What was trained on, and what it has come to. */
export interface Outcome {
  readonly history: readonly EpochRecord[]
  /** The classes of the examples that trained. */
  readonly labels: readonly number[]
  /** Of the examples that validate, where there are any. */
  readonly confusion?: Evaluation['confusion']
}

/** What curves and confusions say that people overlook. */
export function signsOf({ history, labels, confusion }: Outcome, settings: Settings): string[] {
  const { classes, loss } = settings
  const last = history.at(-1)
  if (!last) return []
  const signs = collapsed(labels, confusion, last, settings)
  const norms = history.map(({ gradientNorm }) => gradientNorm)
  const grown = norms[norms.length - 1] / Math.max(norms[0], 1e-12)
  if (grown > 100)
    signs.push(
      `gradients have grown ${grown.toFixed(0)} times since the first epoch: they explode; clip them, or take a smaller learning rate`
    )
  const guessing = losses[loss].guessing(classes.length)
  const best = Math.min(...history.map(({ trainLoss }) => trainLoss))
  const { trainAccuracy, validationAccuracy, trainLoss } = last
  if (trainLoss > 2 * guessing)
    signs.push(
      `the loss is ${trainLoss.toPrecision(3)}, worse than guessing (${guessing.toFixed(2)}): the learning rate is too large, or images are not prepared as the model expects`
    )
  else if (history.length > 1 && best > 0.98 * guessing && trainAccuracy < 1.3 / classes.length)
    signs.push(
      `nothing is learnt: the loss stays where guessing has it (${guessing.toFixed(2)}); weights that begin at zero, dead units or a wrong learning rate do that`
    )
  else if (trainAccuracy < 0.8)
    signs.push(
      `training examples are not known well yet (${percent(trainAccuracy)}): more epochs, or a larger learning rate`
    )
  if (validationAccuracy !== undefined && trainAccuracy > 0.8 && trainAccuracy - validationAccuracy > 0.15)
    signs.push(
      `training examples are known far better (${percent(trainAccuracy)}) than new ones (${percent(validationAccuracy)}): more examples, augmentation, decay or dropout help`
    )
  return signs
}

/** The share of other classes' examples that a collapsed head still gets right, and how near its accuracy is to the largest class's share. */
const few = 0.1
const near = 0.02

/** A head that takes nearly everything for the largest class, which costs little where the others are rare. */
function collapsed(
  labels: readonly number[],
  confusion: Outcome['confusion'],
  { trainAccuracy }: EpochRecord,
  { classes, classWeights }: Settings
): string[] {
  const counts = classes.map((_, label) => labels.filter(each => each === label).length)
  const most = Math.max(...counts)
  const largest = counts.indexOf(most)
  if (most < 1.5 * Math.min(...counts)) return []
  const others = (confusion ?? []).filter((_, label) => label !== largest)
  const sum = (rows: readonly (readonly number[])[]) => rows.flat().reduce((a, b) => a + b, 0)
  const right = (confusion ?? []).reduce((all, row, label) => all + (label === largest ? 0 : row[label]), 0)
  const isCollapsed = sum(others)
    ? right <= few * sum(others) && others.every(row => row[largest] >= (1 - few) * sum([row]))
    : Math.abs(trainAccuracy - most / labels.length) < near
  if (!isCollapsed) return []
  const cure = classWeights
    ? 'more examples of the others, or a larger weight for them, help'
    : '--class-weights balanced makes classes count alike however many examples they have (from JavaScript classWeights: "balanced")'
  return [
    `nearly everything is taken for "${classes[largest]}", which has ${most} of ${labels.length} examples: ${cure}`
  ]
}

const percent = (share: number) => `${(share * 100).toFixed(1)} %`
