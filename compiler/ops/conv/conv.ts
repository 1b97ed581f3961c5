import { type Dim, isStatic, mul, product, same, show, showShape } from '../../algebra/index.js'
import { refuse } from '../../errors.js'
import { type Choice, type Elements, isConstant, type Node, type Value, type WinogradTile } from '../../graph/index.js'
import { keptBatch } from '../broadcast.js'
import { emitGemm, gemmChoices } from '../dense/gemm.js'
import { panelWidth, vectorOf } from '../elementwise/epilogue.js'
import type { Lowering, Op, View } from '../op.js'
import { depthwiseWeights, packedWeights, type WeightShape, type WeightSteps } from '../weights.js'
import { transposedWindows, type Windows, windows } from '../window.js'
import { convKernel, convTransposeKernel, depthwiseKernel, emitDirect, hasFewFilters, isDepthwise } from './direct.js'
import { cut, emitParts, kernelOfParts } from './transpose.js'
import { emitWinograd, usualSize, winogradChoices } from './winograd.js'

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

function operandsOf(node: Node, to: Lowering): Operands {
  const residual = node.inputs[convInputs.residual]
  return { x: to.view(node.inputs[0]!), y: to.view(node.output), r: residual && to.view(residual) }
}

function lowerConv(node: Node, to: Lowering): void {
  const shape = shapeOf(node)
  const { groups, channels, filters, kernel } = shape
  const { x, y, r } = operandsOf(node, to)
  const window = windows(node, x.shape.slice(2), kernel)
  const depthwise = isDepthwise(shape)
  const columns = {
    groups: depthwise ? 1 : groups,
    columns: depthwise ? groups : filters,
    panel: depthwise ? 0 : panelWidth
  }
  const taps = kernel.reduce((a, b) => a * b, 1)
  const weights = node.inputs[1]!
  const w = depthwise
    ? depthwiseWeights(node, to, weights, `${weights.name} depthwise`, shape, () => packDepthwise(node, groups, taps))
    : panelsOf(node, to, shape)
  const bias = vectorOf(node, to, convInputs.bias, columns)
  const slope = vectorOf(node, to, convInputs.slope, columns)

  const pointwise = taps === 1 && groups === 1 && isPointwise(window)
  const rows = pointwise ? rowsOf({ x, y, r }) : undefined
  const products = rows && !hasFewFilters(shape) ? gemmChoices(macsOf(window, shape), filters) : []
  const [direct, ...transforms] = to.variants(node)
  const chosen = to.choose([...products, direct, ...transforms])
  if (rows && products.some(choice => choice.kernel === chosen)) {
    emitGemm(node, to, { ...rows, inner: channels, columns: filters }, { x, w, bias, slope, r: r ?? bias, y }, chosen)
    return
  }
  if (transforms.some(choice => choice.kernel === chosen)) {
    emitWinograd(node, to, chosen, window, shape, { x, y, r, w, bias, slope })
    return
  }
  emitDirect(node, to, depthwise ? depthwiseKernel : convKernel, shape, window, { x, y, r, w, bias, slope })
}

/** The direct kernel, and the transforms that can stand for it. */
function variantsOf(node: Node, limit: WinogradTile): Choice[] {
  const shape = shapeOf(node)
  const [x, weights] = node.inputs as Value[]
  const window = windows(node, x.shape.slice(2), shape.kernel)
  const depthwise = isDepthwise(shape)
  const direct = { kernel: (depthwise ? depthwiseKernel : convKernel).name, cost: macsOf(window, shape) }
  // Transforms of whole numbers are not whole.
  const known = !depthwise && isConstant(weights) && node.output.dtype.startsWith('float')
  return known ? [direct, ...winogradChoices(limit, window, shape.kernel, shape, weights.data)] : [direct]
}

function lowerTranspose(node: Node, to: Lowering): void {
  const shape = shapeOf(node)
  const { groups, filters } = shape
  const { x, y, r } = operandsOf(node, to)
  const window = transposedWindows(node, x.shape.slice(2), shape.kernel)
  const macs = macsOf(window, shape)
  const whole = { kernel: convTransposeKernel.name, cost: macs }
  const parts = cut(node, window, shape, { y, r })
  const part = { kernel: kernelOfParts(shape).name, cost: macs / window.strides.reduce((a, b) => a * b, 2) }
  if (to.choose(parts ? [whole, part] : [whole]) === part.kernel) {
    emitParts(node, to, parts!, shape, window, { x, y, r })
    return
  }
  const w = panelsOf(node, to, shape)
  const columns = { groups, columns: filters, panel: panelWidth }
  const bias = vectorOf(node, to, convInputs.bias, columns)
  const slope = vectorOf(node, to, convInputs.slope, columns)
  emitDirect(node, to, convTransposeKernel, shape, window, { x, y, r, w, bias, slope })
}

function panelsOf(node: Node, to: Lowering, shape: WeightShape): View {
  const weights = node.inputs[1]!
  const key = `${weights.name} ${node.op} ${shape.groups}`
  return packedWeights(node, to, weights, key, shape, stepsIn(node, shape), () => packWeights(node, shape))
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

function convMacs(node: Node): Dim {
  const { channels, kernel } = shapeOf(node)
  return mul(product(node.output.shape), channels * kernel.reduce((a, b) => a * b, 1))
}

export const convolution: Record<string, Op> = {
  Conv: {
    required: 2,
    infer: inferConv,
    layout: 'channelsLast',
    countedAxis: keptBatch,
    inPlace: [convInputs.residual],
    lower: lowerConv,
    variants: variantsOf,
    macs: convMacs
  },
  ConvTranspose: {
    required: 2,
    infer: inferTranspose,
    layout: 'channelsLast',
    countedAxis: keptBatch,
    inPlace: [convInputs.residual],
    lower: lowerTranspose,
    macs: node => {
      const { filters, kernel } = shapeOf(node)
      return mul(product(node.inputs[0]!.shape), filters * kernel.reduce((a, b) => a * b, 1))
    }
  }
}
