import { backendNamed, CairnError, type Provider } from './backend.js'
import type { Feeds, InferenceSession, SessionOptions } from './session.js'
import { type Given, sourceOf } from './source.js'
import { Tensor } from './tensor.js'

/** Runs behind the first, of which the median counts; and the milliseconds after which no more are made. */
const timedRuns = 3
const patience = 1000

/** What a free dimension is taken for: one image of the usual size. */
const usualSize = 224

interface Timed {
  readonly name: string
  readonly milliseconds: number
}

/** The faster of WebGPU and the CPU path for a model, by running it on both, and why in words. */
export async function chooseDevice(
  given: Given,
  provider: Provider,
  options: SessionOptions,
  create: typeof InferenceSession.create
): Promise<{ bytes: Uint8Array; name: string; why: string }> {
  const source = await sourceOf(given, options)
  const bytes = await source.all().finally(() => source.close())
  const missing = await unavailable({ ...provider, name: 'webgpu' })
  if (missing !== undefined) return { bytes, name: 'wasm', why: `wasm: there is no other device (${missing})` }
  const timed: Timed[] = []
  const refused: string[] = []
  for (const name of ['wasm', 'webgpu']) {
    options.signal?.throwIfAborted()
    try {
      timed.push({ name, milliseconds: await timeOn({ ...provider, name }, bytes, options, create) })
    } catch (error) {
      if (!(error instanceof CairnError)) throw error
      refused.push(`${name} refused a trial: ${error.message}`)
    }
  }
  const [first, ...others] = [...timed].sort((a, b) => a.milliseconds - b.milliseconds)
  // The sizes that were guessed for the trial may be none that the model takes.
  if (!first) return { bytes, name: 'wasm', why: `wasm: ${refused.join('; ')}` }
  const spoken = ({ name, milliseconds }: Timed) => `${milliseconds.toFixed(1)} ms a run on ${name}`
  const against = [...others.map(spoken), ...refused].join(', ')
  return { bytes, name: first.name, why: `${first.name}: ${spoken(first)} against ${against}` }
}

/** Why a device is not to be tried: it is not here, or it computes on the CPU after all. */
async function unavailable(provider: Provider): Promise<string | undefined> {
  const backend = backendNamed(provider.name)
  const missing = await backend?.missing?.(provider)
  if (missing !== undefined) return missing
  return (await backend?.isFallback?.(provider))
    ? `the only adapter for ${provider.name} computes on the CPU`
    : undefined
}

async function timeOn(
  provider: Provider,
  bytes: Uint8Array,
  { numThreads, signal }: SessionOptions,
  create: typeof InferenceSession.create
): Promise<number> {
  const session = await create(bytes, { executionProviders: [provider], numThreads, signal })
  try {
    const feeds = noiseFor(session)
    await session.run(feeds)
    const times: number[] = []
    const began = performance.now()
    while (times.length < timedRuns && (!times.length || performance.now() - began < patience)) {
      const start = performance.now()
      await session.run(feeds)
      times.push(performance.now() - start)
    }
    return times.sort((a, b) => a - b)[Math.floor(times.length / 2)]
  } finally {
    await session.release()
  }
}

/** Random inputs; a free dimension has one size wherever its name stands. */
function noiseFor({ inputMetadata }: InferenceSession): Feeds {
  const sizes = new Map<string, number>()
  for (const { shape } of inputMetadata)
    shape.forEach((size, axis) => {
      if (typeof size === 'string' && !sizes.has(size)) sizes.set(size, axis ? usualSize : 1)
    })
  return Object.fromEntries(
    inputMetadata.map(({ name, type, shape }) => {
      const dims = shape.map(size => (typeof size === 'number' ? size : (sizes.get(size) ?? 1)))
      const data = Array.from({ length: dims.reduce((a, b) => a * b, 1) }, Math.random)
      return [name, new Tensor(type as Tensor['type'], type === 'int64' ? data.map(() => 0n) : data, dims)]
    })
  )
}
