import { type Dim, isStatic, real, same, show } from '../../algebra/index.js'
import { refuse } from '../../errors.js'
import type { Node, Value } from '../../graph/index.js'
import { keptLoops } from '../axes.js'
import { keptBatch } from '../broadcast.js'
import { emitCopy } from '../elementwise/elementwise.js'
import { axisOf, intsOf, type Lowering, numbered, type Op, orderedStrides, type View } from '../op.js'
import { coordinateModes, interpolations, resizeAxisKernel, resizePlaneKernel, roundings } from './interpolate.js'

/** How one axis is resized. A scale of 0 stands for output over input size, which the kernel then knows. */
interface Resizing {
  readonly out: Dim
  readonly scale: Dim
  /** The part of the input that tf_crop_and_resize takes, as fractions of its size. */
  readonly from: number
  readonly to: number
}

function indexIn(node: Node, name: string, fallback: string, list: readonly string[]): number {
  const text = node.text(name, fallback)
  if (list.includes(text)) return list.indexOf(text)
  throw refuse(node, `${name} is ${text}; ${list.join(', ')} are allowed`)
}

const isUpsample = (node: Node) => node.op === 'Upsample'
const isEmpty = (value: Value | undefined) => !value || value.shape.includes(0)

function settings(node: Node) {
  return {
    mode: indexIn(node, 'mode', 'nearest', interpolations),
    coordinates: indexIn(
      node,
      'coordinate_transformation_mode',
      isUpsample(node) ? 'asymmetric' : 'half_pixel',
      coordinateModes
    ),
    rounding: indexIn(node, 'nearest_mode', isUpsample(node) ? 'floor' : 'round_prefer_floor', roundings)
  }
}

const crops = (node: Node) => node.text('coordinate_transformation_mode', '') === 'tf_crop_and_resize'

/** Floats from an input, perhaps computed from shapes, or in the first opset an attribute. */
function scalesOf(node: Node): readonly Dim[] {
  const input = node.inputs[isUpsample(node) || node.inputs.length < 3 ? 1 : 2]
  const list = input ? (input.data ? Array.from(input.data) : input.ints) : node.list('scales')
  if (!list) throw refuse(node, `scales${input ? ` "${input.name}"` : ''} must be known when compiling`)
  const wrong = list.find(scale => typeof scale === 'number' && !(scale > 0 && scale < Number.POSITIVE_INFINITY))
  if (wrong !== undefined) throw refuse(node, `a scale of ${wrong}; positive numbers are allowed`)
  return list
}

/** What single precision leaves of the product, without its fraction. */
function scaled(node: Node, size: Dim, by: Dim): Dim {
  const assume = (a: Dim, b: Dim) => void node.expectEqual(a, b)
  return real.truncated(real.rounded(real.product(size, by), 'float32', assume))
}

/** One entry per axis of the input. */
export function resizingOf(node: Node): Resizing[] {
  const x = node.inputs[0]!
  const axes = (node.list('axes') ?? x.shape.map((_, axis) => axis)).map(axis => axisOf(node, axis, x.rank))
  const result: Resizing[] = x.shape.map(size => ({ out: size, scale: 1, from: 0, to: 1 }))
  const roi = crops(node) ? node.inputs[1]?.data : undefined
  if (crops(node) && roi?.length !== 2 * axes.length)
    throw refuse(node, `roi must be a constant of ${2 * axes.length} elements for tf_crop_and_resize`)
  const bySize = node.inputs.length > 3 && !isEmpty(node.inputs[3])
  const given = bySize ? intsOf(node, 3, 'sizes')! : scalesOf(node)
  if (given.length !== axes.length)
    throw refuse(node, `${bySize ? 'sizes' : 'scales'} has ${given.length} entries, not ${axes.length}`)
  const common = bySize
    ? commonScale(
        node,
        axes.map(axis => x.shape[axis]),
        given
      )
    : 0
  axes.forEach((axis, i) => {
    const [from, to] = roi ? [roi[i], roi[i + axes.length]] : [0, 1]
    const size = x.shape[axis]
    const entry = given[i]
    if (common) result[axis] = { out: Math.round(Math.fround(common * (size as number))), scale: common, from, to }
    else if (bySize) result[axis] = { out: entry, scale: 0, from, to }
    else result[axis] = { out: scaled(node, size, entry), scale: entry, from, to }
  })
  return result
}

