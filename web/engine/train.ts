import { CairnError, InferenceSession, type Picture, Tensor } from 'cairnjs'
import { compile } from 'cairnjs/compiler'
import { applyPatch, augmentations, type Dataset, decodePatch, parseAugmentations, Trainer } from 'cairnjs/train'
import { zoo } from '../../models/index.js'
import { rememberedFor } from '../photo/patch-preparation.js'
import { pictureFrom } from '../photo/photo.js'
import { axesOf, elementsOf, fitPicture, type PicturePort, type Preparation } from '../photo/prepare.js'
import { externalDataFrom } from './parts.js'
import type { Argument, Given, Learnt, Lesson, Patched, Progress, Recalled, Studied } from './protocol.js'

/** What has been learnt, by a trainer that is still there or by one of an earlier visit. */
type Head = Pick<Trainer, 'patch' | 'predict' | 'release'>

/** The worker's part of training: one model as ONNX has it, and who has learnt from photos last. */
let model: Uint8Array | undefined
let externalData: ReturnType<typeof externalDataFrom>
let learnt: { readonly trainer: Head; readonly lesson: Pick<Lesson, 'port' | 'preparation'> } | undefined
let stopping: AbortController | undefined

export async function study({ from, parts, ...seen }: Argument<'study'>): Promise<Studied> {
  model = bytesOf(from)
  externalData = externalDataFrom('the model', parts)
  const { cut } = await Trainer.create(model, { classes: ['one', 'other'], shapes: shapesOf(seen), externalData })
  return {
    blocks: cut.blocks,
    augmentations: Object.entries(augmentations).map(([name, { help }]) => ({ name, help }))
  }
}

const bytesOf = (from: Given['from']) => (from instanceof Uint8Array ? from : zoo[from.zoo].build())

export async function train(lesson: Lesson, progress: (progress: Progress) => void): Promise<Learnt | undefined> {
  const began = performance.now()
  await learnt?.trainer.release()
  learnt = undefined
  stopping = new AbortController()
  const { signal } = stopping
  const trainer = await Trainer.create(studied(), trainerOptions(lesson))
  try {
    const data = await datasetOf(lesson, progress, signal)
    let ended = 0
    const result = await trainer.fit(data, {
      signal,
      onFeatures: (done, total) => progress({ done, total, what: 'computing features' }),
      onStep: (done, total) =>
        progress({ done: ended + done / total, total: lesson.epochs, what: `epoch ${ended + 1} of ${lesson.epochs}` }),
      onEpoch: epoch => {
        ended = epoch.epoch
        progress({ done: ended, total: lesson.epochs, what: `epoch ${ended} of ${lesson.epochs}`, epoch })
      }
    })
    if (!result.history.length) throw new CairnError(result.stopped ?? 'nothing was learnt')
    learnt = { trainer, lesson }
    const { split, validation, history, bestEpoch, stopped, warnings } = result
    const mistakes = split.validation.flatMap((photo, i) => {
      const taken = validation!.predictions[i]
      return taken === data.labels[photo] ? [] : [{ photo, taken, probability: validation!.probabilities[i] }]
    })
    return {
      ...{ epochs: history.length, bestEpoch, mistakes, stopped, warnings, accuracy: validation!.accuracy },
      ...{ trained: split.training.length, validated: split.validation.length },
      milliseconds: performance.now() - began
    }
  } catch (error) {
    await trainer.release()
    if (signal.aborted) return undefined
    throw error
  } finally {
    stopping = undefined
  }
}

export function stopTraining(): void {
  stopping?.abort()
}

export async function recall({ patch, threads, ...lesson }: Recalled): Promise<void> {
  await learnt?.trainer.release()
  learnt = undefined
  const { port } = lesson
  const { height, width } = portOf(lesson)
  const shapes = { [port.name]: [1, ...axesOf(port, height, width)] }
  const file = await compile(await applyPatch(studied(), patch, { externalData }), { shapes })
  const session = await InferenceSession.create(file, { executionProviders: ['wasm'], numThreads: threads })
  const trainer: Head = {
    patch: () => patch,
    async predict(input) {
      const results = await session.run({ [port.name]: new Tensor('float32', input, shapes[port.name]) })
      return results.probabilities.data as Float32Array
    },
    release: () => session.release()
  }
  learnt = { trainer, lesson }
}

