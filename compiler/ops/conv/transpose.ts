import { add, type Dim, div, min, mul, same } from '../../algebra/index.js'
import { type Elements, isConstant, type Node, type Value } from '../../graph/index.js'
import { kindOf } from '../elementwise/activation.js'
import { emitCopy, epilogueOf } from '../elementwise/elementwise.js'
import { panelWidth, vectorOf } from '../elementwise/epilogue.js'
import type { Lowering, View } from '../op.js'
import type { WeightShape } from '../weights.js'
import type { Windows } from '../window.js'
import { type ConvViews, convKernel, depthwiseKernel, emitDirect, isDepthwise } from './direct.js'

/**
 * Transposed convolution as plain ones. Outputs whose positions leave the same remainder by the stride read the same
 * kernel positions of neighbouring inputs: each such set is a convolution with stride 1 whose outputs lie a stride apart
 * (Shi et al. 2016, "Is the deconvolution layer the same as a convolutional layer?", arXiv 1609.07009).
 */

/** The outputs of one remainder along an axis, and how they read. */
interface Slice {
  readonly remainder: number
  /** Kernel positions in the order of the inputs that they read. */
  readonly taps: readonly number[]
  /** Inputs in front of the first output's place where its window begins; less than nothing behind it. */
  readonly pad: number
  readonly dilation: number
  readonly count: Dim
}

/** One convolution: a slice of each axis, and how many neighbouring outputs of the last its filters write side by side. */
interface Part {
  readonly slices: readonly Slice[]
  readonly wide: readonly Slice[]
}

/** More calls than these cost more than they save. */
const mostParts = 16

/** How a node of constant weights is cut; undefined where it is not, or into too many parts. */
export function cut(
  node: Node,
  window: Windows,
  shape: WeightShape,
  { y, r }: Pick<ConvViews, 'y' | 'r'>
): readonly Part[] | undefined {
  const { strides, dilations, padsBegin, out } = window
  const { kernel, groups, filters } = shape
  if (!isConstant(node.inputs[1]!) || padsBegin.some(pad => typeof pad !== 'number')) return undefined
  const axes = kernel.map((size, axis) =>
    slicesOf(size, strides[axis], dilations[axis], padsBegin[axis] as number, out[axis])
  )
  const last = axes[axes.length - 1]
  const dense = [y, r ?? y].every(({ strides }) => same(strides[strides.length - 1], filters))
  const vectors = node.inputs.slice(2, 4).every(value => !value || isConstant(value))
  const joins = last.length > 1 && groups === 1 && dense && vectors && areOne(last)
  const parts = [...axes.slice(0, -1), joins ? last.slice(0, 1) : last]
    .reduce<Slice[][]>((lists, slices) => lists.flatMap(list => slices.map(slice => [...list, slice])), [[]])
    .map((slices): Part => ({ slices, wide: joins ? last : slices.slice(-1) }))
  return parts.length <= mostParts ? parts : undefined
}

/** Whether each output of a stride reads one input, and all of them the same. */
const areOne = (slices: readonly Slice[]) =>
  slices.every(({ taps, pad, count }) => taps.length === 1 && pad === slices[0].pad && same(count, slices[0].count))

function slicesOf(size: number, stride: number, dilation: number, pad: number, out: Dim): Slice[] {
  return Array.from({ length: stride }, (_, remainder) => {
    const from = (tap: number) => (remainder + pad - tap * dilation) / stride
    const taps = Array.from({ length: size }, (_, i) => size - 1 - i).filter(tap => Number.isInteger(from(tap)))
    return {
      remainder,
      taps,
      pad: taps.length ? -from(taps[0]) : 0,
      dilation: taps.length > 1 ? from(taps[1]) - from(taps[0]) : 1,
      count: div(add(out, stride - 1 - remainder), stride)
    }
  }).filter(({ count }) => count !== 0)
}

/** The kernel that the parts run on. */
export const kernelOfParts = (shape: WeightShape) => (isDepthwise(shape) ? depthwiseKernel : convKernel)

