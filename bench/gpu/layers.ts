import { gflops } from '../../cli/measure/index.js'
import { table } from '../../cli/terminal/index.js'
import type { CallTime, GpuDispatch } from '../../runtime/index.js'
import type { Limits } from './limits.js'
import { totalOf } from './traffic.js'

export type Precision = 'f32' | 'f16'

/** One kernel call on the GPU, all its dispatches together; or all calls of a kernel. */
export interface GpuLayer {
  readonly kernel: string
  readonly node: string
  /** Entry points of the dispatches. */
  readonly entries: readonly string[]
  readonly milliseconds: number
  /** Of the profile's time. */
  readonly share: number
  readonly macs: number
  readonly done: number
  /** Bytes with inputs read once and outputs written once. */
  readonly least: number
  readonly moved: number
}

export interface GpuLayers {
  readonly network: string
  readonly precision: Precision
  /** Measured just before. */
  readonly limits: Limits
  readonly layers: readonly GpuLayer[]
}

/** Times of calls with what their dispatches do. */
export function joined(
  calls: readonly CallTime[],
  dispatches: readonly GpuDispatch[],
  precision: Precision
): GpuLayer[] {
  const total = calls.reduce((sum, { milliseconds }) => sum + milliseconds, 0)
  return calls.map(({ kernel, node, milliseconds }, i) => {
    const own = dispatches.filter(({ call }) => call === i)
    const { macs, done, least, moved } = totalOf(own, precision)
    const entries = own.map(({ entry }) => entry)
    return { kernel, node, entries, milliseconds, share: milliseconds / total, macs, done, least, moved }
  })
}

/** The larger of two shares: of the rate of multiply-adds, for what is really done, and of the bandwidth of a copy. */
export function limitShare({ done, least, milliseconds }: GpuLayer, rate: number, bandwidth: number) {
  const compute = gflops(done, milliseconds) / rate
  const memory = least / milliseconds / 1e6 / bandwidth
  return compute > memory ? { share: compute, by: 'compute' } : { share: memory, by: 'bandwidth' }
}

/** Kernels by their time, each over its calls in the order of the run. */
export function byKernel(
  layers: readonly GpuLayer[]
): { readonly all: GpuLayer; readonly calls: readonly GpuLayer[] }[] {
  const kernels = [...new Set(layers.map(({ kernel }) => kernel))].map(kernel => {
    const calls = layers.filter(layer => layer.kernel === kernel)
    const sum = (key: 'milliseconds' | 'share' | 'macs' | 'done' | 'least' | 'moved') =>
      calls.reduce((total, layer) => total + layer[key], 0)
    const all: GpuLayer = {
      kernel,
      node: calls.length === 1 ? '1 call' : `${calls.length} calls`,
      entries: [...new Set(calls.flatMap(({ entries }) => entries))],
      milliseconds: sum('milliseconds'),
      share: sum('share'),
      macs: sum('macs'),
      done: sum('done'),
      least: sum('least'),
      moved: sum('moved')
    }
    return { all, calls }
  })
  return kernels.sort((a, b) => b.all.milliseconds - a.all.milliseconds)
}

export function layersText({ layers, precision, limits }: GpuLayers): string {
  const rate = limits[precision] ?? limits.f32
  const row = (layer: GpuLayer, name: string) => {
    const { entries, milliseconds, share, macs, least } = layer
    const timed = milliseconds > 0
    const limit = limitShare(layer, rate, limits.bandwidth)
    return [
      name,
      layer.node,
      entries.join(' '),
      milliseconds.toFixed(4),
      `${(share * 100).toFixed(1)} %`,
      macs && timed ? gflops(macs, milliseconds).toFixed(1) : '',
      timed ? (least / milliseconds / 1e6).toFixed(1) : '',
      timed ? `${(limit.share * 100).toFixed(1)} %` : '',
      timed ? limit.by : ''
    ]
  }
  const rows = byKernel(layers).flatMap(({ all, calls }) => [row(all, all.kernel), ...calls.map(call => row(call, ''))])
  const header = ['kernel', 'layer', 'shaders', 'ms', 'share', 'GFLOP/s', 'GB/s', 'of limit', 'by']
  const right = ['right', 'right', 'right', 'right', 'right'] as const
  return table(header, rows, ['left', 'left', 'left', ...right, 'left'])
}
