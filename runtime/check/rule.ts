/**
 * What a kernel's call touches, told from its parameter block alone, so that a file can be checked before any kernel
 * runs: parameters of a damaged or hostile file may be anything. One rule a kernel, in the files beside this one; a test
 * holds them against the kernels themselves.
 */
export interface Rule<B extends string = string> {
  /** Fields in the block's order: `count`, `scale:f` (f32), `k*4` for k0 to k3, `x*6:i` (i32); u32 where nothing is said. */
  readonly fields: string
  readonly buffers: Readonly<Record<B, 'read' | 'write' | 'scratch'>>
  /** Buffers whose elements are bytes. */
  readonly bytes?: readonly B[]
  /** Buffers that no other may share, because the kernel trusts what it has written there; scratch ones always are. */
  readonly own?: readonly B[]
  /** Whether the kernel has a meaning for these fields: its choices exist, its divisors are not 0, its loops end. */
  legal?(p: Fields): boolean
  touches(p: Fields): Readonly<Record<B, Span>>
  /** Steps for each element that is written; 1 by default, and at least. */
  each?(p: Fields): number
}

/** Fields as a kernel reads them. */
export type Fields = Readonly<Record<string, number>>

/** Elements from where a buffer is given: the first and the one behind the last, and in how many trips. */
export interface Span {
  readonly low: number
  readonly high: number
  readonly trips: number
}

type Loop = readonly [trips: number, step: number]

/** What nested loops reach; nothing where one makes no trip. */
export function loops(...list: readonly Loop[]): Span {
  let low = 0
  let high = 1
  let trips = 1
  for (const [count, step] of list) {
    trips *= Math.max(count, 1)
    const far = (count - 1) * step
    if (far < 0) low += far
    else high += far
  }
  return list.some(([count]) => count === 0) ? { low: 0, high: 0, trips } : { low, high, trips }
}

/** The first `count` elements. */
export const first = (count: number): Span => ({ low: 0, high: count, trips: count })

/** As many as the sizes multiply to. Kernels make the trips around a loop of none all the same. */
export const filled = (...sizes: readonly number[]): Span =>
  loops(...sizes.map((size, i) => [size, sizes.slice(i + 1).reduce((a, b) => a * b, 1)] as const))

export const nothing = first(0)

/** The loops `k0 … k(n-1)` with the steps of an operand, by their prefixes. */
export function nest(p: Fields, sizes: string, steps: string, depth: number): Loop[] {
  return Array.from({ length: depth }, (_, i) => [p[sizes + i], p[steps + i]] as const)
}

export const product = (...counts: readonly number[]) => counts.reduce((a, b) => a * Math.max(b, 1), 1)

/** Columns of panels of 8 (compiler/ops/elementwise/epilogue.ts). */
export const inPanels = (columns: number) => Math.ceil(columns / 8) * 8

/** How many functions compiler/ops/elementwise/activation.ts numbers. */
export const activationCount = 46

/** Whether what follows a sum has a meaning. */
export const finishes = (p: Fields) => p.act < activationCount && !(p.residual > 2)

/** Kernels that compute positions along an axis in floats tell them apart so far. */
export const isExact = (...sizes: readonly number[]) => sizes.every(size => size <= 2 ** 24)

/** No product of positions may leave the 31 bits in which kernels compute them. */
export const isSmall = (...values: readonly number[]) => values.every(value => Math.abs(value) < 2 ** 30)
