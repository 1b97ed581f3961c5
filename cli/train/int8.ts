import type { FitResult, Quantised, Trainer } from '../../train/index.js'
import { type Flags, type Option, Progress, print, UsageError } from '../terminal/index.js'
import type { Job } from './job.js'

/** `cairn train --int8`: what training has made, quantised, and fine-tuned where that loses too much. */

export const int8Options: readonly Option[] = [
  {
    flag: '--int8',
    help: 'quantise what was trained; where that loses over a point of validation, fine-tune behind fake quantisation'
  },
  { flag: '--int8-above', value: 'X', help: 'with --int8: fine-tune where more than X points are lost (default 1)' }
]

/** Refuses what would change nothing, before anything is trained. */
export function checkInt8(flags: Flags): void {
  if (!flags.has('int8')) flags.refuse(['int8-above'], 'without --int8')
  const above = flags.number('int8-above')
  if (above !== undefined && above < 0) throw new UsageError(`--int8-above ${above}: a number of at least 0 is allowed`)
}

/** The share of the validating images that the quantised model takes for their class. */
export const int8Accuracy = ({ before, after = before }: Quantised) => Math.max(before, after)

export async function quantiseAfter(trainer: Trainer, result: FitResult, { dataset, flags }: Job): Promise<Quantised> {
  const json = flags.has('json')
  if (!json) print('quantising, and measuring that on validation')
  let steps: Progress | undefined
  const quantised = await trainer.quantise(dataset, result, {
    above: flags.number('int8-above'),
    onStep(done, total, loss) {
      steps ??= new Progress(total)
      steps.step(done, `loss ${loss.toFixed(4)}`)
    },
    onEpoch({ epoch, trainLoss, validationAccuracy }) {
      steps?.stop()
      steps = undefined
      const validation = validationAccuracy === undefined ? '' : `, validation ${percent(validationAccuracy)}`
      if (!json) print(`behind fake quantisation, epoch ${epoch}: loss ${trainLoss.toFixed(4)}${validation}`)
    }
  })
  if (!json) print(int8Text(quantised, result.split.validation.length))
  return quantised
}

const percent = (share: number) => `${(share * 100).toFixed(2)} %`

function int8Text({ float, before, after }: Quantised, images: number): string {
  const of = `${images} ${images === 1 ? 'image' : 'images'}`
  const lost = `validation accuracy (${of}) in floats ${percent(float)}, quantised ${percent(before)}`
  if (after === undefined) return `${lost}: nothing to fine-tune`
  const kept = after > before ? '' : '; the weights from before are kept'
  return `${lost}, fine-tuned and quantised ${percent(after)}${kept}`
}
