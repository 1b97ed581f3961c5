import { evaluate } from './dims.js'
import { fromFloats } from './elements.js'
import type { Header } from './format.js'
import { finalise } from './hash.js'
import { sumCount } from './observed.js'
import type { Stored } from './program.js'
import type { Tensor } from './tensor.js'

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
export interface Summary {
  /** Elements that are finite. */
  readonly count: number
  /** Root of the sum of their squares. */
  readonly norm: number
  readonly sums: readonly number[]
}

export interface Expected extends Summary {
  /** How far the sums of a device in single precision may be off. */
  readonly limit: number
}

/** One layer of a self-check: a kernel call, the graph node that it belongs to, and how far it is off, over the norm of what it should be. */
export interface LayerCheck {
  /** Name of the graph node. */
  readonly layer: string
  /** Name of the kernel. */
  readonly kernel: string
  /** Infinite where other elements are finite than should be. */
  readonly error: number
  /** The largest error that rounding explains, over the same norm. */
  readonly limit: number
}

/** What `session.verify()` has found. */
export interface Verification {
  /** Whether every layer is within its limit. */
  readonly ok: boolean
  /** Layers that were compared. */
  readonly layers: number
  /** The first that is off by more than its limit; those behind it compute with its errors. */
  readonly first?: LayerCheck
  /** The one that comes closest to its limit, or is furthest beyond. */
  readonly worst?: LayerCheck
}

/** What rounding to halves changes, over what single precision's limits allow for (compiler/golden.ts). */
const halfLimits = 256

/** Numbers that are smaller may be taken for 0. */
const smallest: Readonly<Record<Stored, number>> = { f32: 2 ** -126, f16: 2 ** -14 }

/** Values of input `input`, the same on every engine and in every element type. */
export function drawn({ seed, inputs }: Golden, input: number, count: number): Float32Array {
  const { low, step, levels } = inputs[input]
  const own = finalise(seed + input)
  const values = new Float32Array(count)
  for (let i = 0; i < count; i++) values[i] = low + step * Math.floor((finalise(own + i) / 2 ** 32) * levels)
  return values
}

export function goldenFeeds({ free, inputs }: Header, golden: Golden): Record<string, Tensor> {
  const bindings = Object.fromEntries(free.map((name, i) => [name, golden.sizes[i]]))
  return Object.fromEntries(
    inputs.map(({ name, dtype, shape }, i) => {
      const dims = shape.map(dim => evaluate(dim, bindings))
      const count = dims.reduce((a, b) => a * b, 1)
      return [name, fromFloats(dtype, drawn(golden, i, count), dims)]
    })
  )
}

export function summarise(written: readonly ArrayLike<number>[]): Summary {
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

export function judge(
  { calls, kernels }: Header,
  golden: Golden,
  found: readonly Summary[],
  held: Stored
): Verification {
  const checks = golden.layers.map(({ count, norm, sums, limit }, i): LayerCheck => {
    const off = sums.map((sum, k) => Math.abs(found[i].sums[k] - sum))
    const allowed = limit * (held === 'f16' ? halfLimits : 1) + Math.sqrt(count) * smallest[held]
    return {
      layer: calls[i].node,
      kernel: kernels[calls[i].kernel].name,
      error: found[i].count === count ? Math.max(...off) / (norm || 1) : Number.POSITIVE_INFINITY,
      limit: allowed / (norm || 1)
    }
  })
  const first = checks.find(({ error, limit }) => !(error <= limit))
  // Of a layer without a finite element nothing is off, and the limit is 0.
  const closeness = ({ error, limit }: LayerCheck) => error && error / limit
  const worst = checks.reduce<LayerCheck | undefined>(
    (most, next) => (most && closeness(most) >= closeness(next) ? most : next),
    undefined
  )
  return { ok: !first, layers: checks.length, first, worst }
}
