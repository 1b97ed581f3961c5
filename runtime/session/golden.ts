import { drawn, evaluate, type Golden, type Header, type Stored, type Sums } from '../file/index.js'
import { fromFloats, type Tensor } from '../tensor/index.js'

export { summarise } from '../file/index.js'

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

/** What rounding to halves changes, over what single precision's limits allow for (compiler/lower/golden.ts). */
const halfLimits = 256

/** Numbers that are smaller may be taken for 0. */
const smallest: Readonly<Record<Stored, number>> = { f32: 2 ** -126, f16: 2 ** -14 }

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

export function judge({ calls, kernels }: Header, golden: Golden, found: readonly Sums[], held: Stored): Verification {
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
