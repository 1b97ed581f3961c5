import { type Dim, isStatic, mul, product, same, show, showShape } from '../../algebra/index.js'
import { refuse } from '../../errors.js'
import { type Elements, isConstant, type Node, type Value } from '../../graph/index.js'
import { emitGemm, gemmChoices } from '../dense/gemm.js'
import { epilogueOf } from '../elementwise/elementwise.js'
import { finished, panelWidth, residualOf, vectorOf } from '../elementwise/epilogue.js'
import { convBuffers, type Kernel, kernel, type Lowering, type Op, type View } from '../op.js'
import { depthwiseWeights, packedWeights, type WeightShape, type WeightSteps } from '../weights.js'
import { transposedWindows, type Windows, windows } from '../window.js'
import { emitWinograd, usualSize, winogradChoices } from './winograd.js'

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

type ConvKernel = Kernel<keyof typeof convFields, keyof typeof convBuffers>
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

export function shapeOf(node: Node): WeightShape {
  const [x, w] = node.inputs as Value[]
  if (!isStatic(w.shape)) throw refuse(node, `weights "${w.name}" of ${showShape(w.shape)} must have known sizes`)
  const shape = w.shape as readonly number[]
  const groups = node.number('group', 1)
  if (x.rank !== w.rank || x.rank < 3 || x.rank > 5)
    throw refuse(
      node,
      `input ${showShape(x.shape)} does not fit weights ${showShape(shape)}; 1 to 3 spatial axes are allowed`
    )
  const kernel = shape.slice(2)
  const declared = node.list('kernel_shape')
  if (declared?.some((size, i) => size !== kernel[i]))
    throw refuse(node, `kernel_shape [${declared}] contradicts weights ${showShape(shape)}`)
  const transposed = node.op === 'ConvTranspose'
  const channels = transposed ? shape[0] / groups : shape[1]
  const filters = transposed ? shape[1] : shape[0] / groups
  if (!same(x.shape[1], channels * groups))
    throw refuse(
      node,
      `input has ${show(x.shape[1])} channels, weights ${showShape(shape)} in ${groups} groups ask for ${channels * groups}`
    )
  const bias = node.inputs[convInputs.bias]
  if (bias && !same(product(bias.shape), groups * filters))
    throw refuse(node, `bias ${showShape(bias.shape)} does not fit ${groups * filters} filters`)
  if (!Number.isInteger(filters) || !Number.isInteger(channels) || filters < 1 || channels < 1)
    throw refuse(node, `weights ${showShape(shape)} do not divide into ${groups} groups`)
  return { groups, channels, filters, kernel }
}

/** Weights by (group, kernel position, input channel, filter of the group): the columns that panels are cut from. */
function packWeights(node: Node, { groups, channels, filters, kernel }: WeightShape): Elements {
  const source = (node.inputs[1] as Value & { data: Elements }).data
  const taps = kernel.reduce((a, b) => a * b, 1)
  const transposed = node.op === 'ConvTranspose'
  const packed = new Float32Array(source.length)
  const panels = Math.ceil(filters / panelWidth)
  let at = 0
  for (let g = 0; g < groups; g++)
    for (let panel = 0; panel < panels; panel++) {
      const first = panel * panelWidth
      const last = Math.min(first + panelWidth, filters)
      for (let tap = 0; tap < taps; tap++)
        for (let c = 0; c < channels; c++)
          for (let f = first; f < last; f++)
            packed[at++] = transposed
              ? source[((g * channels + c) * filters + f) * taps + tap]
              : source[((g * filters + f) * channels + c) * taps + tap]
    }
  return packed
}

/** Inputs of a convolution after fusion: x, weights, bias, PRelu slope, residual. */
export const convInputs = { x: 0, weights: 1, bias: 2, slope: 3, residual: 4 } as const

function inferConv(node: Node): void {
  const [x] = node.inputs as Value[]
  const { groups, filters, kernel } = shapeOf(node)
  node.output.dtype = x.dtype
  node.output.shape = [x.shape[0], groups * filters, ...windows(node, x.shape.slice(2), kernel).out]
}

function inferTranspose(node: Node): void {
  const [x] = node.inputs as Value[]
  const { groups, filters, kernel } = shapeOf(node)
  node.output.dtype = x.dtype
  node.output.shape = [x.shape[0], groups * filters, ...transposedWindows(node, x.shape.slice(2), kernel).out]
}

interface Operands {
  readonly x: View
  readonly y: View
  readonly r: View | undefined
}

