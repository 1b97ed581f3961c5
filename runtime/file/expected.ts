import { finalise } from '../base/index.js'
import { sumCount } from './observed.js'

/**
 * Golden data: an input that a seed gives, and of what each call makes of it in double precision a summary with which any
 * device can be compared. Devices round differently, so no summary is of bits: the elements are added up eight times, each
 * time under other random signs (Achlioptas, "Database-friendly random projections", 2003). Errors that change a layer by a
 * vector of length d change such a sum by about d, a single wrong element by exactly its error, and all eight by little only
 * by chance.
 */
export interface Golden {
  readonly seed: number
  /** Values of the free dimensions, in the order of the file's. */
  readonly sizes: readonly number[]
  /** By input. */
  readonly inputs: readonly Draw[]
  /** By call. */
  readonly layers: readonly Expected[]
}

/** Elements `low + k · step`, each `k` of 0 to `levels - 1` equally likely. */
export interface Draw {
  readonly low: number
  readonly step: number
  readonly levels: number
}

/** Of the storages that a call writes, all elements that hold a value behind it. */
export interface Sums {
  /** Elements that are finite. */
  readonly count: number
  /** Root of the sum of their squares. */
  readonly norm: number
  readonly sums: readonly number[]
}

export interface Expected extends Sums {
  /** How far the sums of a device in single precision may be off. */
  readonly limit: number
}

/** Values of input `input`, the same on every engine and in every element type. */
export function drawn({ seed, inputs }: Golden, input: number, count: number): Float32Array {
  const { low, step, levels } = inputs[input]
  const own = finalise(seed + input)
  const values = new Float32Array(count)
  for (let i = 0; i < count; i++) values[i] = low + step * Math.floor((finalise(own + i) / 2 ** 32) * levels)
  return values
}

export function summarise(written: readonly ArrayLike<number>[]): Sums {
  const sums = new Array<number>(sumCount).fill(0)
  let [count, squares, at] = [0, 0, 0]
  for (const elements of written)
    for (let i = 0; i < elements.length; i++) {
      const signs = finalise(at++)
      const value = elements[i]
      if (!Number.isFinite(value)) continue
      count++
      squares += value * value
      for (let k = 0; k < sumCount; k++) sums[k] += (signs >>> k) & 1 ? value : -value
    }
  return { count, norm: Math.sqrt(squares), sums }
}
