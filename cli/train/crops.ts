import type { FitResult, Trainer } from '../../train/index.js'
import { type Crops, cropsOf } from '../pictures/index.js'
import { Progress } from '../terminal/index.js'
import type { Job } from './job.js'

/** What averaging over several parts of each picture that validates comes to. */
export interface CropsResult {
  readonly crops: Crops
  /** Share of the pictures taken for their class, 0 to 1. */
  readonly accuracy: number
}

/** The best weights on `--crops` parts of each picture that validates; undefined where nothing asks for them, or validates. */
export async function evaluateCrops(
  trainer: Trainer,
  { split }: Pick<FitResult, 'split'>,
  { dataset, flags }: Job
): Promise<CropsResult | undefined> {
  const crops = cropsOf(flags)
  const { validation } = split
  if (crops === 1 || !validation.length) return undefined
  const progress = new Progress(validation.length)
  let right = 0
  for (const [done, index] of validation.entries()) {
    const sums = new Float64Array(trainer.settings.classes.length)
    for (const input of dataset.parts(index, crops))
      (await trainer.predict(input)).forEach((probability, i) => {
        sums[i] += probability
      })
    if (sums.indexOf(Math.max(...sums)) === dataset.labels[index]) right++
    progress.step(done + 1, `${crops} crops`)
  }
  progress.stop()
  return { crops, accuracy: right / validation.length }
}
