import type { Dim } from '../dim.js'
import type { Node } from '../graph.js'
import { activate, kindOf } from './activation.js'
import { epilogueOf } from './elementwise.js'
import { panelWidth, residualOf } from './epilogue.js'
import { convBuffers, type Kernel, kernel, type Lowering, type View } from './op.js'
import type { Windows } from './window.js'

const winogradFields = {
  batch: 'u32',
  channels: 'u32',
  filters: 'u32',
  inH: 'u32',
  inW: 'u32',
  outH: 'u32',
  outW: 'u32',
  padH: 'u32',
  padW: 'u32',
  xN: 'u32',
  xH: 'u32',
  xW: 'u32',
  yN: 'u32',
  yH: 'u32',
  yW: 'u32',
  rN: 'u32',
  rH: 'u32',
  rW: 'u32',
  residual: 'u32',
  act: 'u32',
  alpha: 'f32',
  beta: 'f32',
  tiles: 'u32'
} as const

type WinogradKernel = Kernel<keyof typeof winogradFields, keyof typeof convBuffers>

/**
 * 3x3 convolution with stride 1 as F(m x m, 3x3), see asm/winograd.ts. The reference computes the same sums in the
 * transformed domain, so that it checks the transformed weights too.
 */
function winogradKernel(m: 2 | 4): WinogradKernel {
  return kernel({
    name: `winograd${m}`,
    fields: winogradFields,
    buffers: convBuffers,
    reference(p, { x, w, bias, slope, r, y }) {
      const side = m + 2
      const { input, output } = transforms[m]
      const panels = Math.ceil(p.filters / panelWidth)
      const weight = (point: number, c: number, f: number) =>
        w[((point * panels + Math.floor(f / panelWidth)) * p.channels + c) * panelWidth + (f % panelWidth)]
      for (let n = 0; n < p.batch; n++)
        for (let h = 0; h < p.outH; h += m)
          for (let v = 0; v < p.outW; v += m) {
            const tile = Array.from({ length: p.channels }, (_, c) =>
              sandwich(input, (i, j) => {
                const [row, column] = [h + i - p.padH, v + j - p.padW]
                const inside = row >= 0 && row < p.inH && column >= 0 && column < p.inW
                return inside ? x[n * p.xN + row * p.xH + column * p.xW + c] : 0
              }).flat()
            )
            for (let f = 0; f < p.filters; f++) {
              const products = new Float64Array(side * side)
              for (let point = 0; point < products.length; point++)
                for (let c = 0; c < p.channels; c++) products[point] += tile[c][point] * weight(point, c, f)
              const sums = sandwich(output, (i, j) => products[i * side + j])
              for (let i = 0; i < m && h + i < p.outH; i++)
                for (let j = 0; j < m && v + j < p.outW; j++) {
                  const residual = p.residual ? r[n * p.rN + (h + i) * p.rH + (v + j) * p.rW + f] : 0
                  const before = sums[i][j] + bias[f] + (p.residual === 1 ? residual : 0)
                  const alpha = p.act === kindOf('prelu') ? slope[f] : p.alpha
                  y[n * p.yN + (h + i) * p.yH + (v + j) * p.yW + f] =
                    activate(p.act, before, alpha, p.beta) + (p.residual === 2 ? residual : 0)
                }
            }
          }
    }
  })
}

export const winogradKernels: Readonly<Record<2 | 4, WinogradKernel>> = { 2: winogradKernel(2), 4: winogradKernel(4) }

/** Filters in conv's panels (panel, kernel position, channel, 8) to (point, panel, channel, 8). */
export const winogradFiltersKernel = kernel({
  name: 'winogradFilters',
  fields: { channels: 'u32', filters: 'u32', size: 'u32' },
  buffers: { w: 'read', u: 'write' },
  reference(p, { w, u }) {
    const side = p.size + 2
    const panels = Math.ceil(p.filters / panelWidth)
    for (let panel = 0; panel < panels; panel++)
      for (let c = 0; c < p.channels; c++)
        for (let f = 0; f < panelWidth; f++) {
          const points = sandwich(
            transforms[p.size as 2 | 4].filter,
            (i, j) => w[((panel * 9 + i * 3 + j) * p.channels + c) * panelWidth + f]
          )
          points.forEach((row, i) =>
            row.forEach((value, j) => {
              u[(((i * side + j) * panels + panel) * p.channels + c) * panelWidth + f] = value
            })
          )
        }
  }
})

type Matrix = readonly (readonly number[])[]