/** The one scale that keep_aspect_ratio_policy makes of all sizes, 0 when each axis stretches on its own. */
function commonScale(node: Node, from: readonly Dim[], to: readonly Dim[]): number {
  const policy = node.text('keep_aspect_ratio_policy', 'stretch')
  if (policy === 'stretch') return 0
  if (policy !== 'not_larger' && policy !== 'not_smaller')
    throw refuse(node, `keep_aspect_ratio_policy is ${policy}; stretch, not_larger and not_smaller are allowed`)
  if (!isStatic(from) || !isStatic(to))
    throw refuse(node, `${policy} needs fixed sizes, not ${[...from, ...to].map(show).join(', ')}`)
  const ratios = from.map((size, i) => Math.fround(to[i] / size))
  return policy === 'not_larger' ? Math.min(...ratios) : Math.max(...ratios)
}

function changes(x: View, axis: number, { out, scale, from, to }: Resizing): boolean {
  return !same(x.shape[axis], out) || (scale !== 0 && scale !== 1) || from !== 0 || to !== 1
}

/** Rows and columns of an image at once. */
function emitPlane(node: Node, to: Lowering, x: View, y: View, resizing: readonly Resizing[]): void {
  const { mode, coordinates, rounding } = settings(node)
  to.call(
    resizePlaneKernel,
    {
      mode,
      coordinates,
      rounding,
      batch: x.shape[0],
      channels: x.shape[1],
      ...numbered('x', x.shape.slice(2)),
      ...numbered('y', y.shape.slice(2)),
      scale0: resizing[2].scale,
      scale1: resizing[3].scale,
      xBatch: x.strides[0],
      ...numbered('i', x.strides.slice(2)),
      yBatch: y.strides[0],
      ...numbered('o', y.strides.slice(2))
    },
    { x, y }
  )
}

function emitAxis(node: Node, to: Lowering, x: View, y: View, axis: number, resizing: Resizing): void {
  const kept = keptLoops(node, x, y, [axis])
  to.call(
    resizeAxisKernel,
    {
      ...settings(node),
      excludeOutside: node.number('exclude_outside', 0),
      antialias: node.number('antialias', 0),
      cubic: node.number('cubic_coeff_a', -0.75),
      outside: node.number('extrapolation_value', 0),
      xSize: x.shape[axis],
      ySize: y.shape[axis],
      scale: resizing.scale,
      from: resizing.from,
      to: resizing.to,
      xStep: x.strides[axis],
      yStep: y.strides[axis],
      ...numbered('k', kept.sizes),
      ...numbered('x', kept.strides[0]),
      ...numbered('y', kept.strides[1])
    },
    { x, y }
  )
}

const resize: Op = {
  infer(node) {
    const x = node.inputs[0]!
    settings(node)
    node.output.shape = resizingOf(node).map(({ out }) => out)
    node.output.dtype = x.dtype
    const empty = node.output.shape.findIndex((size, axis) => size === 0 && x.shape[axis] !== 0)
    if (empty >= 0) throw refuse(node, `axis ${empty} would have size ${show(node.output.shape[empty])}`)
  },
  layout: 'channelsLast',
  countedAxis: keptBatch,
  lower(node, to) {
    const resizing = resizingOf(node)
    let x = to.view(node.inputs[0]!)
    const y = to.view(node.output)
    const axes = resizing.map((_, axis) => axis).filter(axis => changes(x, axis, resizing[axis]))
    const simple = node.text('mode', 'nearest') !== 'cubic' && !node.number('antialias', 0) && !crops(node)
    if (axes.length === 0) emitCopy(to, node, x, y)
    else if (simple && x.shape.length === 4 && axes[0] > 1) emitPlane(node, to, x, y, resizing)
    else
      axes.forEach((axis, i) => {
        const shape = x.shape.map((size, other) => (other === axis ? y.shape[axis] : size))
        const strides = orderedStrides(shape, x.order)
        const next = i === axes.length - 1 ? y : { ...to.scratch(shape), strides, order: x.order }
        emitAxis(node, to, x, next, axis, resizing[axis])
        x = next
      })
  }
}

export const resizing: Record<string, Op> = {
  Resize: resize,
  Upsample: resize
}
