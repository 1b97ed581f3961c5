// Networks that Cairn trains on real pictures, for the table of accuracies: trained once, and kept.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Preparation } from '../../cli/pictures/index.js'
import { imagePort } from '../../cli/pictures/index.js'
import { PictureDataset, type Pictures } from '../../cli/train/index.js'
import { build } from '../../compiler/index.js'
import { zoo } from '../../models/index.js'
import { applyPatch, Random, stratifiedSplit, Trainer, type TrainerOptions } from '../../train/index.js'

/** Where data and models lie, and where what has been trained is kept. */
export interface Places {
  readonly models: string
  readonly cache: string
  /** Pictures by the name of their set. */
  readonly pictures: Readonly<Record<DataName, Pictures>>
}

export type DataName = 'sign digits' | 'Fashion-MNIST'

export interface Recipe {
  readonly network: string
  readonly data: DataName
  readonly model: (places: Places) => Uint8Array
  readonly prepare: Preparation
  readonly augment: string
  /** Pictures that are trained on, where it is not all of them. */
  readonly most?: number
  readonly options: Omit<TrainerOptions, 'classes'>
}

/** A trained network with the pictures that it has not seen, and those that may calibrate. */
export interface Trained {
  readonly model: Uint8Array
  readonly dataset: PictureDataset
  readonly training: readonly number[]
  readonly test: readonly number[]
}

const prepared: Preparation = {
  ...{ size: undefined, resize: undefined, fit: 'stretch', layout: undefined, bgr: false },
  ...{ scale: 1 / 255, mean: undefined, std: undefined, plain: false }
}
const centred: Preparation = { ...prepared, scale: 1 / 127.5, mean: [1], std: [1] }
const shared =
  (file: string) =>
  ({ models }: Places) =>
    new Uint8Array(readFileSync(join(models, file)))
const seed = 1

export const recipes: readonly Recipe[] = [
  {
    network: 'MobileNetV2',
    data: 'sign digits',
    model: shared('mobilenet_v2_imagenet.onnx'),
    prepare: centred,
    augment: 'shift',
    options: { unfreeze: 2, epochs: 50, headEpochs: 40, copies: 2, backboneRate: 0.3, seed }
  },
  {
    network: 'MobileNetV1 0.25-128',
    data: 'sign digits',
    model: shared('mobilenet_v1_025_128_imagenet.onnx'),
    prepare: centred,
    augment: 'shift',
    options: { unfreeze: 6, epochs: 60, headEpochs: 40, copies: 3, backboneRate: 0.3, seed }
  },
  {
    network: 'SqueezeNet 1.1',
    data: 'sign digits',
    model: shared('squeezenet1_1_imagenet.onnx'),
    prepare: { ...prepared, bgr: true, scale: 1, mean: [104, 117, 123], std: [1] },
    augment: 'shift',
    options: { unfreeze: 3, epochs: 50, headEpochs: 40, copies: 2, backboneRate: 0.3, seed }
  },
  {
    network: 'ResNet-20',
    data: 'sign digits',
    model: shared('resnet20_cifar10.onnx'),
    prepare: prepared,
    augment: 'shift',
    options: { unfreeze: 'all', epochs: 12, headEpochs: 2, backboneRate: 1, seed }
  },
  {
    network: 'LeNet-5',
    data: 'Fashion-MNIST',
    model: () => zoo.lenet5.build(),
    prepare: { ...prepared, mean: [0], std: [1] },
    augment: '',
    options: { initialise: 'xavier', epochs: 6, batchSize: 64, learningRate: 2e-3, seed }
  },
  {
    network: 'ResNet-20',
    data: 'Fashion-MNIST',
    model: shared('resnet20_cifar10.onnx'),
    prepare: prepared,
    augment: '',
    most: 10_000,
    options: { unfreeze: 'all', epochs: 3, headEpochs: 1, backboneRate: 1, batchSize: 64, seed }
  }
]

export const nameOf = ({ network, data }: Recipe): string => `${network}, ${data}`

/** What the data keeps apart, else half of each class: the more pictures, the less chance there is in a difference. */
function splitOf({ labels, validation }: Pictures, most: number | undefined) {
  const split = validation
    ? { training: withoutAll(labels.length, validation), validation }
    : stratifiedSplit(labels, { validation: 0.5, seed })
  const training = most ? new Random(seed).shuffle([...split.training]).slice(0, most) : split.training
  return { training, test: split.validation }
}

function withoutAll(count: number, taken: readonly number[]): number[] {
  const set = new Set(taken)
  return Array.from({ length: count }, (_, i) => i).filter(i => !set.has(i))
}

/** Trains, or reads what was trained before. No picture of the test is looked at. */
export async function trainedOf(recipe: Recipe, places: Places): Promise<Trained> {
  const { data, model, prepare, augment, most, options } = recipe
  const pictures = places.pictures[data]
  const bytes = model(places)
  const port = imagePort(build(bytes).program, prepare.layout)
  const { training, test } = splitOf(pictures, most)
  const file = join(places.cache, `${nameOf(recipe).replace(/[^\w.]+/g, '-')}.onnx`)
  const made = JSON.stringify({ prepare, augment, training: training.length, options })
  if (!existsSync(file) || readFileSync(`${file}.json`, 'utf8') !== made) {
    const dataset = new PictureDataset(pictures, port, prepare, augment)
    const trainer = await Trainer.create(bytes, { ...options, classes: pictures.classes })
    const began = Date.now()
    const { history, warnings } = await trainer.fit(dataset, {
      split: { training, validation: [] },
      onEpoch: ({ epoch, trainLoss, trainAccuracy }) =>
        console.error(
          `${nameOf(recipe)}, epoch ${epoch}: loss ${trainLoss.toFixed(3)}, ${(trainAccuracy * 100).toFixed(1)} %, ${Math.round((Date.now() - began) / 1000)} s`
        )
    })
    for (const warning of warnings) console.error(`${nameOf(recipe)}: ${warning}`)
    if (history.length < trainer.settings.epochs) throw new Error(`${nameOf(recipe)} was not trained to its end`)
    mkdirSync(places.cache, { recursive: true })
    writeFileSync(file, await applyPatch(bytes, trainer.patch()))
    writeFileSync(`${file}.json`, made)
    await trainer.release()
  }
  const dataset = new PictureDataset(pictures, port, prepare, '')
  return { model: new Uint8Array(readFileSync(file)), dataset, training, test }
}
