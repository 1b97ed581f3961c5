import type { ImportOptions } from '../compiler/onnx/index.js'
import { CairnError } from '../runtime/base/index.js'
import { type Initialisation, parseInitialisation, parseSchedule, type Schedule } from '../runtime/train/index.js'
import { type Loss, lossNames } from './network/losses.js'
import { type ImagePreparation, isPreparation } from './preparation.js'
import type { Optimizer, UpdateOptions } from './step.js'

/** How a network is trained; all of it has a default. */
export interface TrainerOptions extends ImportOptions {
  /** Names of the classes, at least two; labels count them from 0. */
  readonly classes: readonly string[]
  /** A node or value whose output are the features; by default what the last layer with weights reads. */
  readonly cut?: string
  /** Blocks that are trained beside the head, counted from the end; `all` for the whole network. Default 0. */
  readonly unfreeze?: number | 'all'
  /** Draws all trained weights anew (`he`, `xavier`, `normal=0.01`, `zeros`); by default only the head's, by `xavier`. */
  readonly initialise?: string
  /** Batch statistics and running averages in BatchNormalization of the trained blocks; by default only with `initialise`. */
  readonly batchNorm?: boolean
  /** Default `adam`. */
  readonly optimizer?: Optimizer
  /**
   * What is made small: `cross-entropy` (the default) of a softmax over the scores, `mse`, the mean squared distance from 1 for the
   * class and 0 for the others, or `hinge`, the sum of the margins that other classes break.
   */
  readonly loss?: Loss
  /** Default 0.001 for adam and adamw, else 0.01. */
  readonly learningRate?: number
  /** Momentum, or the first moment's of adam; default 0.9. */
  readonly momentum?: number
  /** L2 decay, decoupled for adamw; default 0. */
  readonly weightDecay?: number
  /** L1 decay; default 0. */
  readonly l1?: number
  /** Largest norm of all gradients together; default 0, which is none. */
  readonly clip?: number
  /** What the learning rate of unfrozen blocks is multiplied with. Default 0.1; 1 with `initialise`. */
  readonly backboneRate?: number
  /** Share of the features that is dropped while training. */
  readonly dropout?: number
  /** Default `cosine`. */
  readonly schedule?: string
  /** Passes over the examples; default 15. */
  readonly epochs?: number
  /** Epochs of the head alone before blocks are unfrozen. Default a third of `epochs`. */
  readonly headEpochs?: number
  /** Examples a step; default 32. */
  readonly batchSize?: number
  /** Share of the probability that is spread over all classes, from 0 to below 1; default 0. */
  readonly labelSmoothing?: number
  /** Classes weigh alike however many images they have (`balanced`), or as given. */
  readonly classWeights?: 'balanced' | readonly number[]
  /** Epochs without a better validation after which training ends. */
  readonly patience?: number
  /** Augmented variants of each image whose features are kept, where part of the network is frozen. Default 4. */
  readonly copies?: number
  /** A whole number from 0 to 2³² - 1; the same gives the same weights. Default 0. */
  readonly seed?: number
  /** How images become the dataset's inputs: kept in the patch, for whoever runs it. */
  readonly preparation?: ImagePreparation
  /** Default `wasm`; `reference` computes in double precision. */
  readonly device?: string
  /** Threads of the CPU path, 1 to 16; default 1. */
  readonly numThreads?: number
}

export interface Settings extends UpdateOptions {
  readonly classes: readonly string[]
  readonly scratch: boolean
  readonly initialise: Initialisation
  readonly batchNorm: boolean
  readonly learningRate: number
  readonly dropout: number
  readonly schedule: Schedule
  readonly epochs: number
  readonly headEpochs: number
  readonly batchSize: number
  readonly labelSmoothing: number
  readonly classWeights: TrainerOptions['classWeights']
  readonly patience: number
  readonly copies: number
  readonly seed: number
  readonly device: string
  readonly numThreads: number
}

/** Names of optimisers that `TrainerOptions.optimizer` takes. */
export const optimizers: readonly Optimizer[] = ['sgd', 'momentum', 'nesterov', 'adam', 'adamw']

