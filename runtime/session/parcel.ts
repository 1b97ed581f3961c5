import { type Data, Tensor, type Type } from '../tensor/index.js'
import type { Limits } from './open.js'

/** What a parallel session and its workers post to each other; see parallel.ts and session-worker.ts. */
export interface Parcel {
  readonly type: Type
  readonly data: Data
  readonly dims: readonly number[]
}

export type Parcels = Readonly<Record<string, Parcel>>

/** A worker answers each request with a reply, in order. */
export type Request =
  | { readonly kind: 'open'; readonly file: Uint8Array; readonly module: WebAssembly.Module; readonly limits: Limits }
  | { readonly kind: 'run'; readonly feeds: Parcels; readonly fetches?: readonly string[] }

export type Reply = { readonly results: Parcels } | { readonly error: string }

export function pack(tensors: Readonly<Record<string, Tensor>>): Parcels {
  return mapped(tensors, ({ type, data, dims }) => ({ type, data, dims }))
}

export function unpack(parcels: Parcels): Record<string, Tensor> {
  return mapped(parcels, ({ type, data, dims }) => new Tensor(type, data, dims))
}

/** The memory of all parcels, to be handed over rather than copied. */
export function buffersOf(parcels: Parcels): ArrayBuffer[] {
  return Object.values(parcels).map(({ data }) => data.buffer as ArrayBuffer)
}

export function mapped<A, B>(
  named: Readonly<Record<string, A>>,
  change: (value: A, name: string) => B
): Record<string, B> {
  return Object.fromEntries(Object.entries(named).map(([name, value]) => [name, change(value, name)]))
}
