import { type Dim, mul } from '../../algebra/index.js'
import type { Node } from '../../graph/index.js'
import { type Epilogue, epilogueOf } from '../elementwise/elementwise.js'
import { finished, panelWidth, residualOf } from '../elementwise/epilogue.js'
import { convBuffers, type Kernel, kernel, type Lowering, type View } from '../op.js'
import type { WeightShape } from '../weights.js'
import type { Windows } from '../window.js'

/** Convolutions as direct sums: their kernels, and the calls of these. */

const spatial = <P extends string>(prefix: P) =>
  ({ [`${prefix}D`]: 'u32', [`${prefix}H`]: 'u32', [`${prefix}W`]: 'u32' }) as Record<`${P}${'D' | 'H' | 'W'}`, 'u32'>

const steps = <P extends string>(prefix: P) =>
  ({ [`${prefix}N`]: 'u32', [`${prefix}D`]: 'u32', [`${prefix}H`]: 'u32', [`${prefix}W`]: 'u32' }) as Record<
    `${P}${'N' | 'D' | 'H' | 'W'}`,
    'u32'
  >

export const convFields = {
  batch: 'u32',
  groups: 'u32',
  channels: 'u32',
  filters: 'u32',
  ...spatial('in'),
  ...spatial('out'),
  ...spatial('kernel'),
  ...spatial('stride'),
  ...spatial('pad'),
  ...spatial('dilation'),
  ...steps('x'),
  ...steps('y'),
  ...steps('r'),
  residual: 'u32',
  act: 'u32',
  alpha: 'f32',
  beta: 'f32',
  tiles: 'u32'
} as const

export type ConvKernel = Kernel<keyof typeof convFields, keyof typeof convBuffers>
type ConvParameters = Parameters<ConvKernel['reference']>[0]
type ConvArrays = Parameters<ConvKernel['reference']>[1]

/**
 * y = act(conv(x, w) + bias + r), channels innermost; `channels` and `filters` count one group's inputs and outputs.
 * Weights lie in panels of 8 filters, and within a panel by (kernel position, input channel).
 */
export const convKernel: ConvKernel = kernel({
  name: 'conv',
  fields: convFields,
  buffers: convBuffers,
  reference(p, b) {
    forEachOutput(p, b, paddedFilters(p), (n, g, od, oh, ow, f) => {
      let sum = 0
      forEachTap(p, (kd, kh, kw, tap) => {
        const d = od * p.strideD - p.padD + kd * p.dilationD
        const h = oh * p.strideH - p.padH + kh * p.dilationH
        const w = ow * p.strideW - p.padW + kw * p.dilationW
        sum += dotAt(p, b, n, g, d, h, w, tap, f)
      })
      return sum
    })
  }
})

/** Transposed convolution as the gather that it is: an output reads the inputs whose stride lands on it. */
export const convTransposeKernel: ConvKernel = kernel({
  name: 'convTranspose',
  fields: convFields,
  buffers: convBuffers,
  reference(p, b) {
    forEachOutput(p, b, paddedFilters(p), (n, g, od, oh, ow, f) => {
      let sum = 0
      forEachTap(p, (kd, kh, kw, tap) => {
        const d = (od + p.padD - kd * p.dilationD) / p.strideD
        const h = (oh + p.padH - kh * p.dilationH) / p.strideH
        const w = (ow + p.padW - kw * p.dilationW) / p.strideW
        sum += dotAt(p, b, n, g, d, h, w, tap, f)
      })
      return sum
    })
  }
})

/** One filter a channel. Weights are [kernelH, kernelW, channels]; depth stays 1. */
export const depthwiseKernel: ConvKernel = kernel({
  name: 'depthwise',
  fields: convFields,
  buffers: convBuffers,
  reference(p, b) {
    forEachOutput(p, b, 1, (n, g, _od, oh, ow) => {
      let sum = 0
      forEachTap(p, (_kd, kh, kw, tap) => {
        const h = oh * p.strideH - p.padH + kh * p.dilationH
        const w = ow * p.strideW - p.padW + kw * p.dilationW
        if (h >= 0 && h < p.inH && w >= 0 && w < p.inW)
          sum += b.x[n * p.xN + h * p.xH + w * p.xW + g] * b.w[tap * p.groups + g]
      })
      return sum
    })
  }
})

function forEachTap(p: ConvParameters, body: (kd: number, kh: number, kw: number, tap: number) => void): void {
  let tap = 0
  for (let kd = 0; kd < p.kernelD; kd++)
    for (let kh = 0; kh < p.kernelH; kh++) for (let kw = 0; kw < p.kernelW; kw++) body(kd, kh, kw, tap++)
}

const paddedFilters = (p: ConvParameters) => Math.ceil(p.filters / panelWidth) * panelWidth

