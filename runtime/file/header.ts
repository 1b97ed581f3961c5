import type { Source } from './bytes.js'
import type { Golden } from './expected.js'
import type { Constant, Program } from './program.js'

/** A constant whose elements are still in the file. */
export interface Section extends Omit<Constant, 'data'> {
  readonly offset: number
  readonly bytes: number
  readonly digest: number
}

/** A decoded file: the program without its constants' data, and where that lies. */
export interface CairnFile {
  readonly header: Header
  readonly source: Source
  /** Bytes of the whole file, as its header has it. */
  readonly length: number
}

export interface Header extends Omit<Program, 'constants'> {
  readonly constants: readonly Section[]
  /** Arena for free dimensions of 1, and its lower bound, in bytes. */
  readonly arena: number
  readonly arenaLowerBound: number
  readonly nodesBefore: number
  readonly nodesAfter: number
  readonly batchNormsFolded: number
  /** ONNX operators of the model that was compiled, each once. */
  readonly operators: readonly string[]
  /** What the self-check compares with, where the file was compiled with it. */
  readonly golden?: Golden
}
