import type { Dim } from './dims.js'

/**
 * A lowered network: a list of calls over constants and over storages that share one arena. It names no operator;
 * a call is a kernel, a block of parameters in the kernel's field order, and the buffers that it reads and writes.
 * All sizes and offsets count elements, which are 32-bit floats unless something else is said; every one may depend on the free
 * dimensions.
 */
export interface Program {
  readonly name: string
  /** Free dimensions by name; a run binds them from the shapes of its inputs. */
  readonly free: readonly string[]
  readonly inputs: readonly Port[]
  readonly outputs: readonly Port[]
  readonly counts: readonly Count[]
  readonly faults: readonly Fault[]
  /** Sizes of the storages in elements. Storage i is live from the first call that touches it to the last. */
  readonly storages: readonly Dim[]
  /** Indices of the storages whose elements are bytes, from 0 to 255; those of all others are 32-bit floats. */
  readonly narrow: readonly number[]
  readonly constants: readonly Constant[]
  /** Lengths of what the setup calls make of constants, once, when a model is loaded. */
  readonly derived: readonly number[]
  /** What a run changes and the next one finds so, the first of the derived buffers; only training steps have any. */
  readonly states: readonly State[]
  readonly setup: readonly Call[]
  readonly kernels: readonly KernelInfo[]
  readonly calls: readonly Call[]
  /** Pairs of dimensions that must turn out equal once the free dimensions are bound, and what says so. */
  readonly constraints: readonly Constraint[]
  readonly parameters: number
  /** Multiply-accumulates of one run. */
  readonly macs: Dim
}

/** Element types of inputs and outputs, by onnxruntime's names; inside, all are numbers of single precision. */
export const dtypes = [
  'float32',
  'float16',
  'float64',
  'int64',
  'uint64',
  'int32',
  'uint32',
  'int16',
  'uint16',
  'uint8',
  'int8',
  'bool'
] as const
export type DType = (typeof dtypes)[number]

/** An input or output; dense in C order in its storage, which lives through the whole run. */
export interface Port {
  readonly name: string
  readonly dtype: string
  readonly shape: readonly Dim[]
  readonly storage: number
  readonly offset: Dim
}

/**
 * A number that a run finds out: how much there is along some axes of outputs, which have room for the most there can be.
 * One float in its storage, which lives through the whole run.
 */
export interface Count {
  readonly storage: number
  readonly offset: Dim
  readonly cuts: readonly Cut[]
}

export interface Cut {
  readonly output: number
  readonly axis: number
}

/**
 * Whether a run has met an index out of range: two floats in a storage that lives through the whole run, the first 0 where it
 * has not, the second the first such index. `of` is the operator and its node, `size` that of the axis.
 */
export interface Fault {
  readonly storage: number
  readonly offset: Dim
  readonly of: string
  readonly axis: number
  readonly size: Dim
}

export function outOfRange(of: string, index: number, axis: number, size: number): string {
  const allowed = size ? `-${size} to ${size - 1} are allowed` : 'none is allowed'
  return `${of}: index ${index} is out of range for axis ${axis} of ${size}; ${allowed}`
}

/** What a program says of the end of a run. */
export type Outcome = Pick<Program, 'outputs' | 'counts' | 'faults'>

/** What a run leaves to be read: the outputs, then the counts, then the faults. */
export function resultsOf({ outputs, counts, faults }: Outcome): Omit<Port, 'name' | 'dtype'>[] {
  return [
    ...outputs,
    ...counts.map(({ storage, offset }) => ({ storage, offset, shape: [] })),
    ...faults.map(({ storage, offset }) => ({ storage, offset, shape: [2] }))
  ]
}

/** Axes that a run cuts of an output, and which of its results says to how much. */
export function cutsOf(
  { outputs, counts }: Pick<Outcome, 'outputs' | 'counts'>,
  output: number
): { axis: number; result: number }[] {
  return counts.flatMap(({ cuts }, i) =>
    cuts.filter(cut => cut.output === output).map(({ axis }) => ({ axis, result: outputs.length + i }))
  )
}

/** Dense in C order. */
export interface State {
  readonly name: string
  readonly shape: readonly number[]
}

export interface Constraint {
  readonly a: Dim
  readonly b: Dim
  readonly where: string
}

/**
 * A constant of `groups` matrices of `rows` x `columns`, stored row by row within panels of `panel` columns: the file
 * holds the last panel of a group unpadded, memory holds it padded with zeros. A plain tensor is one row, panel 0.
 */
export interface Packing {
  readonly groups: number
  readonly rows: number
  readonly columns: number
  readonly panel: number
}

/** How floats are held: in single precision, or as IEEE 754 halves. */
export type Stored = 'f32' | 'f16'

/** How elements of constants are held: as floats, or as whole numbers from -128 to 127. */
export type Held = Stored | 'i8'

export interface Constant extends Packing {
  readonly name: string
  /** How the file holds the elements. */
  readonly stored: Held
  /** How memory holds them: halves and bytes only for a kernel that reads these, and only where the file has them. */
  readonly kept: Held
  /** The elements in the file's order; the file may round them. */
  readonly data: Float32Array
}

export interface KernelInfo {
  /** The name of the WebAssembly export. */
  readonly name: string
  /** One letter a field of the parameter block: u (u32), i (i32), f (f32). */
  readonly fields: string
}

export interface Call {
  readonly kernel: number
  /** The graph node that this call computes, for profiles and errors. */
  readonly node: string
  readonly parameters: readonly Dim[]
  readonly arguments: readonly Argument[]
}

export interface Argument {
  readonly space: 'constant' | 'derived' | 'storage'
  readonly index: number
  readonly offset: Dim
  /** What a call leaves in its scratch nobody reads: every thread has its own. */
  readonly access: 'read' | 'write' | 'scratch'
}

/** Bytes of an element. */
export const widthOf = (held: Held): number => ({ f32: 4, f16: 2, i8: 1 })[held]

/** Elements of a constant in the file, and in memory with its last panels padded. */
export function storedLength({ groups, rows, columns }: Packing): number {
  return groups * rows * columns
}

export function paddedLength({ groups, rows, columns, panel }: Packing): number {
  return groups * rows * (panel ? Math.ceil(columns / panel) * panel : columns)
}

/** Bytes of a constant in memory. */
export function residentBytes(constant: Packing & Pick<Constant, 'kept'>): number {
  return paddedLength(constant) * widthOf(constant.kept)
}

/** An input or output of a module, as it says itself. */
export interface StandalonePort {
  /** As the model calls it. */
  readonly name: string
  /** Element type, by onnxruntime's names; in the module's memory all are floats of 32 bits. */
  readonly type: string
  /** Name of the typed array that holds such elements. */
  readonly array: string
  /** Sizes of its axes; the most there can be where a run finds how much there is. */
  readonly shape: readonly number[]
  /** Address of its floats in the module's memory, in bytes. */
  readonly at: number
  /** Elements. */
  readonly length: number
  /** Axes that a run cuts, outer ones first: each with the address of the float that says to how much, and its step. */
  readonly cuts?: readonly (readonly [axis: number, at: number, step: number])[]
}
