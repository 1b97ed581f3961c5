import type { FitResult, Trainer } from '../../train/index.js'
import { writeWhole } from '../model/index.js'
import { contactSheet, filterTile, pngOf, tileOf } from '../pictures/index.js'
import { thumbnail } from './dataset.js'
import type { Job } from './job.js'
import { type Mistake, type Picture, trainReport } from './train-report.js'

const mostMistakes = 24
const mostMaps = 64

/** Writes the page of a training: curves, confusions, mistakes, filters, feature maps. */
export async function writeReport(path: string, trainer: Trainer, result: FitResult, job: Job): Promise<void> {
  const { pictures, dataset } = job
  const { validation, history, bestEpoch, split, warnings, stopped } = result
  const { settings, cut } = trainer
  const facts: [string, string][] = [
    ['model', job.path],
    ['images', `${split.training.length} to train, ${split.validation.length} to validate`],
    ['trained', settings.scratch ? 'all layers, from scratch' : `the head and ${cut.trained} of ${cut.blocks} blocks`],
    ['optimizer', `${settings.optimizer}, learning rate ${settings.learningRate}, batches of ${settings.batchSize}`],
    ['augmentation', job.flags.text('augment') ?? 'none'],
    ['seed', String(settings.seed)],
    ['best epoch', String(bestEpoch)]
  ]
  if (validation)
    facts.push(['validation', `${(validation.accuracy * 100).toFixed(2)} % right, loss ${validation.loss.toFixed(4)}`])
  if (stopped !== undefined) facts.push(['stopped', stopped])
  const html = trainReport({
    title: `${pictures.classes.length} classes on ${job.path}`,
    facts,
    classes: pictures.classes,
    epochs: history,
    bestEpoch,
    confusion: validation?.confusion,
    pictures: await layers(trainer, job, split.validation[0] ?? split.training[0]),
    mistakes: mistakes(result, job, dataset),
    warnings
  })
  writeWhole(path, html)
}

function mistakes({ validation, split }: FitResult, { pictures }: Job, dataset: Job['dataset']): Mistake[] {
  if (!validation) return []
  const wrong = split.validation.flatMap((index, i) => {
    const said = validation.predictions[i]
    return said === pictures.labels[index] ? [] : [{ index, said, probability: validation.probabilities[i] }]
  })
  return wrong
    .sort((a, b) => b.probability - a.probability)
    .slice(0, mostMistakes)
    .map(({ index, said, probability }) => ({
      png: pngOf(thumbnail(dataset.picture(index, undefined))),
      truth: pictures.classes[pictures.labels[index]],
      said: pictures.classes[said],
      probability
    }))
}

/** The first convolution's filters, where its input is a picture, and what it makes of one image. */
async function layers(trainer: Trainer, { dataset, pictures }: Job, index: number): Promise<Picture[]> {
  const first = await trainer.firstLayer(dataset.input(index, undefined))
  if (!first) return []
  const { name, filters, maps } = first
  const found: Picture[] = []
  const [count, channels, height, width] = filters.shape
  if (channels === 1 || channels === 3) {
    const size = channels * height * width
    const tiles = Array.from({ length: Math.min(count, mostMaps) }, (_, f) =>
      filterTile(filters.data.subarray(f * size, (f + 1) * size), channels, height, width, { enlarge: 6 })
    )
    found.push({
      title: 'First-layer filters',
      caption: `${name}: ${count} filters of ${channels}×${height}×${width}`,
      png: pngOf(contactSheet(tiles, 8, 2))
    })
  }
  const [, planes, high, wide] = maps.shape
  const tiles = Array.from({ length: Math.min(planes, mostMaps) }, (_, c) =>
    tileOf(maps.data.subarray(c * high * wide, (c + 1) * high * wide), wide, high, {
      enlarge: Math.max(1, Math.floor(64 / wide))
    })
  )
  found.push({
    title: 'Feature maps',
    caption: `what ${name} makes of one ${pictures.classes[pictures.labels[index]]}`,
    png: pngOf(contactSheet(tiles, 8, 2))
  })
  return found
}
