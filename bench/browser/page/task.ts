// What Node and the page tell each other.
export const pageEngines = ['cairn', 'ort-web', 'tfjs', 'litert'] as const
export type PageEngine = (typeof pageEngines)[number]

export type Numbers = 'float32' | 'int8'

/** A tensor of a .tflite file: its axes lie in memory in `order`. */
export interface Laid {
  readonly name: string
  readonly dims: readonly number[]
  readonly order: readonly number[]
}

/** One runtime with one file. */
export interface Entry {
  readonly engine: PageEngine
  readonly numbers: Numbers
  /** Where the page finds the file. */
  readonly url: string
  /** Of .tflite files, which know no names of ONNX. */
  readonly inputs?: readonly Laid[]
  readonly outputs?: readonly Laid[]
  /** Against Cairn's outputs on the same numbers, over the largest of them. */
  readonly tolerance: number
}

export interface Task {
  readonly threads: number
  readonly seconds: number
  readonly feeds: readonly { readonly name: string; readonly dims: readonly number[]; readonly url: string }[]
  /** Cairn's before those that are compared with it. */
  readonly entries: readonly Entry[]
}

export interface Result {
  readonly engine: PageEngine
  readonly numbers: Numbers
  /** Milliseconds of each round. */
  readonly times?: readonly number[]
  readonly error?: number
  /** Some of it runs on plain kernels, which the runtime's fast ones do not cover. */
  readonly partly?: boolean
  /** Why there are no figures. */
  readonly refusal?: string
}