export function emitParts(
  node: Node,
  to: Lowering,
  parts: readonly Part[],
  shape: WeightShape,
  { strides, padsBegin, dilations }: Windows,
  { x, y, r }: Pick<ConvViews, 'x' | 'y' | 'r'>
): void {
  const direct = kernelOfParts(shape)
  const epilogue = epilogueOf(node)
  // Kernels compute curves over finished rows; those of a part are short, the whole output's are long.
  const isCurve = epilogue.act > kindOf('prelu') && epilogue.act !== kindOf('hardSwish')
  const behind = isCurve && parts.length > 1 && node.text('residual', 'none') !== 'after'
  const depthwise = isDepthwise(shape)
  for (const { slices, wide } of parts) {
    const own = { ...shape, filters: shape.filters * wide.length, kernel: slices.map(({ taps }) => taps.length || 1) }
    const columns = depthwise
      ? { groups: 1, columns: shape.groups, panel: 0 }
      : { groups: shape.groups, columns: own.filters, panel: panelWidth }
    const place = slices.map(({ remainder }) => remainder).join('×')
    const whole = `${strides.join('×')} from ${padsBegin.join('×')} by ${dilations.join('×')}`
    const key = `${node.inputs[1]!.name} ${node.op} ${shape.groups} at ${place} of ${whole}, ${own.filters} wide`
    const w = to.constant(key, () => packPart(node, shape, slices, wide, depthwise), {
      ...columns,
      rows: own.kernel.reduce((a, b) => a * b, depthwise ? 1 : shape.channels)
    })
    const within = {
      out: slices.map(({ count }) => count),
      strides: slices.map(() => 1),
      dilations: slices.map(({ dilation }) => dilation),
      padsBegin: slices.map(({ pad }) => pad),
      padsEnd: slices.map(() => 0)
    }
    const places = (view: View): View => apart(view, slices, strides)
    const views = {
      x,
      y: places(y),
      r: r && places(r),
      w,
      bias: vectorOf(node, to, 2, columns, wide.length),
      slope: vectorOf(node, to, 3, columns, wide.length)
    }
    emitDirect(node, to, direct, own, within, views, behind ? { act: 0, alpha: 0, beta: 0 } : epilogue)
  }
  if (behind) emitCopy(to, node, y, y, epilogue)
}

/** The elements of a view whose spatial positions leave the slices' remainders; where there are none, nothing at its end. */
function apart(view: View, slices: readonly Slice[], strides: readonly number[]): View {
  const own = view.strides.slice(2)
  const first = add(...slices.map(({ remainder }, axis) => mul(own[axis], remainder)))
  return {
    ...view,
    offset: add(view.offset, min(first, mul(own[0], view.shape[2]))),
    shape: [...view.shape.slice(0, 2), ...slices.map(({ count }) => count)],
    strides: [...view.strides.slice(0, 2), ...own.map((step, axis) => mul(step, strides[axis]))]
  }
}

/** Weights of a part by (group, panel, kernel position, input channel, filter); zeros where outputs read nothing. */
function packPart(
  node: Node,
  { groups, channels, filters, kernel }: WeightShape,
  slices: readonly Slice[],
  wide: readonly Slice[],
  depthwise: boolean
): Elements {
  const source = (node.inputs[1] as Value & { data: Elements }).data
  const all = kernel.reduce((a, b) => a * b, 1)
  const outer = slices
    .slice(0, -1)
    .reduce<readonly (number | undefined)[]>(
      (list, { taps }, axis) => (taps.length ? list : [undefined]).flatMap(at => positions(at, taps, kernel[axis])),
      [0]
    )
  const rows = outer.flatMap(at => {
    const length = wide[0].taps.length || 1
    return Array.from({ length }, (_, tap) =>
      wide.map(({ taps }) => positions(at, taps.slice(tap, tap + 1), kernel[kernel.length - 1])[0])
    )
  })
  const at = (g: number, c: number, f: number, tap: number | undefined) =>
    tap === undefined ? 0 : source[((g * channels + c) * filters + f) * all + tap]
  if (depthwise)
    return Float32Array.from(rows.flatMap(([tap]) => Array.from({ length: groups }, (_, g) => at(g, 0, 0, tap))))
  const columns = filters * wide.length
  const packed = new Float32Array(groups * rows.length * channels * columns)
  let to = 0
  for (let g = 0; g < groups; g++)
    for (let first = 0; first < columns; first += panelWidth)
      for (const taps of rows)
        for (let c = 0; c < channels; c++)
          for (let column = first; column < Math.min(first + panelWidth, columns); column++)
            packed[to++] = at(g, c, column % filters, taps[Math.floor(column / filters)])
  return packed
}

/** Positions in the kernel's rows from one in its outer axes; no position where the axis has none. */
const positions = (outer: number | undefined, taps: readonly number[], size: number): (number | undefined)[] =>
  taps.length ? taps.map(tap => (outer === undefined ? undefined : outer * size + tap)) : [undefined]
