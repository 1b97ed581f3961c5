import { augmentations, initialisationHelp, scheduleHelp } from '../../runtime/train/index.js'
import { lossNames, optimizers, type TrainerOptions } from '../../train/index.js'
import { imageOptions } from '../pictures/index.js'
import { type Flags, type Option, UsageError } from '../terminal/index.js'
import { int8Options } from './int8.js'

/** The flags of `cairn train`, and what they say to a Trainer. */
export const trainOptions: readonly Option[] = [
  {
    flag: '--data',
    value: 'DIR',
    help: 'one folder of images a class, or train/ and val/ of such; also a .tar of it, or the IDX files of MNIST'
  },
  {
    flag: '-o, --out',
    value: 'FILE',
    help: "what is written: a head .patch (the model's name by default), a whole .cairn, or an .onnx"
  },
  { flag: '--epochs', value: 'N', help: 'passes over the images (default 15, more where images are few)' },
  { flag: '--unfreeze', value: 'N|all', help: 'train the last N blocks with the head (default 0: the head alone)' },
  { flag: '--optimizer', value: 'NAME', help: `${optimizers.join(', ')} (default adam)` },
  { flag: '--loss', value: 'NAME', help: `${lossNames.join(', ')} (default cross-entropy)` },
  { flag: '--lr', value: 'X', help: 'learning rate (default 0.001 for adam and adamw, else 0.01)' },
  { flag: '--backbone-rate', value: 'X', help: 'what unfrozen blocks multiply it with (default 0.1)' },
  { flag: '--schedule', value: 'NAME', help: `${scheduleHelp} (default cosine)` },
  { flag: '--momentum', value: 'X', help: "momentum, or adam's first beta (default 0.9)" },
  { flag: '--decay', value: 'X', help: 'weight decay, L2; decoupled for adamw (default 0)' },
  { flag: '--l1', value: 'X', help: 'L1 decay (default 0)' },
  { flag: '--clip', value: 'X', help: 'largest norm of all gradients together (default: none)' },
  { flag: '--smoothing', value: 'X', help: 'label smoothing (default 0)' },
  { flag: '--dropout', value: 'X', help: 'share of the features that each step leaves out (default 0)' },
  { flag: '--class-weights', value: 'balanced|W,W', help: 'what the images of each class count' },
  { flag: '--batch', value: 'N', help: 'images a step (default 32)' },
  {
    flag: '--augment',
    value: 'LIST',
    help: `changes of training images, as flip,shift=0.1: ${Object.keys(augmentations).join(', ')}`
  },
  { flag: '--show-augment', value: 'F.png', help: 'write a sheet of augmented images, and train nothing' },
  { flag: '--copies', value: 'N', help: 'augmented variants an image whose features are kept (default 4)' },
  { flag: '--validation', value: 'X', help: 'share of each class that validates (default 0.2)' },
  {
    flag: '--groups',
    value: 'REGEX',
    help: 'images whose names match alike (first parenthesis) stay on one side of the split'
  },
  { flag: '--patience', value: 'N', help: 'end after N epochs without a better validation' },
  { flag: '--head-epochs', value: 'N', help: 'epochs of the head alone before blocks are unfrozen (default a third)' },
  { flag: '--initialise', value: 'NAME', help: `train the whole network from scratch: ${initialisationHelp}` },
  {
    flag: '--batchnorm',
    help: 'batch statistics in the BatchNormalizations that are trained (default with --initialise)'
  },
  {
    flag: '--cut',
    value: 'NODE',
    help: 'the node whose output are the features (default: in front of the last layer)'
  },
  { flag: '--seed', value: 'N', help: 'the same seed gives the same weights (default 0)' },
  { flag: '--device', value: 'wasm|reference', help: 'what trains (default wasm)' },
  { flag: '--threads', value: 'N', help: 'threads of the CPU path, 1 to 16 (default: the cores, up to 4)' },
  { flag: '--report', value: 'F.html', help: 'write a page of curves, confusions, filters and feature maps' },
  { flag: '--metrics', value: 'F.jsonl', help: 'append one JSON object an epoch' },
  { flag: '--checkpoint', value: 'FILE', help: 'where each epoch is kept (default: the output with .checkpoint)' },
  { flag: '--resume', help: 'go on from the checkpoint of a training that was stopped or killed' },
  { flag: '--check', help: 'check gradients by differences and overfit one small batch, and train nothing' },
  { flag: '--find-lr', help: 'try growing learning rates and suggest one, and train nothing' },
  { flag: '--knn', value: 'K', help: 'classify validation by the K nearest features, and train nothing' },
  ...int8Options,
  ...imageOptions
]

export function trainerOptionsOf(flags: Flags, threads: number): Omit<TrainerOptions, 'classes'> {
  const unfreeze = flags.text('unfreeze')
  const blocks = unfreeze === undefined || unfreeze === 'all' ? unfreeze : Number(unfreeze)
  if (typeof blocks === 'number' && !(Number.isSafeInteger(blocks) && blocks >= 0))
    throw new UsageError(`--unfreeze ${unfreeze}: a number of blocks, or all, is allowed`)
  const weights = flags.text('class-weights')
  return {
    cut: flags.text('cut'),
    unfreeze: blocks as TrainerOptions['unfreeze'],
    initialise: flags.text('initialise'),
    batchNorm: flags.has('batchnorm') ? true : undefined,
    optimizer: flags.choice('optimizer', optimizers, 'adam'),
    loss: flags.choice('loss', lossNames, 'cross-entropy'),
    learningRate: flags.number('lr'),
    momentum: flags.number('momentum'),
    weightDecay: flags.number('decay'),
    l1: flags.number('l1'),
    clip: flags.number('clip'),
    backboneRate: flags.number('backbone-rate'),
    dropout: flags.number('dropout'),
    schedule: flags.text('schedule'),
    epochs: flags.whole('epochs'),
    headEpochs: flags.whole('head-epochs', 0),
    batchSize: flags.whole('batch'),
    labelSmoothing: flags.number('smoothing'),
    classWeights: weights === 'balanced' ? weights : flags.numbers('class-weights'),
    patience: flags.whole('patience'),
    copies: flags.whole('copies'),
    seed: flags.whole('seed', 0),
    device: flags.choice('device', ['wasm', 'reference'], 'wasm'),
    numThreads: threads
  }
}
