/** `cairnjs/train`: heads and last blocks of any ONNX CNN, trained on the CPU path, in Node and in browsers. */
import { registerBackend } from '../runtime/backend/backend.js'
import { wasmBackend } from '../runtime/cpu/wasm.js'

export { classesOf } from '../compiler/onnx/write.js'
export { type Augmentation, augmentations, parseAugmentations } from '../runtime/train/augment.js'
export { FeatureIndex, type Neighbour, type Vote } from '../runtime/train/neighbours.js'
export { Random } from '../runtime/train/random.js'
export { type Split, type SplitOptions, stratifiedSplit } from '../runtime/train/split.js'
export type { Dataset } from './dataset.js'
export type { EpochRecord, Evaluation } from './loop.js'
export { applyPatch } from './merge.js'
export { optimizers, type TrainerOptions } from './options.js'
export { decodePatch, type Patch } from './patch.js'
export type { ImagePreparation } from './preparation.js'
export type { Optimizer } from './step.js'
export { type FitOptions, type FitResult, Trainer } from './trainer.js'

registerBackend(wasmBackend)
