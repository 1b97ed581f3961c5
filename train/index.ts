/** `cairnjs/train`: heads and last blocks of any ONNX CNN, trained on the CPU path, in Node and in browsers. */
import { registerBackend } from '../runtime/backend/index.js'
import { wasmBackend } from '../runtime/cpu/index.js'

export { classesOf } from '../compiler/onnx/index.js'
export {
  type Augmentation,
  augmentations,
  FeatureIndex,
  type Neighbour,
  parseAugmentations,
  Random,
  type Split,
  type SplitOptions,
  stratifiedSplit,
  type Vote
} from '../runtime/train/index.js'
export type { Dataset } from './dataset.js'
export type { FineTuneOptions, Quantised } from './int8/fine-tune.js'
export type { EpochRecord, Evaluation } from './loop.js'
export { applyPatch } from './merge.js'
export { type Loss, lossNames } from './network/losses.js'
export { optimizers, type TrainerOptions } from './options.js'
export { decodePatch, type Patch } from './patch.js'
export type { ImagePreparation } from './preparation.js'
export type { Optimizer } from './step.js'
export { type FitOptions, type FitResult, Trainer } from './trainer.js'

registerBackend(wasmBackend)
