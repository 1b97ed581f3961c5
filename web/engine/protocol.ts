import type { CallTime, Picture } from 'cairnjs'
import type { Inspection, LayerInfo } from 'cairnjs/compiler'
import type { Method as Explaining } from 'cairnjs/explain'
import type { EpochRecord, ImagePreparation } from 'cairnjs/train'
import type { PicturePort, Preparation, Region } from '../photo/prepare.js'

/** What the page asks of the engine's worker, and what that answers: plain data, which can be posted. */
export interface Api {
  devices(): Availability[]
  zoo(): ZooNetwork[]
  /** What a file is by its first bytes, where that is known. Does not wait for its turn. */
  kind(file: { readonly head: Uint8Array }): Kind | undefined
  /** Compiles it; what is open stays so until the new one is loaded. */
  open(given: Given): Opened
  load(wanted: Wanted): Loaded
  run(job: Job): Ran
  /** Milliseconds of each of several runs on the last input. */
  time(job: { readonly runs: number }): number[]
  /** Each call's median time on the last input. */
  profile(job: { readonly runs: number }): CallTime[]
  /** Goes over to the number of threads that is fastest on the last input; nothing once another question has come. */
  probe(job: { readonly threads: readonly number[] }): Probed | undefined
  /** The model at the last input's shape. */
  inspect(job: { readonly threads: number }): Inspection
  /** Its layers at that shape; nothing for a file that had been compiled already. */
  layers(): LayerInfo[] | undefined
  file(): Uint8Array<ArrayBuffer>
  /** Why the model gives the picture a class; nothing once another question has come. */
  explain(asked: Asked): Explained | undefined
  /** What a layer makes of the picture. */
  layerPicture(asked: AskedMaps): LayerPicture
  /** Quantises an ONNX model by photos; as `open`, with what that costs. */
  quantise(job: Quantising): Quantised
  /** Takes an ONNX model in, to train it. */
  study(given: Pick<Given, 'from' | 'parts'> & Pick<Lesson, 'port' | 'preparation'>): Studied
  /** Nothing when it was stopped before anything was learnt. */
  train(lesson: Lesson): Learnt | undefined
  /** Ends the training that is under way; the best weights are kept. Does not wait for its turn. */
  stopTraining(): void
  /** Takes in what was learnt before. */
  recall(head: Recalled): void
  /** The probabilities of the classes that were learnt. */
  classify(seen: { readonly picture: Picture }): number[]
  /** What was learnt, alone and as an ONNX model. */
  patch(): Uint8Array<ArrayBuffer>
  patched(): Uint8Array<ArrayBuffer>
  /** A model with a head that was learnt elsewhere. */
  withPatch(given: Pick<Given, 'name' | 'from' | 'parts'> & { readonly patch: Uint8Array }): Patched
  classesIn(given: { readonly patch: Uint8Array }): readonly string[]
}

export interface Availability {
  readonly name: string
  /** Why the device cannot be had here; nothing when it can. */
  readonly missing: string | undefined
}

export interface Kind {
  readonly name: string
  /** With its article, and what to do about it. */
  readonly what: string
}

export interface ZooNetwork {
  readonly key: string
  readonly title: string
  readonly paper: string
  readonly parameters: number
}

/** Bytes of a model, or the name of an architecture of the zoo. */
export interface Given {
  readonly name: string
  readonly from: Uint8Array | { readonly zoo: string }
  readonly weights: 'f32' | 'f16'
  /** Among which are the files that hold its weights, if others than its own do. */
  readonly parts?: readonly Part[]
}

/** An ONNX model and the photos that its ranges are measured on. */
export interface Quantising extends Pick<Given, 'name' | 'from' | 'parts'> {
  readonly photos: readonly { readonly content: Blob; readonly name: string }[]
  readonly port: PicturePort
  readonly preparation: Preparation
}

export interface Quantised {
  /** Which of those that were opened it is. */
  readonly id: number
  readonly bytes: number
  readonly milliseconds: number
  /** Root mean square error of the outputs over their own, on the photos. */
  readonly error: number
  /** Layers with weights, and those of them that compute in 8 bits. */
  readonly layers: number
  readonly narrow: number
  readonly notes: readonly string[]
}

export interface Patched {
  readonly content: Uint8Array<ArrayBuffer>
  readonly classes: readonly string[]
  /** Nothing where the patch does not tell how its photos were prepared. */
  readonly preparation: ImagePreparation | undefined
}

export interface Part {
  readonly name: string
  readonly content: Blob
}

export interface PassReport {
  readonly name: string
  readonly did: string | undefined
  /** Nodes before and behind it. */
  readonly before: number
  readonly after: number
}