/** Throws CairnError for what cannot be. */
export function settingsOf(options: TrainerOptions): Settings {
  const { classes, optimizer = 'adam', loss = 'cross-entropy', initialise, epochs = 15, unfreeze } = options ?? {}
  if (!Array.isArray(classes) || classes.length < 2)
    throw new CairnError(`${classes?.length ?? 0} class; training needs at least two classes`)
  if (!lossNames.includes(loss)) throw new CairnError(`loss ${loss}; ${lossNames.join(', ')} are allowed`)
  if (loss === 'hinge' && options.labelSmoothing)
    throw new CairnError(
      'labelSmoothing is of no use with loss hinge, which asks for margins; cross-entropy and mse take it'
    )
  const twice = classes.find((name, i) => classes.indexOf(name) !== i)
  if (twice !== undefined) throw new CairnError(`two classes are named "${twice}"`)
  if (!optimizers.includes(optimizer))
    throw new CairnError(`optimizer ${optimizer}; ${optimizers.join(', ')} are allowed`)
  const number = (name: keyof TrainerOptions, fallback: number, least = 0, below = Number.POSITIVE_INFINITY) => {
    const value = (options[name] as number | undefined) ?? fallback
    if (!(value >= least && value < below))
      throw new CairnError(`${name} ${value}; from ${least}${below < Infinity ? ` to below ${below}` : ''} is allowed`)
    return value
  }
  const whole = (name: keyof TrainerOptions, fallback: number, least: number, below?: number) => {
    const value = number(name, fallback, least, below)
    if (!Number.isInteger(value)) throw new CairnError(`${name} ${value}; a whole number is allowed`)
    return value
  }
  const { classWeights, preparation } = options
  if (preparation !== undefined && !isPreparation(preparation))
    throw new CairnError(
      'preparation: { channels, scale, mean, std, fit } is allowed, with resize and size; std may hold no 0'
    )
  checkClassWeights(classWeights, classes.length)
  const scratch = initialise !== undefined
  const headEpochs = scratch || !unfreeze ? 0 : whole('headEpochs', Math.min(Math.ceil(epochs / 3), epochs - 1), 0)
  if (headEpochs > 0 && headEpochs >= epochs)
    throw new CairnError(`headEpochs ${headEpochs} of ${epochs} epochs leave none for the blocks; fewer are allowed`)
  return {
    classes,
    scratch,
    initialise: parseInitialisation(initialise ?? 'xavier'),
    batchNorm: options.batchNorm ?? scratch,
    optimizer,
    loss,
    learningRate: number('learningRate', optimizer.startsWith('adam') ? 1e-3 : 1e-2),
    momentum: number('momentum', 0.9, 0, 1),
    weightDecay: number('weightDecay', 0),
    l1: number('l1', 0),
    clip: number('clip', 0),
    backboneRate: number('backboneRate', scratch ? 1 : 0.1),
    dropout: number('dropout', 0, 0, 1),
    schedule: parseSchedule(options.schedule ?? 'cosine'),
    epochs: whole('epochs', epochs, 1),
    headEpochs,
    batchSize: whole('batchSize', 32, 1),
    labelSmoothing: number('labelSmoothing', 0, 0, 1),
    classWeights,
    patience: whole('patience', Number.MAX_SAFE_INTEGER, 1),
    copies: whole('copies', 4, 1),
    seed: whole('seed', 0, 0, 2 ** 32),
    device: options.device ?? 'wasm',
    numThreads: whole('numThreads', 1, 1)
  }
}

function checkClassWeights(given: TrainerOptions['classWeights'], classes: number): void {
  if (given === undefined || given === 'balanced') return
  if (!Array.isArray(given)) throw new CairnError(`classWeights ${given}; balanced, or a number a class, is allowed`)
  if (given.length !== classes) throw new CairnError(`${given.length} class weights for ${classes} classes`)
  const wrong = given.find(weight => !(weight >= 0 && weight < Number.POSITIVE_INFINITY))
  if (wrong !== undefined || given.every(weight => weight === 0))
    throw new CairnError(`class weight ${wrong ?? 0}; numbers from 0 are allowed, not all of them 0`)
}