function lowerConv(node: Node, to: Lowering): void {
  const shape = shapeOf(node)
  const { groups, channels, filters, kernel } = shape
  const x = to.view(node.inputs[0]!)
  const y = to.view(node.output)
  const residual = node.inputs[convInputs.residual]
  const r = residual && to.view(residual)
  const transposed = node.op === 'ConvTranspose'
  const window = (transposed ? transposedWindows : windows)(node, x.shape.slice(2), kernel)
  const depthwise = !transposed && channels === 1 && filters === 1 && groups > 1 && kernel.length < 3
  const columns = {
    groups: depthwise ? 1 : groups,
    columns: depthwise ? groups : filters,
    panel: depthwise ? 0 : panelWidth
  }
  const taps = kernel.reduce((a, b) => a * b, 1)
  const weights = node.inputs[1]!
  const w = depthwise
    ? depthwiseWeights(node, to, weights, `${weights.name} depthwise`, shape, () => packDepthwise(node, groups, taps))
    : packedWeights(node, to, weights, `${weights.name} ${node.op} ${groups}`, shape, stepsIn(node, shape), () =>
        packWeights(node, shape)
      )
  const bias = vectorOf(node, to, convInputs.bias, columns)
  const slope = vectorOf(node, to, convInputs.slope, columns)

  const pointwise = !transposed && taps === 1 && groups === 1 && isPointwise(window)
  const rows = pointwise ? rowsOf({ x, y, r }) : undefined
  const direct = depthwise ? depthwiseKernel : transposed ? convTransposeKernel : convKernel
  const macs = macsOf(window, shape)
  const products = rows ? gemmChoices(macs, filters) : []
  // Transforms of whole numbers are not whole.
  const known = !transposed && !depthwise && isConstant(weights) && node.output.dtype.startsWith('float')
  const transforms = known ? winogradChoices(to.winograd, window, kernel, shape, weights.data) : []
  const chosen = to.choose([...products, { kernel: direct.name, cost: macs }, ...transforms])
  if (rows && products.some(choice => choice.kernel === chosen)) {
    emitGemm(node, to, { ...rows, inner: channels, columns: filters }, { x, w, bias, slope, r: r ?? bias, y }, chosen)
    return
  }
  if (transforms.some(choice => choice.kernel === chosen)) {
    emitWinograd(node, to, chosen, window, shape, { x, y, r, w, bias, slope })
    return
  }
  const tiles = Math.min(Math.max(Math.floor(16384 / (taps * channels)), 4), 64)
  // Tables of asm/dense/tile.ts with a segment per kernel position, and zeros to read where a window is outside; or a row.
  const scratch = to.scratch([
    depthwise ? (r ? mul(y.shape[y.shape.length - 1], groups) : 4) : tiles * (12 + taps * 6) + groups * channels
  ])
  to.call(
    direct,
    {
      ...placesOf(shape, window, x, y),
      ...stepsOf('r', r ?? y),
      residual: residualOf(node),
      ...epilogueOf(node),
      tiles
    },
    { x, w, bias, slope, r: r ?? bias, y, scratch }
  )
}

/** Multiply-accumulates of direct sums over one image. */
function macsOf({ out }: Windows, { groups, channels, filters, kernel }: WeightShape): number {
  return [...out, ...kernel].reduce<number>((cost, size) => cost * usualSize(size), groups * channels * filters)
}

function packDepthwise(node: Node, channels: number, taps: number): Elements {
  const source = (node.inputs[1] as Value & { data: Elements }).data
  return Float32Array.from(
    { length: source.length },
    (_, i) => source[(i % channels) * taps + Math.floor(i / channels)]
  )
}

/** ONNX has the filters first, but for ConvTranspose, where the input channels are. */
function stepsIn(node: Node, { channels, filters }: WeightShape) {
  return ([first, second, ...taps]: readonly Dim[]): WeightSteps =>
    node.op === 'ConvTranspose'
      ? { group: mul(first, channels), filter: second, channel: first, taps }
      : { group: mul(first, filters), filter: first, channel: second, taps }
}

export function isPointwise({ strides, padsBegin, padsEnd }: Windows): boolean {
  return strides.every(s => s === 1) && padsBegin.every(p => p === 0) && padsEnd.every(p => p === 0)
}

/** All pixels as the rows of one matrix, when every operand steps evenly from pixel to pixel. */
export function rowsOf({ x, y, r }: Operands): { rows: Dim; xRow: Dim; yRow: Dim; rRow: Dim } | undefined {
  const pitch = (view: View): Dim | undefined => {
    const axes = [0, ...view.shape.slice(2).map((_, i) => i + 2)].filter(axis => view.shape[axis] !== 1)
    const even = axes.every(
      (axis, i) => i === 0 || same(view.strides[axes[i - 1]], mul(view.strides[axis], view.shape[axis]))
    )
    return even ? (axes.length ? view.strides[axes[axes.length - 1]] : view.shape[1]) : undefined
  }
  const [xRow, yRow, rRow] = [pitch(x), pitch(y), pitch(r ?? y)]
  if (xRow === undefined || yRow === undefined || rRow === undefined) return undefined
  return { rows: product([x.shape[0], ...x.shape.slice(2)]), xRow, yRow, rRow }
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

function convMacs(node: Node): Dim {
  const { channels, kernel } = shapeOf(node)
  return mul(product(node.output.shape), channels * kernel.reduce((a, b) => a * b, 1))
}

export const convolution: Record<string, Op> = {
  Conv: {
    required: 2,
    infer: inferConv,
    layout: 'channelsLast',
    inPlace: [convInputs.residual],
    lower: lowerConv,
    macs: convMacs
  },
  ConvTranspose: {
    required: 2,
    infer: inferTranspose,
    layout: 'channelsLast',
    inPlace: [convInputs.residual],
    lower: lowerConv,
    macs: node => {
      const { filters, kernel } = shapeOf(node)
      return mul(product(node.inputs[0]!.shape), filters * kernel.reduce((a, b) => a * b, 1))
    }
  }
}
