import type { Env, InferenceSession } from 'onnxruntime-common'
import type { ProviderOptions } from '../../runtime/backend/index.js'
import { CairnError } from '../../runtime/base/index.js'
import type { Location, SessionOptions } from '../../runtime/index.js'
import { Log } from './log.js'
import { threadsFor } from './settings.js'

type Options = InferenceSession.SessionOptions
type Provider = Exclude<NonNullable<SessionOptions['executionProviders']>[number], string> & ProviderOptions

/** What onnxruntime's options ask of a session here. */
export interface Wanted {
  readonly session: SessionOptions
  /** Free dimensions by name or denotation. */
  readonly sizes: Readonly<Record<string, number>> | undefined
  readonly log: Log
  /** What to write of every run, and in front of which name. */
  readonly profile: string | undefined
}

/** Refuses what onnxruntime refuses, and makes of the rest what it means here. */
export function wantedOf(options: Options, env: Env): Wanted {
  oneOf('graphOptimizationLevel', options.graphOptimizationLevel, ['disabled', 'basic', 'extended', 'layout', 'all'])
  oneOf('executionMode', options.executionMode, ['sequential', 'parallel'])
  oneOf('logSeverityLevel', options.logSeverityLevel, [0, 1, 2, 3, 4])
  oneOf('logVerbosityLevel', options.logVerbosityLevel, [0, 1, 2, 3, 4])
  const sizes = options.freeDimensionOverrides
  for (const [name, size] of Object.entries(sizes ?? {}))
    if (!Number.isInteger(size) || size < 0)
      throw new CairnError(`freeDimensionOverrides has ${size} for "${name}"; whole numbers from 0 are allowed`)
  const log = new Log(env, options.logSeverityLevel)
  if (env.wasm.wasmPaths !== undefined || env.wasm.wasmBinary !== undefined)
    log.note(
      "env.wasm.wasmPaths is for onnxruntime's own files, which are not needed here; env.cairn.wasmPaths is for ours"
    )
  return {
    session: {
      executionProviders: providersOf(options, env, log),
      numThreads: threadsFor(options.intraOpNumThreads || env.wasm.numThreads),
      preferredOutputLocation: locationsOf(options.preferredOutputLocation)
    },
    sizes: sizes && Object.keys(sizes).length ? sizes : undefined,
    log,
    profile: options.enableProfiling ? (options.profileFilePrefix ?? 'onnxruntime_profile_') : undefined
  }
}

function oneOf<T>(name: string, value: T | undefined, allowed: readonly T[]): void {
  if (value !== undefined && value !== null && !allowed.includes(value))
    throw new CairnError(`${name} is ${value}; ${allowed.join(', ')} are allowed`)
}

/** The providers that are here, by preference, the CPU last: onnxruntime goes on there too when it has none of the others. */
function providersOf({ executionProviders = [] }: Options, env: Env, log: Log): Provider[] {
  const found: Provider[] = []
  for (const entry of executionProviders) {
    const { wanted, ...rest } = typeof entry === 'string' ? { name: entry } : (entry as Provider & { wanted?: string })
    // As register.ts renames them.
    const name = wanted ?? rest.name
    if (name === 'webgpu') found.push({ name, device: rest.device ?? deviceOf(env) })
    else if (name === 'cpu' || name === 'wasm') found.push({ name: 'wasm' })
    else if (name !== 'cairn')
      log.warn(`removing requested execution provider "${name}" from session options because it is not available here`)
  }
  // Behind the first of the CPU nothing is ever asked for.
  if (!found.some(({ name }) => name === 'wasm')) found.push({ name: 'wasm' })
  if (!executionProviders.length && globalThis.navigator?.gpu) found.push({ name: 'webgpu', device: deviceOf(env) })
  return found
}

/** The application's own device; once a session has one, onnxruntime gives a promise instead. */
function deviceOf({ webgpu }: Env): GPUDevice | undefined {
  const device: unknown = Object.getOwnPropertyDescriptor(webgpu ?? {}, 'device')?.value
  return device && typeof (device as Promise<unknown>).then !== 'function' ? (device as GPUDevice) : undefined
}

function locationsOf(given: Options['preferredOutputLocation']): SessionOptions['preferredOutputLocation'] {
  if (given === undefined || typeof given === 'string') return given && locationOf(given)
  return Object.fromEntries(Object.entries(given).map(([name, location]) => [name, locationOf(location)]))
}

function locationOf(location: string): Location {
  if (location === 'gpu-buffer') return location
  if (location === 'cpu' || location === 'cpu-pinned') return 'cpu'
  throw new CairnError(`preferredOutputLocation "${location}" is not supported; cpu and gpu-buffer are`)
}
