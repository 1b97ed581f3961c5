import type { ImportOptions } from '../../compiler/onnx/index.js'
import { CairnError, mostThreads } from '../../runtime/base/index.js'
import { devices } from '../options.js'

/** Where layers are computed. */
export interface FeatureOptions extends ImportOptions {
  /** `wasm` (the default), `webgpu`, `auto` for the faster of the two, or `reference` in double precision. */
  readonly device?: string
  /** Threads of the CPU path, 1 to 16; default 1. */
  readonly numThreads?: number
}

export interface FeatureSettings {
  readonly device: string
  readonly numThreads: number
}

/** Throws CairnError for what cannot be. */
export function settingsOf({ device = 'wasm', numThreads = 1 }: FeatureOptions): FeatureSettings {
  if (!devices.includes(device)) throw new CairnError(`device "${device}"; ${devices.join(', ')} are allowed`)
  checked('numThreads', numThreads, n => Number.isInteger(n) && n >= 1 && n <= mostThreads, `1 to ${mostThreads}`)
  return { device, numThreads }
}

export function checked(name: string, value: number, fits: (value: number) => boolean, what: string): number {
  if (typeof value === 'number' && fits(value)) return value
  throw new CairnError(`${name} ${value}; ${what} is allowed`)
}