export async function classify({ picture }: Argument<'classify'>): Promise<number[]> {
  const { trainer, lesson } = pupil()
  const port = portOf(lesson)
  const { fitted } = fitPicture(picture, port, lesson.preparation)
  return [...(await trainer.predict(elementsOf(fitted, port, lesson.preparation)))]
}

export const patch = () => pupil().trainer.patch().slice()

export const patched = async () => (await applyPatch(studied(), pupil().trainer.patch(), { externalData })).slice()

/** A model with the head of a patch in it. */
export async function withPatch({ name, from, parts, patch }: Argument<'withPatch'>): Promise<Patched> {
  const { classes, preparation } = decodePatch(patch)
  const externalData = externalDataFrom('the model', parts)
  const content = await applyPatch(bytesOf(from), patch, { externalData }).catch(error => {
    throw error instanceof CairnError ? new CairnError(`${name}.patch: ${error.message}`) : error
  })
  return { content: content.slice(), classes, preparation }
}

/** Names of the classes that a patch tells apart. */
export const classesIn = ({ patch }: Argument<'classesIn'>) => decodePatch(patch).classes

function studied(): Uint8Array {
  if (!model) throw new CairnError('no model has been taken in for training')
  return model
}

function pupil(): NonNullable<typeof learnt> {
  if (!learnt) throw new CairnError('nothing has been trained yet')
  return learnt
}

/** Steps an epoch that a small collection shall give at least, and the largest batch. */
const [leastSteps, largestBatch] = [4, 32]

function trainerOptions(lesson: Lesson) {
  const { classes, photos, epochs, learningRate, unfreeze, threads: numThreads } = lesson
  const { height, width } = portOf(lesson)
  return {
    ...{ classes, epochs, learningRate, unfreeze, numThreads, device: 'auto' },
    batchSize: Math.max(1, Math.min(largestBatch, Math.ceil(photos.length / leastSteps))),
    ...{
      shapes: shapesOf(lesson),
      externalData,
      preparation: rememberedFor(lesson.port, lesson.preparation, [height, width])
    }
  }
}

function shapesOf(lesson: Pick<Lesson, 'port' | 'preparation'>): Record<string, number[]> | undefined {
  const { port } = lesson
  if (port.height !== undefined && port.width !== undefined) return undefined
  const { height, width } = portOf(lesson)
  return { [port.name]: [1, ...axesOf(port, height, width)] }
}

/** All photos are of one size while training; where the model leaves it free, squares of the size that was chosen. */
function portOf({ port, preparation }: { readonly port: PicturePort; readonly preparation: Preparation }) {
  const { size } = preparation
  const [high, wide] = typeof size === 'number' ? [port.width ?? size, port.height ?? size] : size
  return { ...port, height: port.height ?? high, width: port.width ?? wide }
}

async function datasetOf(
  lesson: Lesson,
  progress: (progress: Progress) => void,
  signal: AbortSignal
): Promise<Dataset> {
  const { photos, preparation } = lesson
  const port = portOf(lesson)
  const pictures: Picture[] = []
  for (const { content, name } of photos) {
    signal.throwIfAborted()
    pictures.push(fitPicture(await pictureFrom(content, name), port, preparation).fitted)
    progress({ done: pictures.length, total: photos.length, what: 'reading the photos' })
  }
  const augment = lesson.augmentations ? parseAugmentations(lesson.augmentations) : undefined
  return {
    labels: photos.map(({ label }) => label),
    augmented: augment !== undefined,
    input(index, random) {
      const picture = pictures[index]
      return elementsOf(augment && random ? augment(picture, random) : picture, port, preparation)
    }
  }
}
