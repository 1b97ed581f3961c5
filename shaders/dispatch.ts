/**
 * How each kernel runs on a GPU: which shader modules, with which constants, in how many workgroups. Parameters come as a
 * block by field name: the kernel's own fields and, for each buffer, `<name>At`, its address in elements.
 */
export type Block = Readonly<Record<string, number>>

export interface Dispatch {
  /** Files of the module behind the arena's, in order; one with a `-packed` or `-subgroups` beside it is that where language or device has it. */
  readonly files: readonly string[]
  /** Name of the entry point. */
  readonly entry: string
  /** Override constants of the pipeline; switches are 0 and 1. */
  readonly constants?: Readonly<Record<string, number>>
  /** Reads what the setup calls have made instead of constants. */
  readonly derived?: boolean
  /** Whether everything that the module loads and stores is aligned to four elements. */
  readonly vector: boolean
  /** Workgroups in each dimension. */
  readonly groups: readonly [x: number, y: number, z: number]
}

export interface Shader {
  /** The WGSL struct of the parameter block. */
  readonly block: string
  /** Fields at its end that calls of a file do not have. */
  readonly added?: readonly string[]
  /** The buffer that may be constants in half precision. */
  readonly halves?: string
  /** The buffer that is constants of 8 bits, four to a word. */
  readonly bytes?: string
  /** Buffers with an element for each column of that operand, where columns can be made apart. */
  readonly byColumn?: readonly string[]
  /** Buffers that may be constants or activations: their addresses say which. */
  readonly either?: readonly string[]
  /** Elements of scratch memory that the kernel needs here; none by default. */
  scratch?(p: Block, imitated?: boolean): number
  /** For a GPU, or for a program on the CPU that imitates one. */
  dispatches(p: Block, imitated?: boolean): Dispatch[]
}

/** The most workgroups in one dimension on every device. */
const widest = 65535

export const ceil = (count: number, size: number) => Math.ceil(count / size)

/** `count` workgroups, folded into two dimensions where one is too short. */
export function each(count: number): [number, number, number] {
  const groups = Math.max(count, 1)
  const rows = ceil(groups, widest)
  return [ceil(groups, rows), rows, 1]
}

/** Workgroups of 64 for a list of `count` invocations. */
export const list = (count: number) => each(ceil(count, 64))

/** A list of `count` elements, four to an invocation where they are aligned and else one (lanes.wgsl). */
export function inLanes(files: readonly string[], entry: string, vector: boolean, count: number): Dispatch {
  const LANES = vector ? 4 : 1
  return { files, entry, constants: { LANES }, vector, groups: list(count / LANES) }
}

export const product = (...sizes: number[]) => sizes.reduce((a, b) => a * b, 1)

/** Whether all are multiples of four, as addresses, distances and counts of vectors have to be. */
export const aligned = (...values: number[]) => values.every(value => value % 4 === 0)

export const named = (p: Block, prefix: string, count: number) => Array.from({ length: count }, (_, i) => p[prefix + i])

export const common = ['weights', 'activation']
