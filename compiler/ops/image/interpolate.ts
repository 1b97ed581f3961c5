import { loopDepth } from '../axes.js'
import { fields, kernel } from '../op.js'
import { visit } from '../visit.js'

/** The positions in these lists are the kernels' `mode`, `coordinates` and `rounding`. */
export const interpolations = ['nearest', 'linear', 'cubic']
export const coordinateModes = [
  'half_pixel',
  'half_pixel_symmetric',
  'pytorch_half_pixel',
  'align_corners',
  'asymmetric',
  'tf_half_pixel_for_nn',
  'tf_crop_and_resize'
]
export const roundings = ['round_prefer_floor', 'round_prefer_ceil', 'floor', 'ceil']

const f = Math.fround

/** Where output element `i` lies in the input, rounded to single precision where onnxruntime rounds. */
function coordinate(mode: number, i: number, scale: number, size: number, out: number, from = 0, to = 1): number {
  if (mode === 6)
    return out > 1
      ? f(f(from * (size - 1)) + f(f(f(i * f(to - from)) * (size - 1)) / (out - 1)))
      : f(f(0.5 * f(from + to)) * (size - 1))
  if (scale === 1) return i
  const centre = f(f(i + 0.5) / scale)
  const centred = f(centre - 0.5)
  switch (mode) {
    case 1:
      return f(f(f(size / 2) * f(1 - f(out / f(scale * size)))) + (i + 0.5) / scale - 0.5)
    case 2:
      return out > 1 ? centred : 0
    case 3:
      return out > 1 ? f(f(i * (size - 1)) / (out - 1)) : 0
    case 4:
      return f(i / scale)
    case 5:
      return centre
    default:
      return centred
  }
}

function nearest(rounding: number, at: number, size: number): number {
  const index = [Math.ceil(f(at - 0.5)), Math.floor(f(at + 0.5)), Math.floor(at), Math.ceil(at)][rounding]
  return clamp(index, size)
}

const clamp = (index: number, size: number) => Math.min(Math.max(index, 0), size - 1)

/** The weight of a tap at distance `d`: a triangle, or Keys' cubic convolution with parameter `a`. */
function filter(mode: number, d: number, a: number): number {
  const z = Math.abs(d)
  if (mode === 1) return Math.max(1 - z, 0)
  if (z < 1) return ((a + 2) * z - (a + 3)) * z * z + 1
  return z < 2 ? ((z - 5) * z + 8) * z * a - 4 * a : 0
}

type Sampling = Readonly<Record<'mode' | 'rounding' | 'xSize' | 'cubic' | 'excludeOutside', number>>

/** The input elements that make up the output element at `at`, and their weights; the nearest if all are excluded. */
function tapsAt(p: Sampling, at: number, spread: number) {
  if (p.mode === 0) return [{ index: nearest(p.rounding, at, p.xSize), weight: 1 }]
  const radius = p.mode * spread
  const taps: { index: number; weight: number }[] = []
  for (let index = Math.ceil(at - radius); index <= at + radius; index++) {
    if (p.excludeOutside && (index < 0 || index >= p.xSize)) continue
    const weight = filter(p.mode, (index - at) / spread, p.cubic)
    if (weight !== 0) taps.push({ index: clamp(index, p.xSize), weight })
  }
  const total = taps.reduce((sum, { weight }) => sum + weight, 0)
  if (total === 0) return [{ index: nearest(p.rounding, at, p.xSize), weight: 1 }]
  return taps.map(({ index, weight }) => ({ index, weight: weight / total }))
}

/**
 * Resizes one axis from xSize to ySize elements, which lie xStep and yStep apart; k loops over everything else. `from`
 * and `to` bound what tf_crop_and_resize takes, `outside` is what it puts where it leaves the input.
 */
export const resizeAxisKernel = kernel({
  name: 'resizeAxis',
  fields: {
    mode: 'u32',
    coordinates: 'u32',
    rounding: 'u32',
    excludeOutside: 'u32',
    antialias: 'u32',
    cubic: 'f32',
    outside: 'f32',
    xSize: 'u32',
    ySize: 'u32',
    scale: 'f32',
    from: 'f32',
    to: 'f32',
    xStep: 'u32',
    yStep: 'u32',
    ...fields('k', loopDepth),
    ...fields('x', loopDepth),
    ...fields('y', loopDepth)
  },
  buffers: { x: 'read', y: 'write' },
  reference(p, { x, y }) {
    const scale = p.scale || f(p.ySize / p.xSize)
    const spread = p.antialias && scale < 1 ? f(1 / scale) : 1
    for (let i = 0; i < p.ySize; i++) {
      const at = coordinate(p.coordinates, i, scale, p.xSize, p.ySize, p.from, p.to)
      const leaves = p.coordinates === 6 && (at < 0 || at > p.xSize - 1)
      const taps = leaves ? [] : tapsAt(p, at, spread)
      visit([p.k0, p.k1, p.k2, p.k3], k => {
        const from = k[0] * p.x0 + k[1] * p.x1 + k[2] * p.x2 + k[3] * p.x3
        const to = k[0] * p.y0 + k[1] * p.y1 + k[2] * p.y2 + k[3] * p.y3
        const sum = taps.reduce((total, { index, weight }) => total + weight * x[from + index * p.xStep], 0)
        y[to + i * p.yStep] = leaves ? p.outside : sum
      })
    }
  }
})

/** Resizes rows and columns of images with channels innermost, nearest or linear. */
export const resizePlaneKernel = kernel({
  name: 'resizePlane',
  fields: {
    mode: 'u32',
    coordinates: 'u32',
    rounding: 'u32',
    batch: 'u32',
    channels: 'u32',
    ...fields('x', 2),
    ...fields('y', 2),
    scale0: 'f32',
    scale1: 'f32',
    xBatch: 'u32',
    ...fields('i', 2),
    yBatch: 'u32',
    ...fields('o', 2)
  },
  buffers: { x: 'read', y: 'write' },
  reference(p, { x, y }) {
    const scale0 = p.scale0 || f(p.y0 / p.x0)
    const scale1 = p.scale1 || f(p.y1 / p.x1)
    const common = { mode: p.mode, rounding: p.rounding, cubic: 0, excludeOutside: 0 }
    const tapsOf = (xSize: number, ySize: number, scale: number) =>
      Array.from({ length: ySize }, (_, i) =>
        tapsAt({ ...common, xSize }, coordinate(p.coordinates, i, scale, xSize, ySize), 1)
      )
    const rows = tapsOf(p.x0, p.y0, scale0)
    const columns = tapsOf(p.x1, p.y1, scale1)
    visit([p.batch, p.y0, p.y1, p.channels], ([n, o0, o1, c]) => {
      let sum = 0
      for (const row of rows[o0])
        for (const column of columns[o1])
          sum += row.weight * column.weight * x[n * p.xBatch + row.index * p.i0 + column.index * p.i1 + c]
      y[n * p.yBatch + o0 * p.o0 + o1 * p.o1 + c] = sum
    })
  }
})
