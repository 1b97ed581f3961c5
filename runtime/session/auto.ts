import { notWorthTrying, type Provider } from '../backend/index.js'
import { CairnError } from '../base/index.js'
import { type Given, sourceOf } from '../file/index.js'
import { Tensor } from '../tensor/index.js'
import type { Feeds } from './binding.js'
import { type Opening, placeOf } from './open.js'

/** Runs behind the first, of which the median counts; and the milliseconds after which no more are made. */
const timedRuns = 3
const patience = 1000

/** What a free dimension is taken for: one image of the usual size. */
const usualSize = 224

/** What a trial asks of a session. */
interface Tried {
  readonly device: string
  readonly inputMetadata: readonly { name: string; type: string; shape: readonly (number | string)[] }[]
  run(feeds: Feeds): Promise<Record<string, Tensor>>
  release(): Promise<void>
  /** Of a session that its first run makes: the same with other options. */
  withOptions?(options: Opening): this
}

interface Trial<S extends Tried> {
  readonly session: S
  readonly milliseconds: number
}

/** A session on the faster of WebGPU and the CPU path, by running the model on both; its `choice` says why in words. */
export async function chooseDevice<S extends Tried, O extends Opening>(
  given: Given,
  provider: Provider,
  options: O,
  create: (given: Given, options: O & { executionProviders: readonly Provider[] }) => Promise<S>
): Promise<S> {
  const source = await sourceOf(given, options)
  const bytes = await source.all().finally(() => source.close())
  const place = placeOf(given)
  const sessionOn = (...names: string[]) =>
    create(bytes, { place, ...options, executionProviders: names.map(name => ({ ...provider, name })) })
  const absent = await notWorthTrying({ ...provider, name: 'webgpu' })
  if (absent !== undefined) {
    // A GPU that the CPU imitates is still better than none of both.
    const session = await sessionOn('wasm', 'webgpu')
    const why = session.device === 'wasm' ? `there is no other device (${absent})` : 'the CPU path cannot run here'
    return settled(session, options, why)
  }
  const trials: Trial<S>[] = []
  const refused: string[] = []
  let chosen: S | undefined
  try {
    for (const name of ['wasm', 'webgpu']) {
      options.signal?.throwIfAborted()
      try {
        const session = await sessionOn(name)
        // Nobody knows yet what could be run: each variant is tried.
        if (session.withOptions) return session.withOptions(options)
        trials.push(await tried(session))
      } catch (error) {
        if (!(error instanceof CairnError)) throw error
        refused.push(`${name} refused a trial: ${error.message}`)
      }
    }
    options.signal?.throwIfAborted()
    const [first, ...others] = [...trials].sort((a, b) => a.milliseconds - b.milliseconds)
    // The sizes that were guessed for the trial may be none that the model takes.
    chosen = first?.session ?? (await sessionOn('wasm', 'webgpu'))
    const why = first
      ? `${spoken(first)} against ${[...others.map(spoken), ...refused].join(', ')}`
      : refused.join('; ')
    return settled(chosen, options, why)
  } finally {
    for (const { session } of trials) if (session !== chosen) await session.release()
  }
}

/** The session as if it had been asked for by the caller's options. */
function settled<S extends Tried>(session: S, options: Opening, why: string): S {
  return session.withOptions?.(options) ?? Object.assign(session, { options, choice: `${session.device}: ${why}` })
}

const spoken = ({ session, milliseconds }: Trial<Tried>) => `${milliseconds.toFixed(1)} ms a run on ${session.device}`

/** Times runs of a session, which is released where one fails. */
async function tried<S extends Tried>(session: S): Promise<Trial<S>> {
  try {
    const feeds = noiseFor(session)
    await runOnce(session, feeds)
    const times: number[] = []
    const began = performance.now()
    while (times.length < timedRuns && (!times.length || performance.now() - began < patience)) {
      const start = performance.now()
      await runOnce(session, feeds)
      times.push(performance.now() - start)
    }
    return { session, milliseconds: times.sort((a, b) => a - b)[Math.floor(times.length / 2)] }
  } catch (error) {
    await session.release()
    throw error
  }
}

/** Outputs that stay on the GPU are fetched, because such a run ends before the GPU does, and disposed of. */
async function runOnce(session: Tried, feeds: Feeds): Promise<void> {
  const results = await session.run(feeds)
  for (const output of Object.values(results)) await output.getData(true)
}

/** Random inputs; a free dimension has one size wherever its name stands. */
function noiseFor({ inputMetadata }: Tried): Feeds {
  const sizes = new Map<string, number>()
  for (const { shape } of inputMetadata)
    shape.forEach((size, axis) => {
      if (typeof size === 'string' && !sizes.has(size)) sizes.set(size, axis ? usualSize : 1)
    })
  return Object.fromEntries(
    inputMetadata.map(({ name, type, shape }) => {
      const dims = shape.map(size => (typeof size === 'number' ? size : (sizes.get(size) ?? 1)))
      const data = Array.from({ length: dims.reduce((a, b) => a * b, 1) }, Math.random)
      return [name, new Tensor(type as Tensor['type'], type.endsWith('int64') ? data.map(() => 0n) : data, dims)]
    })
  )
}
