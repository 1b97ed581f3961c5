import type { Type } from '../../../runtime/index.js'
import type { Preparation } from '../../pictures/index.js'

/** What the server's threads are asked, and how they answer. A thread has one job at a time. */
export interface Limits {
  readonly maxMemory?: number
  readonly maxWork?: number
}

/** How a model takes pictures, and what its classes are called. */
export interface Pictures {
  readonly labels?: readonly string[]
  readonly prepare?: Preparation
  /** Pixels of a picture at most. */
  readonly mostPixels?: number
  /** The output whose numbers are a picture's features, averaged over maps. */
  readonly features?: string
}

/** A tensor for a thread, in the memory that comes along. */
export interface Fed {
  readonly type: Type
  readonly dims: readonly number[]
  /** First byte, and how many; what begins here is aligned for every type. */
  readonly at: number
  readonly bytes: number
}

/** A tensor from a thread, handed over. */
export interface Sent {
  readonly type: Type
  readonly dims: readonly number[]
  readonly data: ArrayBuffer
}

export type Tensors = Readonly<Record<string, Sent>>

/** What is wanted of a picture: its best classes, what is where, its features, or the outputs as they are. */
export type Task =
  | { readonly kind: 'classify'; readonly count: number; readonly prepare?: Preparation }
  | { readonly kind: 'detect' | 'embed' | 'outputs' }

export interface Scored {
  readonly index: number
  readonly score: number
  readonly label?: string
}

export interface Found extends Scored {
  /** Left, top, right and bottom in pixels of the picture. */
  readonly box: readonly number[]
}

export type Work =
  | {
      readonly kind: 'tensors'
      /** Shared, and left alone until the job has ended, or handed over; undefined where it is what was shared last. */
      readonly memory: ArrayBuffer | SharedArrayBuffer | undefined
      readonly feeds: Readonly<Record<string, Fed>>
      readonly fetches?: readonly string[]
    }
  | { readonly kind: 'picture'; readonly name: string; readonly bytes: Uint8Array; readonly task: Task }

export type Request =
  | {
      readonly kind: 'open'
      readonly model: number
      readonly file: Uint8Array
      readonly limits: Limits
      readonly pictures: Pictures
      /** Whether to find out that rows do not depend on each other. */
      readonly probe: boolean
    }
  | { readonly kind: 'close'; readonly model: number }
  | { readonly kind: 'run'; readonly job: number; readonly model: number; readonly work: Work }
  | { readonly kind: 'cancel'; readonly job: number }

export interface Opened {
  readonly memory: number
  /** Rows may be run together: each gives what it gives alone. */
  readonly independent: boolean
}

export interface Done {
  readonly milliseconds: number
  readonly tensors?: Tensors
  /** What was made of a picture, as it goes into JSON. */
  readonly value?: PictureResult
}

export type PictureResult =
  | { readonly classes: readonly Scored[] }
  | { readonly boxes: readonly Found[] }
  | { readonly features: Float32Array }
  | {
      readonly outputs: Readonly<Record<string, { readonly dims: readonly number[]; readonly data: readonly number[] }>>
    }

export type Reply =
  | { readonly kind: 'opened'; readonly model: number; readonly opened: Opened }
  | { readonly kind: 'refused'; readonly model: number; readonly error: Refusal }
  | { readonly kind: 'done'; readonly job: number; readonly done: Done }
  | { readonly kind: 'failed'; readonly job: number; readonly error: Refusal }

export interface Refusal {
  readonly name: string
  readonly message: string
}