export interface Opened {
  /** Which of those that were opened it is. */
  readonly id: number
  readonly name: string
  /** Names of the files beside its own that hold its weights. */
  readonly parts: readonly string[]
  /** Bytes that were given and bytes of the .cairn file. */
  readonly given: number
  readonly bytes: number
  readonly milliseconds: number
  /** Nothing for a file that had been compiled already. */
  readonly passes: readonly PassReport[] | undefined
  readonly model: Inspection
  /** Names of its classes, where the ONNX file has them. */
  readonly classes: readonly string[] | undefined
}

export interface Wanted {
  readonly id: number
  /** Its name, or `auto`. */
  readonly device: string
  readonly threads: number
}

export interface Loaded {
  readonly device: string
  /** What `auto` has measured. */
  readonly choice: string | undefined
  readonly threads: number
  readonly milliseconds: number
  readonly memory: number
}

export interface Probed {
  readonly threads: number
  /** Median milliseconds of a run, by the number of threads. */
  readonly times: readonly (readonly [threads: number, milliseconds: number])[]
}

export interface Job {
  readonly picture: Picture
  readonly preparation: Preparation
}

export interface Output {
  readonly name: string
  readonly type: string
  readonly dims: readonly number[]
  readonly data: Float32Array
}

export interface Ran {
  readonly outputs: readonly Output[]
  readonly milliseconds: number
  readonly device: string
  readonly threads: number
  /** What it took to make the picture the model's input. */
  readonly preparing: number
  /** Height and width of the input, and what part of the picture it shows; nothing for models that take no picture. */
  readonly shown: { readonly height: number; readonly width: number; readonly region: Region } | undefined
}

/** A way to explain, and the class, the best one where none is given. */
export interface Asked extends Job {
  readonly method: Explaining
  readonly class: number | undefined
}

/** A layer, by the name of its node. */
export interface AskedMaps extends Job {
  readonly node: string
}

export interface LayerPicture {
  /** Of the node behind its activation. */
  readonly name: string
  readonly units: number
  readonly height: number
  readonly width: number
  /** Maps side by side, RGBA, and how many of them. */
  readonly sheet: Picture
  readonly shown: number
  readonly milliseconds: number
}

export interface Explained {
  readonly class: number
  readonly scores: Float32Array
  /** The map's colours, RGBA, for the part of the picture that the model has seen. */
  readonly painted: Picture
  readonly region: Region
  /** The layer, its rows and columns, where one was weighed. */
  readonly layer: { readonly name: string; readonly height: number; readonly width: number } | undefined
  /** How far integrated gradients miss what they have to add up to. */
  readonly error: number | undefined
  readonly milliseconds: number
  /** Whether something was compiled for it, which the next one need not. */
  readonly isFirst: boolean
}

export interface Studied {
  /** How many blocks with weights lie before the head. */
  readonly blocks: number
  readonly augmentations: readonly { readonly name: string; readonly help: string }[]
}

/** Classes with their photos, and how a model shall learn them. */
export interface Lesson extends LessonOptions {
  readonly classes: readonly string[]
  readonly photos: readonly { readonly content: Blob; readonly name: string; readonly label: number }[]
  readonly port: PicturePort
  readonly preparation: Preparation
  readonly threads: number
}

export interface Recalled extends Pick<Lesson, 'port' | 'preparation' | 'threads'> {
  readonly patch: Uint8Array
}

export interface LessonOptions {
  readonly epochs: number
  readonly learningRate: number
  /** Blocks that are trained beside the head. */
  readonly unfreeze: number
  /** A list of names; none for photos as they are. */
  readonly augmentations: string
}

export interface Learnt {
  readonly epochs: number
  readonly bestEpoch: number
  /** On photos that were kept from training. */
  readonly accuracy: number
  readonly trained: number
  readonly validated: number
  /** Photos of the lesson that it takes for another class. */
  readonly mistakes: readonly { readonly photo: number; readonly taken: number; readonly probability: number }[]
  readonly stopped: string | undefined
  readonly warnings: readonly string[]
  readonly milliseconds: number
}

export interface Progress {
  readonly done: number
  readonly total: number
  readonly what: string
  /** An epoch of a training that has just ended. */
  readonly epoch?: EpochRecord
}

export type Method = keyof Api
export type Argument<M extends Method> = Parameters<Api[M]>[0]
export type Answer<M extends Method> = ReturnType<Api[M]>

export interface Question {
  readonly id: number
  readonly method: Method
  readonly argument: unknown
}

export type Reply = { readonly id: number } & (
  | { readonly value: unknown }
  | { readonly error: string }
  | { readonly progress: Progress }
)
