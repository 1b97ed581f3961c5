import type { Entrance, Kernel } from './lockstep.js'

/** What a binary exports: kernels by name, and what helps. */
export type Exports = Entrance & {
  digest(at: number, words: number): number
  widen(from: number, to: number, count: number): void
} & { readonly [kernel: string]: Kernel }

/** Exports that are no kernels. */
export const helpers: ReadonlySet<string> = new Set(['digest', 'widen', 'enter'])
