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
  if (history.length > 1 && Math.min(...history.map(({ trainLoss }) => trainLoss)) > 0.98 * guessing)
    signs.push(
      `nothing is learnt: the loss stays where guessing has it (${guessing.toFixed(2)}); weights that begin at zero, dead units or a wrong learning rate do that`
    )
  const { trainAccuracy, validationAccuracy } = last
  if (validationAccuracy !== undefined && trainAccuracy - validationAccuracy > 0.15)
    signs.push(
      `training examples are known far better (${percent(trainAccuracy)}) than new ones (${percent(validationAccuracy)}): more examples, augmentation, decay or dropout help`
    )
  return signs
}

const percent = (share: number) => `${(share * 100).toFixed(1)} %`
