import type { CallTime, Feeds, InferenceSession } from '../../runtime/index.js'
import { table } from '../terminal/index.js'
import { gflops } from './interleave.js'
import { median } from './statistics.js'

/** Times of a run by layer and by kernel: medians over several runs, call by call. */
export interface LayerTime {
  readonly node: string
  /** The kernels that it calls, in order. */
  readonly kernels: readonly string[]
  readonly milliseconds: number
  readonly share: number
  readonly macs: number
  readonly shape: readonly number[]
}

export interface KernelTime {
  readonly kernel: string
  readonly calls: number
  readonly milliseconds: number
  readonly share: number
}

export interface Profile {
  readonly layers: readonly LayerTime[]
  readonly kernels: readonly KernelTime[]
  /** All calls together: what a run takes besides copying its inputs and outputs. */
  readonly milliseconds: number
}

/** What is known of a node besides its time. */
export interface NodeFacts {
  readonly macs: number
  readonly shape: readonly number[]
}

/** Each call with the median of its times, over runs for about `seconds`. */
export async function medianCalls(session: InferenceSession, feeds: Feeds, seconds: number): Promise<CallTime[]> {
  await session.run(feeds)
  const runs: CallTime[][] = []
  const end = performance.now() + seconds * 1000
  while (runs.length < 5 || (performance.now() < end && runs.length < 200)) runs.push(await session.profile(feeds))
  return runs[0].map((call, i) => ({ ...call, milliseconds: median(runs.map(run => run[i].milliseconds)) }))
}

export function profileOf(calls: readonly CallTime[], facts: ReadonlyMap<string, NodeFacts>): Profile {
  const total = calls.reduce((sum, call) => sum + call.milliseconds, 0)
  const group = (key: (call: CallTime) => string) => {
    const groups = new Map<string, CallTime[]>()
    for (const call of calls) groups.set(key(call), [...(groups.get(key(call)) ?? []), call])
    return [...groups].map(([name, list]) => {
      const milliseconds = list.reduce((sum, call) => sum + call.milliseconds, 0)
      return { name, list, milliseconds, share: milliseconds / total }
    })
  }
  const layers = group(call => call.node).map(({ name, list, milliseconds, share }) => ({
    node: name,
    kernels: list.map(({ kernel }) => kernel),
    milliseconds,
    share,
    macs: facts.get(name)?.macs ?? 0,
    shape: facts.get(name)?.shape ?? []
  }))
  const kernels = group(call => call.kernel).map(({ name, list, milliseconds, share }) => ({
    kernel: name,
    calls: list.length,
    milliseconds,
    share
  }))
  return { layers, kernels: kernels.sort((a, b) => b.milliseconds - a.milliseconds), milliseconds: total }
}

const percent = (share: number) => `${(share * 100).toFixed(1)} %`

export function profileText({ layers, kernels }: Profile, peak: number): string {
  const rows = layers.map(({ node, kernels, milliseconds, share, macs, shape }) => {
    const rate = gflops(macs, milliseconds)
    return [
      node,
      kernels.join(' '),
      shape.join('×'),
      milliseconds.toFixed(3),
      percent(share),
      macs ? rate.toFixed(1) : '',
      macs && peak ? percent(rate / peak) : ''
    ]
  })
  const header = ['layer', 'kernels', 'output', 'ms', 'share', 'GFLOP/s', 'of peak']
  const byKernel = kernels.map(k => [k.kernel, String(k.calls), k.milliseconds.toFixed(3), percent(k.share)])
  const right = ['right', 'right', 'right', 'right', 'right'] as const
  return [
    table(header, rows, ['left', 'left', ...right]),
    table(['kernel', 'calls', 'ms', 'share'], byKernel, ['left', 'right', 'right', 'right'])
  ].join('\n\n')
}
