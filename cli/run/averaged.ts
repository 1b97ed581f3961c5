import { basename, extname, join } from 'node:path'
import type { InferenceSession, SessionOptions } from '../../runtime/index.js'
import { Tensor } from '../../runtime/index.js'
import { topK } from '../../runtime/tensor/index.js'
import {
  encodeNpy,
  fileNameOf,
  givenOf,
  labelsOf,
  namesFor,
  openSession,
  ownClasses,
  probabilitiesOf,
  readModel,
  writeWhole
} from '../model/index.js'
import { type Crops, imagePort, imageTensors, type Preparation, pictureReader } from '../pictures/index.js'
import { type Flags, InputError, Progress, print, printJson, UsageError } from '../terminal/index.js'

/** How pictures are looked at. */
export interface Averaging {
  readonly crops: Crops
  readonly prepare: Preparation
  readonly options: SessionOptions
}

type Opened = Awaited<ReturnType<typeof openSession>> & {
  readonly path: string
  readonly port: ReturnType<typeof imagePort>
}

/** Models open side by side, each with the one input that takes pictures. */
async function openAll(paths: readonly string[], flags: Flags, { options, prepare }: Averaging): Promise<Opened[]> {
  const opened: Opened[] = []
  for (const path of paths) {
    const { session, header } = await openSession(path, options, flags.text('patch'), givenOf(flags))
    const port = imagePort(header, prepare.layout)
    const other = header.inputs.find(input => input !== port)
    if (other)
      throw new InputError(
        `${path} has an input "${other.name}" beside the picture; classifiers of pictures are allowed`
      )
    opened.push({ path, session, header, port })
  }
  return opened
}

/**
 * `cairn run` of several models, or of several parts of each picture: every model sees every part at its own size, and their
 * probabilities are averaged, as ensembles, columns (Ciresan et al. 2012) and ten crops (Krizhevsky et al. 2012) are.
 */
export async function runAveraged(paths: readonly string[], flags: Flags, averaging: Averaging): Promise<void> {
  const images = flags.all('image')
  if (!images.length)
    throw new UsageError('--image is missing: several models and --crops average the classes of pictures')
  flags.refuse(['input', 'random', 'dims'], 'with several models or --crops, which look at pictures')
  if (paths.length > 1) flags.refuse(['patch'], 'with several models, of which it belongs to one')
  const { crops, prepare } = averaging
  const models = await openAll(paths, flags, averaging)
  const labels = labelsOf(flags) ?? (await ownClasses(readModel(paths[0])))
  const readPicture = await pictureReader(images)
  const progress = new Progress(images.length * paths.length * crops)
  let done = 0
  const runs: Averaged[] = []
  for (const image of images) {
    const picture = readPicture(image)
    const began = performance.now()
    const all: Float64Array[] = []
    for (const { path, session, header, port } of models)
      for (const tensor of imageTensors(picture, port, prepare, crops)) {
        const results = await session.run({ [port.name]: tensor })
        const found = probabilitiesOf(results, header, { labels, said: flags.says('top') })
        if (!found)
          throw new InputError(
            `${path}: no output says that it holds scores of classes; --top K or --labels FILE says so of one that does`
          )
        if (found.length !== (all[0] ?? found).length)
          throw new InputError(
            `${path} tells ${found.length} classes, ${paths[0]} ${all[0].length}; as many are allowed`
          )
        all.push(found)
        progress.step(++done, image)
      }
    runs.push({ image, ms: performance.now() - began, probabilities: meanOf(all) })
  }
  progress.stop()
  await Promise.all(models.map(({ session }) => session.release()))
  tell(runs, paths, flags, averaging, models[0].session, labels)
}

interface Averaged {
  readonly image: string
  readonly ms: number
  readonly probabilities: Float64Array
}

interface Shown {
  readonly image: string
  readonly ms: number
  readonly top: readonly { readonly index: number; readonly score: number; readonly label?: string }[]
}

/** The mean of each class. */
export function meanOf(all: readonly ArrayLike<number>[]): Float64Array {
  return Float64Array.from(all[0], (_, i) => all.reduce((sum, each) => sum + each[i], 0) / all.length)
}

function tell(
  runs: readonly Averaged[],
  paths: readonly string[],
  flags: Flags,
  { crops }: Averaging,
  { device, threads }: InferenceSession,
  labels: readonly string[] | undefined
): void {
  const folder = flags.text('out')
  if (folder !== undefined)
    for (const { image, probabilities } of runs) {
      const prefix = runs.length > 1 ? `${fileNameOf(basename(image, extname(image)))}.` : ''
      const tensor = new Tensor('float32', Float32Array.from(probabilities), [1, probabilities.length])
      writeWhole(join(folder, `${prefix}probabilities.npy`), encodeNpy(tensor))
    }
  const count = flags.whole('top') ?? 5
  const shown: Shown[] = runs.map(({ image, ms, probabilities }) => {
    const names = labels && namesFor(labels, probabilities.length)
    const top = topK(probabilities, count).map(each => (names ? { ...each, label: names[each.index] } : each))
    return { image, ms, top }
  })
  if (flags.has('json')) printJson({ models: paths, device, threads, crops, runs: shown })
  else print(shown.map(each => textOf(each, paths.length, crops, device)).join('\n'))
}

function textOf({ image, ms, top }: Shown, models: number, crops: Crops, device: string): string {
  const parts = [...(models > 1 ? [`${models} models`] : []), ...(crops > 1 ? [`${crops} crops`] : [])].join(' of ')
  const lines = top.map(
    ({ index, score, label }) => `  ${(score * 100).toFixed(2).padStart(6)} %  ${label ?? `class ${index}`}`
  )
  return `${image}: mean of ${parts}, ${ms.toFixed(1)} ms on ${device} (first runs)\n${lines.join('\n')}\n`
}