/** B^T, G and A^T of F(2x2, 3x3) and F(4x4, 3x3) (Lavin and Gray 2015, sections 4.1 and 4.3). */
const transforms: Readonly<Record<2 | 4, { input: Matrix; filter: Matrix; output: Matrix }>> = {
  2: {
    input: [
      [1, 0, -1, 0],
      [0, 1, 1, 0],
      [0, -1, 1, 0],
      [0, 1, 0, -1]
    ],
    filter: [
      [1, 0, 0],
      [1 / 2, 1 / 2, 1 / 2],
      [1 / 2, -1 / 2, 1 / 2],
      [0, 0, 1]
    ],
    output: [
      [1, 1, 1, 0],
      [0, 1, -1, -1]
    ]
  },
  4: {
    input: [
      [4, 0, -5, 0, 1, 0],
      [0, -4, -4, 1, 1, 0],
      [0, 4, -4, -1, 1, 0],
      [0, -2, -1, 2, 1, 0],
      [0, 2, -1, -2, 1, 0],
      [0, 4, 0, -5, 0, 1]
    ],
    filter: [
      [1 / 4, 0, 0],
      [-1 / 6, -1 / 6, -1 / 6],
      [-1 / 6, 1 / 6, -1 / 6],
      [1 / 24, 1 / 12, 1 / 6],
      [1 / 24, -1 / 12, 1 / 6],
      [0, 0, 1]
    ],
    output: [
      [1, 1, 1, 1, 1, 0],
      [0, 1, -1, 2, -2, 0],
      [0, 1, 1, 4, 4, 0],
      [0, 1, -1, 8, -8, 1]
    ]
  }
}

/** T d T^t for a square d that is read through `at`. */
function sandwich(matrix: Matrix, at: (i: number, j: number) => number): number[][] {
  const side = matrix[0].length
  const half = matrix.map(row =>
    Array.from({ length: side }, (_, j) => row.reduce((sum, factor, i) => sum + (factor ? factor * at(i, j) : 0), 0))
  )
  return half.map(row => matrix.map(weights => weights.reduce((sum, factor, j) => sum + factor * row[j], 0)))
}

interface Operands {
  readonly x: View
  readonly y: View
  readonly r: View | undefined
  /** Filters in conv's panels. */
  readonly w: View
  readonly bias: View
  readonly slope: View
}

/** Transformed inputs and products of a block of tiles stay near a megabyte together. */
const blockFloats = 1 << 18

/** Tiles of a block: a multiple of every group that the products take. */
const group = 12

export function emitWinograd(
  node: Node,
  to: Lowering,
  size: 2 | 4,
  window: Windows,
  channels: number,
  operands: Operands
): void {
  const { x, y, w, bias, slope } = operands
  const r = operands.r ?? y
  const filters = y.shape[1] as number
  const points = (size + 2) ** 2
  const padded = Math.ceil(filters / panelWidth) * panelWidth
  const fitting = Math.floor(blockFloats / (points * (channels + padded)) / group) * group
  const tiles = Math.min(Math.max(fitting, 2 * group), 16 * group)
  const u = to.derived(`${w.index} winograd ${size}`, points * padded * channels, view =>
    to.call(winogradFiltersKernel, { channels, filters, size }, { w, u: view })
  )
  const step = (view: View, axis: number): Dim => view.strides[axis]
  to.call(
    winogradKernels[size],
    {
      batch: x.shape[0],
      channels,
      filters,
      inH: x.shape[2],
      inW: x.shape[3],
      outH: y.shape[2],
      outW: y.shape[3],
      padH: window.padsBegin[0],
      padW: window.padsBegin[1],
      xN: step(x, 0),
      xH: step(x, 2),
      xW: step(x, 3),
      yN: step(y, 0),
      yH: step(y, 2),
      yW: step(y, 3),
      rN: step(r, 0),
      rH: step(r, 2),
      rW: step(r, 3),
      residual: residualOf(node),
      ...epilogueOf(node),
      tiles
    },
    {
      x,
      w: u,
      bias,
      slope,
      r: operands.r ?? bias,
      y,
      scratch: to.scratch([points * (tiles * (channels + padded) + 32)])
    }
  )
}

/**
 * What a multiply-accumulate of the direct kernel is to one value on its way through a transform, and to one
 * transformed weight, which comes from memory far away (measured, bench:kernels).
 */
const transformCost = 3
const weightCost = 3

/** Sizes that only a run knows count as this large. */
export const nominal = 56

/** Multiply-accumulates that F(size, 3) costs, all told, for a layer of this shape; infinite where it cannot run it. */
export function winogradCost(
  size: number,
  window: Windows,
  kernel: readonly number[],
  channels: number,
  filters: number
): number {
  const suits =
    kernel.length === 2 &&
    kernel.every(taps => taps === 3) &&
    window.strides.every(stride => stride === 1) &&
    window.dilations.every(dilation => dilation === 1)
  if (!suits || channels < fewestChannels || filters < fewestChannels) return Number.POSITIVE_INFINITY
  const tiles = window.out.reduce<number>(
    (count, side) => count * Math.ceil((typeof side === 'number' ? side : nominal) / size),
    1
  )
  const points = (size + 2) ** 2
  return (
    points * (tiles * (channels * filters + transformCost * (channels + filters)) + weightCost * channels * filters)
  )
}

const fewestChannels = 16
