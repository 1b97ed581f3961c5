import { evaluate } from '../../../runtime/file/index.js'
import { type Dim, freeNamesOf } from '../../algebra/index.js'
import type { Choice, Node, WinogradTile } from '../../graph/index.js'
import { epilogueOf } from '../elementwise/elementwise.js'
import { finished, panelWidth, residualOf } from '../elementwise/epilogue.js'
import { convBuffers, type Kernel, kernel, type Lowering, type View } from '../op.js'
import type { Windows } from '../window.js'

const winogradFields = {
  batch: 'u32',
  groups: 'u32',
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

/** F(m x m, k x k) on tiles of (m + k - 1)^2 inputs. */
export interface Winograd {
  readonly m: 2 | 4
  readonly k: 3 | 5
  /** The limit that admits it: 4 for what rounds as F(4x4, 3x3) does. */
  readonly tile: WinogradTile
  readonly kernel: WinogradKernel
}

/**
 * Convolution with stride 1 as F(m x m, k x k), see asm/conv/winograd.ts; `channels` and `filters` count one group's. The
 * reference computes the same sums in the transformed domain, so that it checks the transformed weights too.
 */
function winograd(name: string, m: 2 | 4, k: 3 | 5): Winograd {
  const side = m + k - 1
  const { input, output } = transformsOf(m, k)
  const definition = kernel({
    name,
    fields: winogradFields,
    buffers: convBuffers,
    reference(p, { x, w, bias, slope, r, y }) {
      const panels = Math.ceil(p.filters / panelWidth)
      const weight = (g: number, point: number, c: number, f: number) =>
        w[
          (((g * side * side + point) * panels + Math.floor(f / panelWidth)) * p.channels + c) * panelWidth +
            (f % panelWidth)
        ]
      forEachTile(p, m, (n, g, h, v) => {
        const tile = Array.from({ length: p.channels }, (_, c) =>
          sandwich(input, (i, j) => {
            const [row, column] = [h + i - p.padH, v + j - p.padW]
            const inside = row >= 0 && row < p.inH && column >= 0 && column < p.inW
            return inside ? x[n * p.xN + row * p.xH + column * p.xW + g * p.channels + c] : 0
          }).flat()
        )
        for (let f = 0; f < p.filters; f++) {
          const products = new Float64Array(side * side)
          for (let point = 0; point < products.length; point++)
            for (let c = 0; c < p.channels; c++) products[point] += tile[c][point] * weight(g, point, c, f)
          const sums = sandwich(output, (i, j) => products[i * side + j])
          const own = g * p.filters + f
          const at = g * panels * panelWidth + f
          for (let i = 0; i < m && h + i < p.outH; i++)
            for (let j = 0; j < m && v + j < p.outW; j++) {
              const residual = p.residual ? r[n * p.rN + (h + i) * p.rH + (v + j) * p.rW + own] : 0
              const total = sums[i][j] + bias[at]
              y[n * p.yN + (h + i) * p.yH + (v + j) * p.yW + own] = finished(p, total, slope[at], residual)
            }
        }
      })
    }
  })
  return { m, k, tile: side === 4 ? 2 : 4, kernel: definition }
}

function forEachTile(
  { batch, groups, outH, outW }: { batch: number; groups: number; outH: number; outW: number },
  m: number,
  body: (n: number, g: number, h: number, v: number) => void
): void {
  for (let n = 0; n < batch; n++)
    for (let g = 0; g < groups; g++)
      for (let h = 0; h < outH; h += m) for (let v = 0; v < outW; v += m) body(n, g, h, v)
}

/** Filters in conv's panels (group, panel, kernel position, channel, 8) to (group, point, panel, channel, 8). */
export const winogradFiltersKernel = kernel({
  name: 'winogradFilters',
  fields: { groups: 'u32', channels: 'u32', filters: 'u32', size: 'u32', kernel: 'u32' },
  buffers: { w: 'read', u: 'write' },
  reference(p, { w, u }) {
    const k = p.kernel as 3 | 5
    const side = p.size + k - 1
    const panels = Math.ceil(p.filters / panelWidth)
    const { filter } = transformsOf(p.size as 2 | 4, k)
    for (let g = 0; g < p.groups; g++)
      for (let panel = 0; panel < panels; panel++)
        for (let c = 0; c < p.channels; c++)
          for (let f = 0; f < panelWidth; f++) {
            const from = (g * panels + panel) * k * k
            const points = sandwich(filter, (i, j) => w[((from + i * k + j) * p.channels + c) * panelWidth + f])
            points.forEach((row, i) =>
              row.forEach((value, j) => {
                const point = (g * side + i) * side + j
                u[((point * panels + panel) * p.channels + c) * panelWidth + f] = value
              })
            )
          }
  }
})

type Matrix = readonly (readonly number[])[]

/**
 * B^T, G and A^T of F(m, k): the input at four or six points, whatever m and k make these of (Lavin and Gray 2015, sections
 * 4.1 and 4.3), the filter and the outputs as polynomials of degree k - 1 and m - 1 there; the last point is infinity.
 */
function transformsOf(m: 2 | 4, k: 3 | 5): { input: Matrix; filter: Matrix; output: Matrix } {
  const { points, scales, input } = m + k - 1 === 4 ? fourPoints : sixPoints
  const powers = (count: number) => [
    ...points.map(point => Array.from({ length: count }, (_, i) => point ** i)),
    Array.from({ length: count }, (_, i) => (i === count - 1 ? 1 : 0))
  ]
  const filter = powers(k).map((row, i) => row.map(value => value * scales[i]))
  const columns = powers(m)
  const output = Array.from({ length: m }, (_, i) => columns.map(column => column[i]))
  return { input, filter, output }
}

interface Points {
  /** All but infinity. */
  readonly points: readonly number[]
  readonly scales: readonly number[]
  readonly input: Matrix
}

const fourPoints: Points = {
  points: [0, 1, -1],
  scales: [1, 1 / 2, 1 / 2, 1],
  input: [
    [1, 0, -1, 0],
    [0, 1, 1, 0],
    [0, -1, 1, 0],
    [0, -1, 0, 1]
  ]
}

const [near, far] = [Math.SQRT1_2, Math.SQRT2]

/** Points whose powers stay near 1 (Barabasz et al. 2020, arXiv 1803.10986). */
const sixPoints: Points = {
  points: [0, near, -near, far, -far],
  scales: [1, -2 / 3, -2 / 3, 1 / 6, 1 / 6, 1],
  input: [
    [1, 0, -5 / 2, 0, 1, 0],
    [0, -2 * near, -2, near, 1, 0],
    [0, 2 * near, -2, -near, 1, 0],
    [0, -far / 2, -1 / 2, far, 1, 0],
    [0, far / 2, -1 / 2, -far, 1, 0],
    [0, 1, 0, -5 / 2, 0, 1]
  ]
}

export const winograds: readonly Winograd[] = [
  winograd('winograd2', 2, 3),
  winograd('winograd4', 4, 3),
  winograd('winograd2x5', 2, 5)
]

/** T d T^t for a square d that is read through `at`. */
function sandwich(matrix: Matrix, at: (i: number, j: number) => number): number[][] {
  const side = matrix[0].length
  const half = matrix.map(row =>
    Array.from({ length: side }, (_, j) => row.reduce((sum, factor, i) => sum + (factor ? factor * at(i, j) : 0), 0))
  )
  return half.map(row => matrix.map(weights => weights.reduce((sum, factor, j) => sum + factor * row[j], 0)))
}

/** Of one group. */
interface Sizes {
  readonly groups: number
  readonly channels: number
  readonly filters: number
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
  name: string,
  window: Windows,
  { groups, channels, filters }: Sizes,
  operands: Operands
): void {
  const { m, k, kernel: target } = winograds.find(({ kernel }) => kernel.name === name)!
  const { x, y, w, bias, slope } = operands
  const r = operands.r ?? y
  const points = (m + k - 1) ** 2
  const padded = paddedFilters(filters)
  const fitting = Math.floor(blockFloats / (points * (channels + padded)) / group) * group
  const tiles = Math.min(Math.max(fitting, 2 * group), 16 * group)
  const u = to.derived(`${w.index} ${target.name}`, groups * points * padded * channels, view =>
    to.call(winogradFiltersKernel, { groups, channels, filters, size: m, kernel: k }, { w, u: view })
  )
  const step = (view: View, axis: number): Dim => view.strides[axis]
  to.call(
    target,
    {
      batch: x.shape[0],
      groups,
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
 * Multiply-accumulates of the direct kernel that one value on its way through a transform is worth, and one transformed
 * weight, which is made at load, takes memory, and comes from far away in every run (measured, bench:kernels).
 */
const transformCost = 12
const weightCost = 8

/**
 * Whether sums and differences of these weights stay in range: a tile mixes all weights of a filter, in single precision, and
 * one of 1e30 (or NaN) would be all that is left of the others, also where no input meets it. Only such extremes are meant;
 * of what is below, tiles keep a part in 1e5 of the layer's maximum.
 */
function isModest(weights: ArrayLike<number>): boolean {
  for (let i = 0; i < weights.length; i++) if (!(Math.abs(weights[i]) <= largestWeight)) return false
  return true
}

/** Transformed, such a weight is still one that halves hold. */
const largestWeight = 3e4

/** A size as it is for pictures of 224 pixels a side, where only a run knows it. */
export function usualSize(size: Dim): number {
  return evaluate(size, Object.fromEntries([...freeNamesOf(size)].map(name => [name, 224])))
}

/** The variants up to `limit` that can run a layer, with the multiply-accumulates that they cost, all told. */
export function winogradChoices(
  limit: WinogradTile,
  window: Windows,
  kernel: readonly number[],
  { groups, channels, filters }: Sizes,
  weights: ArrayLike<number>
): Choice[] {
  const plain = [...window.strides, ...window.dilations].every(step => step === 1)
  if (kernel.length !== 2 || !plain || channels < fewestChannels || filters < fewestChannels) return []
  const fitting = winograds.filter(({ k, tile }) => tile <= limit && kernel.every(taps => taps === k))
  if (!fitting.length || !isModest(weights)) return []
  return fitting.map(({ m, k, kernel: { name } }) => {
    const tiles = window.out.reduce<number>((count, side) => count * Math.ceil(usualSize(side) / m), 1)
    const products = tiles * (channels * filters + transformCost * (channels + filters))
    const points = (m + k - 1) ** 2
    return {
      kernel: name,
      cost: groups * points * (products + weightCost * channels * filters),
      floats: groups * channels * (points * paddedFilters(filters) - k * k * filters)
    }
  })
}

const paddedFilters = (filters: number) => Math.ceil(filters / panelWidth) * panelWidth

/** Vectors of fewer channels would be mostly empty. */
const fewestChannels = 4
