import type { EpochRecord } from './loop.js'
import type { Settings } from './options.js'

/** What curves say that people overlook. */
export function signsOf(history: readonly EpochRecord[], { classes }: Settings): string[] {
  const last = history.at(-1)
  if (!last) return []
  const signs: string[] = []
  const norms = history.map(({ gradientNorm }) => gradientNorm)
  const grown = norms[norms.length - 1] / Math.max(norms[0], 1e-12)
  if (grown > 100)
    signs.push(
      `gradients have grown ${grown.toFixed(0)} times since the first epoch: they explode; clip them, or take a smaller learning rate`
    )
  const guessing = Math.log(classes.length)
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

const percent = (share: number) => `${(share * 100).toFixed(1)} %`
