import { InputError } from '../compiler/cli/command.js'
import { contest, type Standing } from '../compiler/cli/measure/contest.js'
import type { PeerName } from '../compiler/cli/measure/engine.js'
import { gflops } from '../compiler/cli/measure/interleave.js'
import { openOn, type Subject, worstOf } from '../compiler/cli/measure/subject.js'
import type { GpuDispatch } from '../runtime/index.js'
import type { Limits } from './gpu-limits.js'
import { gpuSession } from './gpu-session.js'
import { totalOf } from './gpu-traffic.js'
import { halfNetwork, network } from './networks.js'

export type Precision = 'f32' | 'f16'

/** Largest error that outputs may have, over the largest output. */
export const tolerances: Readonly<Record<Precision, number>> = { f32: 1e-3, f16: 3e-2 }

export interface Timing {
  readonly network: string
  readonly precision: Precision
  readonly macs: number
  /** Cairn's, against onnxruntime on the CPU in single precision. */
  readonly error: number
  readonly dispatches: number
  /** Measured just before. */
  readonly limits: Limits
  readonly standings: readonly (Standing & Rates)[]
}

/** What a time amounts to; shares are of what the device reaches on kernels that do nothing else. */
export interface Rates {
  readonly gflops?: number
  readonly ofCompute?: number
  /** With each dispatch's inputs read once and its outputs written once; known of Cairn alone. */
  readonly ofBandwidth?: number
}

/** A network ready to be measured: the subject, and the one whose outputs on the CPU are right. */
export function subjectsOf(name: string, precision: Precision): { readonly subject: Subject; readonly right: Subject } {
  if (precision === 'f32') {
    const subject = network(name)
    return { subject, right: subject }
  }
  const { half, single } = halfNetwork(name)
  return { subject: half, right: single }
}

/** Throws InputError where Cairn computes something else than onnxruntime on the CPU. */
export async function verify(subject: Subject, right: Subject, precision: Precision): Promise<number> {
  const reference = await openOn('ort-node', right, { threads: 1 })
  const expected = await reference.run()
  await reference.release()
  const own = await openOn('cairn', subject, { threads: 1, device: 'webgpu', precision })
  const { name, relative } = worstOf(await own.run(), expected)
  await own.release()
  if (relative <= tolerances[precision]) return relative
  throw new InputError(
    `${subject.name} in ${precision}: output "${name}" differs from onnxruntime's on the CPU by ${relative.toExponential(1)} of its maximum; ${tolerances[precision]} is allowed`
  )
}

export async function time(
  { subject, right }: ReturnType<typeof subjectsOf>,
  precision: Precision,
  peers: readonly PeerName[],
  rounds: number,
  limits: Limits
): Promise<Timing> {
  const error = await verify(subject, right, precision)
  const standings = await contest(subject, {
    threads: 1,
    device: 'webgpu',
    precision,
    peers,
    patience: { seconds: 0, least: rounds, most: rounds },
    tolerance: tolerances[precision],
    starts: 0
  })
  const dispatches = await dispatchesOf(subject, precision)
  return {
    network: subject.name,
    precision,
    macs: subject.macs,
    error,
    dispatches: dispatches.length,
    limits,
    standings: standings.map(standing => ({
      ...standing,
      ...ratesOf(standing, subject.macs, standing.engine === 'cairn' ? dispatches : [], precision, limits)
    }))
  }
}

function ratesOf(
  { times }: Standing,
  macs: number,
  dispatches: readonly GpuDispatch[],
  precision: Precision,
  limits: Limits
): Rates {
  if (!times) return {}
  const speed = gflops(macs, times.median)
  const { least } = totalOf(dispatches, precision)
  return {
    gflops: speed,
    ofCompute: speed / (limits[precision] ?? limits.f32),
    ofBandwidth: least ? least / times.median / 1e6 / limits.bandwidth : undefined
  }
}

async function dispatchesOf(subject: Subject, precision: Precision): Promise<readonly GpuDispatch[]> {
  const { session, feeds } = await gpuSession(subject, precision)
  await session.run(feeds)
  const { dispatches } = session
  await session.release()
  return dispatches
}
