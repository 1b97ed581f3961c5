import type { GpuDispatch } from '../../runtime/index.js'

/**
 * What a dispatch moves, by the loads and stores of its shader: bytes that its invocations ask the buffers for. What goes
 * through workgroup memory counts once for each workgroup that brings it there, so a tiled product reads its rows once
 * for each tile of columns, and its weights once for each tile of rows. How much of that the caches answer is the device's
 * affair; `least` is what even perfect caches leave: each input element once, each output element once.
 *
 * Left out: uniforms; the last row of a product, which is read again for what its last tile has too many.
 */
export interface Traffic {
  readonly moved: number
  readonly least: number
  /** Multiply-accumulates of the operator; those of a Winograd convolution belong to its products. */
  readonly macs: number
  /** Multiply-accumulates that are done: fewer than `macs` for Winograd. */
  readonly done: number
}

export type P = Readonly<Record<string, number>>

/** Bytes of an element: in the arena, of the weights, of any other constant. */
export interface Widths {
  readonly element: number
  readonly operand: number
}
export const constant = 4

export type Model = (p: P, dispatch: GpuDispatch, widths: Widths) => Partial<Traffic> & Pick<Traffic, 'moved' | 'least'>

/** Marks the addresses of constants where a shader takes either (shaders/weights.wgsl), and kinds that its text names. */
export const constantBit = 2 ** 31
export const prelu = 3
export const logOfSumOfExp = 9

export const ceil = (count: number, size: number) => Math.ceil(count / size)
export const quads = (count: number) => ceil(count, 4) * 4
export const product = (...sizes: number[]) => sizes.reduce((a, b) => a * b, 1)
export const named = (p: P, prefix: string, count: number) =>
  Array.from({ length: count }, (_, i) => p[`${prefix}${i}`])

/** The width of a buffer that may be constants or activations. */
export const widthAt = (p: P, name: string, { element }: Widths) => (p[`${name}At`] >= constantBit ? constant : element)

/** Elements that loops with these steps reach, where a step of 0 stays. */
export const reached = (sizes: readonly number[], steps: readonly number[]) =>
  product(...sizes.filter((_, i) => steps[i] !== 0))