/** `perGroup` is the distance from one group's biases to the next. */
function forEachOutput(
  p: ConvParameters,
  { bias, slope, r, y }: ConvArrays,
  perGroup: number,
  sum: (n: number, g: number, od: number, oh: number, ow: number, f: number) => number
): void {
  for (let n = 0; n < p.batch; n++)
    for (let od = 0; od < p.outD; od++)
      for (let oh = 0; oh < p.outH; oh++)
        for (let ow = 0; ow < p.outW; ow++)
          for (let g = 0; g < p.groups; g++)
            for (let f = 0; f < p.filters; f++) {
              const c = g * p.filters + f
              const at = g * perGroup + f
              const residual = p.residual ? r[n * p.rN + od * p.rD + oh * p.rH + ow * p.rW + c] : 0
              const total = bias[at] + sum(n, g, od, oh, ow, f)
              y[n * p.yN + od * p.yD + oh * p.yH + ow * p.yW + c] = finished(p, total, slope[at], residual)
            }
}

function dotAt(
  p: ConvParameters,
  { x, w }: ConvArrays,
  n: number,
  g: number,
  d: number,
  h: number,
  v: number,
  tap: number,
  f: number
): number {
  const inside = (at: number, size: number) => Number.isInteger(at) && at >= 0 && at < size
  if (!inside(d, p.inD) || !inside(h, p.inH) || !inside(v, p.inW)) return 0
  const rows = p.kernelD * p.kernelH * p.kernelW * p.channels
  const panels = Math.ceil(p.filters / panelWidth)
  const from = n * p.xN + d * p.xD + h * p.xH + v * p.xW + g * p.channels
  const weights = (g * panels + Math.floor(f / panelWidth)) * rows * panelWidth + (f % panelWidth)
  let sum = 0
  for (let c = 0; c < p.channels; c++) sum += x[from + c] * w[weights + (tap * p.channels + c) * panelWidth]
  return sum
}

/** Depth, height, width from one to three spatial values. */
export function spatialSizes<P extends string>(prefix: P, values: readonly Dim[], missing: Dim) {
  const padded = [...new Array<Dim>(3 - values.length).fill(missing), ...values]
  return { [`${prefix}D`]: padded[0], [`${prefix}H`]: padded[1], [`${prefix}W`]: padded[2] } as Record<
    `${P}${'D' | 'H' | 'W'}`,
    Dim
  >
}

export function stepsOf<P extends string>(prefix: P, view: View) {
  return { [`${prefix}N`]: view.strides[0], ...spatialSizes(prefix, view.strides.slice(2), 0) } as Record<
    `${P}${'N' | 'D' | 'H' | 'W'}`,
    Dim
  >
}

/** Sizes and steps of a convolution's input and output, and its window. */
export function placesOf({ groups, channels, filters, kernel }: WeightShape, window: Windows, x: View, y: View) {
  return {
    ...{ batch: x.shape[0], groups, channels, filters },
    ...spatialSizes('in', x.shape.slice(2), 1),
    ...spatialSizes('out', y.shape.slice(2), 1),
    ...spatialSizes('kernel', kernel, 1),
    ...spatialSizes('stride', window.strides, 1),
    ...spatialSizes('pad', window.padsBegin, 0),
    ...spatialSizes('dilation', window.dilations, 1),
    ...stepsOf('x', x),
    ...stepsOf('y', y)
  }
}

/** Whether the direct kernel takes input channels along the lanes (asm/dense/narrow.ts), for few filters fill no panel. */
export const hasFewFilters = ({ groups, channels, filters }: Pick<WeightShape, 'groups' | 'channels' | 'filters'>) =>
  groups === 1 && filters <= 3 && channels % 4 === 0

/** Whether each channel has one filter of its own, along one or two axes. */
export const isDepthwise = ({ groups, channels, filters, kernel }: WeightShape) =>
  channels === 1 && filters === 1 && groups > 1 && kernel.length < 3

/** What a convolution reads and writes, as views in memory. */
export interface ConvViews {
  readonly x: View
  readonly y: View
  readonly r: View | undefined
  readonly w: View
  readonly bias: View
  readonly slope: View
}

/** One call of a kernel of direct sums. */
export function emitDirect(
  node: Node,
  to: Lowering,
  direct: ConvKernel,
  shape: WeightShape,
  window: Windows,
  { x, y, r, w, bias, slope }: ConvViews,
  epilogue: Epilogue = epilogueOf(node)
): void {
  const { groups, channels, filters, kernel } = shape
  const taps = kernel.reduce((a, b) => a * b, 1)
  const tiles = Math.min(Math.max(Math.floor(16384 / (taps * channels)), 4), 64)
  // Tables of asm/dense/tile.ts with a segment per kernel position, zeros to read where a window is outside, and the
  // weights of few filters once more; a depthwise kernel has a row, if there is a residual.
  const lanes = hasFewFilters(shape) ? taps * channels * filters : 0
  const tables = tiles * (12 + taps * 6) + groups * channels + lanes
  const row = r ? mul(y.shape[y.shape.length - 1], groups) : 4
  const scratch = to.scratch([direct === depthwiseKernel ? row : tables])
  to.call(
    direct,
    {
      ...placesOf(shape, window, x, y),
      ...stepsOf('r', r ?? y),
      residual: residualOf(node),
      ...epilogue,
      tiles
    },
    { x, w, bias, slope, r: r ?? bias, y, scratch }
  )
}
