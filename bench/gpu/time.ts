import { availableParallelism } from 'node:os'
import {
  contest,
  findEngine,
  gflops,
  medianCalls,
  type Output,
  type PeerName,
  type Standing,
  type Subject,
  worstOf
} from '../../cli/measure/index.js'
import { InputError } from '../../cli/terminal/index.js'
import type { GpuDispatch, Results } from '../../runtime/index.js'
import { halfNetwork, network, type Reference } from '../networks.js'
import { type GpuLayers, joined, type Precision } from './layers.js'
import type { Limits } from './limits.js'
import { predict, predictedOn } from './predict.js'
import { gpuSession } from './session.js'
import { totalOf } from './traffic.js'

/** Largest error that outputs may have, over the largest output. */
export const tolerances: Readonly<Record<Precision, number>> = { f32: 1e-3, f16: 3e-2 }

export interface Timing {
  readonly network: string
  readonly precision: Precision
  readonly macs: number
  /** Cairn's, against onnxruntime on the CPU in single precision. */
  readonly error: number
  readonly dispatches: number
  /** Milliseconds by published figures of the adapter, where they are known (devices.ts). */
  readonly predicted?: number
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

/** A network ready to be measured, and what its outputs are compared with. */
export function prepared(
  name: string,
  precision: Precision
): { readonly subject: Subject; readonly reference: Reference } {
  if (precision === 'f16') return halfNetwork(name)
  const subject = network(name)
  return { subject, reference: { onnx: subject.source!.onnx, feeds: subject.feeds } }
}

/** Verifies a network, times its layers where `seconds` are given for that, and then the whole of it against peers in turns. */
export async function measure(
  { subject, reference }: ReturnType<typeof prepared>,
  precision: Precision,
  limits: Limits,
  {
    peers,
    rounds,
    seconds,
    description
  }: { peers: readonly PeerName[]; rounds: number; seconds?: number; description: string }
): Promise<{ timing: Timing; layers?: GpuLayers }> {
  const { session, feeds } = await gpuSession(subject, precision)
  const error = verified(precision, await session.run(feeds), await expectedOf(reference))
  const { dispatches } = session
  const calls = seconds === undefined ? undefined : await medianCalls(session, feeds, seconds)
  await session.release()
  const standings = await contest(subject, {
    threads: 1,
    device: 'webgpu',
    precision,
    peers,
    patience: { seconds: 0, least: rounds, most: rounds },
    tolerance: tolerances[precision],
    starts: 0
  })
  const timing: Timing = {
    network: subject.name,
    precision,
    macs: subject.macs,
    error,
    dispatches: dispatches.length,
    predicted: predictedOn(description, predict(subject.name, dispatches, precision)),
    limits,
    standings: standings.map(standing => ({
      ...standing,
      ...ratesOf(standing, subject.macs, standing.engine === 'cairn' ? dispatches : [], precision, limits)
    }))
  }
  if (!calls) return { timing }
  return { timing, layers: { network: subject.name, precision, limits, layers: joined(calls, dispatches, precision) } }
}

async function expectedOf({ onnx, feeds }: Reference): Promise<readonly Output[]> {
  const engine = await findEngine('ort-node')
  const opened = await engine.open(onnx, feeds, { threads: availableParallelism() })
  const outputs = await opened.run()
  await opened.release()
  return outputs
}

/** The largest error; throws InputError where it is too large to go on. */
function verified(precision: Precision, results: Results, expected: readonly Output[]): number {
  const own = Object.entries(results).map(([name, { dims, type, data }]) => ({ name, dims, type, data }))
  const { name, relative } = worstOf(own, expected)
  const tolerance = tolerances[precision]
  if (relative <= tolerance) return relative
  throw new InputError(
    `output "${name}" differs from onnxruntime's on the CPU by ${relative.toExponential(1)} of its maximum; ${tolerance} is allowed`
  )
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
