import type { Call } from './program.js'

/** Is shown what each call has written, whole storages, in which elements that nothing has written are NaN. */
export type Observer = (call: number, written: readonly ArrayLike<number>[]) => void

export const sumCount = 8

/** Elements of an input that golden data draws, at most. */
export const mostGolden = 2 ** 26

/** The storages that a call writes, each once. */
export function storagesWritten(call: Call): number[] {
  const written = call.arguments.filter(({ space, access }) => space === 'storage' && access === 'write')
  return [...new Set(written.map(({ index }) => index))]
}
