import type { Trainer } from '../../train/index.js'
import { InputError, Progress, print, printJson, table } from '../terminal/index.js'
import type { Job } from './job.js'

/** What `cairn train` tries before it trains: `--check`, `--find-lr`, `--knn`. */

const good = 1e-4

export async function checkTraining(trainer: Trainer, { dataset, flags }: Job): Promise<void> {
  const progress = new Progress(1)
  const { gradients, overfit, dead } = await trainer.check(dataset, { onProgress: what => progress.step(0, what) })
  progress.stop()
  const wrong = gradients.filter(({ error }) => !(error < good))
  if (flags.has('json')) printJson({ gradients, overfit, dead, passed: !wrong.length && overfit.learnt })
  else {
    const rows = gradients.map(({ name, elements, error }) => [
      name,
      String(elements),
      error.toExponential(1),
      elements ? (error < good ? 'right' : 'WRONG') : 'not tried: differences meet kinks everywhere'
    ])
    print(table(['gradient of', 'elements tried', 'largest error', ''], rows, ['left', 'right', 'right', 'left']))
    print(
      overfit.learnt
        ? `${overfit.examples} images are learnt by heart in ${overfit.steps} steps: loss ${overfit.first.toFixed(3)} to ${overfit.loss.toExponential(1)}`
        : `${overfit.examples} images are NOT learnt by heart in ${overfit.steps} steps: loss ${overfit.first.toFixed(3)} to ${overfit.loss.toFixed(3)}`
    )
    for (const { name, share } of dead)
      print(`warning: ${(share * 100).toFixed(0)} % of the units of "${name}" are dead: they are 0 for every image`)
  }
  if (wrong.length)
    throw new InputError(
      `the gradients of ${wrong.map(({ name }) => `"${name}"`).join(', ')} are not what differences say`
    )
  if (!overfit.learnt)
    throw new InputError('one small batch cannot be overfitted: try another learning rate or initialisation')
}

export async function findRate(trainer: Trainer, { dataset, split, flags }: Job): Promise<void> {
  const progress = new Progress(100)
  const found = await trainer.findRate(dataset, { split, onStep: step => progress.step(step, 'growing rates') })
  progress.stop()
  if (flags.has('json')) return printJson(found)
  const rows = found.rates
    .map((rate, i) => [rate.toExponential(2), found.losses[i].toFixed(4)])
    .filter((_, i) => i % 5 === 0)
  print(table(['learning rate', 'smoothed loss'], rows, ['right', 'right']))
  print(`suggested: --lr ${found.suggestion.rate.toPrecision(2)}`)
}

export async function nearest(
  trainer: Trainer,
  { dataset, split, flags, pictures }: Job,
  count: number
): Promise<void> {
  const progress = new Progress(pictures.labels.length)
  const { accuracy, neighbours } = await trainer.nearest(dataset, count, {
    split,
    onFeatures: done => progress.step(done, 'features')
  })
  progress.stop()
  if (flags.has('json'))
    return printJson({
      accuracy,
      neighbours: neighbours.map(({ index, nearest: list }) => ({
        image: pictures.names[index],
        nearest: list.map(each => ({ image: pictures.names[each.index], distance: each.distance }))
      }))
    })
  print(
    `${count} nearest neighbours of the features: ${(accuracy * 100).toFixed(2)} % of ${neighbours.length} images right`
  )
}
