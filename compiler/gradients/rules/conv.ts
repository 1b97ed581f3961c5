import { product } from '../../algebra/index.js'
import type { Attribute, Node, Value } from '../../graph/index.js'
import { shapeOf, transposedWindows, type Windows, windows } from '../../ops/index.js'
import type { Rule, Tape } from '../tape.js'
import { spread } from './spread.js'

/** Windows with pads in numbers, whatever auto_pad said. */
function windowsOf(node: Node): Windows & { kernel: readonly number[]; attributes: Record<string, Attribute> } {
  const { kernel, groups } = shapeOf(node)
  const window = windows(node, node.inputs[0]!.shape.slice(2), kernel)
  const attributes = {
    strides: window.strides,
    dilations: window.dilations,
    pads: [...window.padsBegin, ...window.padsEnd] as number[],
    group: groups
  }
  return { ...window, kernel, attributes }
}

/** Sum over batch and pixels. */
const biasGradient = (tape: Tape, dy: Value) =>
  tape.add('ReduceSum', [dy], { axes: dy.shape.map((_, axis) => axis).filter(axis => axis !== 1), keepdims: 0 })

const conv: Rule = (node, [dy], tape) => {
  const [x, w, bias] = node.inputs as [Value, Value, Value?]
  return [
    tape.needs(x) ? inputGradient(node, dy!, tape) : undefined,
    tape.needs(w) ? weightGradient(node, dy!, tape) : undefined,
    tape.needs(bias) ? biasGradient(tape, dy!) : undefined
  ]
}

/** Of a 1x1 convolution a matrix product over all pixels: Xt dY, whose kernel packs what it reads. */
function weightGradient(node: Node, dy: Value, tape: Tape): Value {
  const [x, w] = node.inputs as [Value, Value]
  const { attributes, kernel, strides, padsBegin, padsEnd } = windowsOf(node)
  const pointwise =
    attributes.group === 1 &&
    [...kernel, ...strides].every(size => size === 1) &&
    [...padsBegin, ...padsEnd].every(pad => pad === 0)
  if (!pointwise) return tape.add('ConvWeightGradient', [x, w, undefined, dy], attributes)
  const byChannel = (value: Value) => {
    const [n, c, ...spatial] = value.shape
    const perm = [1, 0, ...spatial.map((_, axis) => axis + 2)]
    return tape.reshape(tape.add('Transpose', [value], { perm }), [c, product([n, ...spatial])])
  }
  const pixels = tape.add('Transpose', [byChannel(dy)], { perm: [1, 0] })
  const made = tape.add('MatMul', [byChannel(x), pixels])
  return tape.reshape(tape.add('Transpose', [made], { perm: [1, 0] }), w.shape)
}

/**
 * With stride 1 a convolution of dy with the filters turned around, which the fast kernels take; else a transposed
 * convolution, or for filters of few channels the former on a dy with zeros between its pixels.
 */
function inputGradient(node: Node, dy: Value, tape: Tape): Value {
  const [x, w] = node.inputs as [Value, Value]
  const { strides, dilations, padsBegin, padsEnd, kernel, attributes } = windowsOf(node)
  const { groups, channels, filters } = shapeOf(node)
  const dense = strides.every(stride => stride === 1)
  const narrow = groups > 1 && filters < 8
  if (!dense && !narrow) {
    const made = (axis: number) =>
      ((dy.shape[axis + 2] as number) - 1) * strides[axis] -
      (padsBegin[axis] as number) -
      (padsEnd[axis] as number) +
      (kernel[axis] - 1) * dilations[axis] +
      1
    const missing = kernel.map((_, axis) => (x.shape[axis + 2] as number) - made(axis))
    return tape.add('ConvTranspose', [dy, w], { ...attributes, output_padding: missing })
  }
  const turned = turn(tape, w, groups, channels, filters, kernel)
  const apart = spread(tape, dy, [1, 1, ...strides])
  const reach = kernel.map((size, axis) => (size - 1) * dilations[axis])
  const begin = reach.map((r, axis) => r - (padsBegin[axis] as number))
  const end = reach.map(
    (r, axis) => (x.shape[axis + 2] as number) - (apart.shape[axis + 2] as number) + r - begin[axis]
  )
  const cut = cropped(tape, apart, begin, end)
  return tape.add('Conv', [cut, turned], {
    dilations,
    group: groups,
    pads: [...begin, ...end].map(pad => Math.max(pad, 0))
  })
}

/** Filters and channels change places within each group, kernel positions are reversed. */
function turn(
  tape: Tape,
  w: Value,
  groups: number,
  channels: number,
  filters: number,
  kernel: readonly number[]
): Value {
  const axes = kernel.map((_, axis) => axis)
  const split = groups === 1 ? w : tape.reshape(w, [groups, filters, channels, ...kernel])
  const moved =
    groups === 1
      ? tape.add('Transpose', [split], { perm: [1, 0, ...axes.map(axis => axis + 2)] })
      : tape.reshape(tape.add('Transpose', [split], { perm: [0, 2, 1, ...axes.map(axis => axis + 3)] }), [
          groups * channels,
          filters,
          ...kernel
        ])
  if (kernel.every(size => size === 1)) return moved
  return tape.add('Slice', [
    moved,
    tape.sizes(axes.map(() => -1)),
    tape.sizes(axes.map(() => -(2 ** 31))),
    tape.sizes(axes.map(axis => axis + 2)),
    tape.sizes(axes.map(() => -1))
  ])
}

/** What negative pads take away. */
function cropped(tape: Tape, value: Value, begin: readonly number[], end: readonly number[]): Value {
  if ([...begin, ...end].every(pad => pad >= 0)) return value
  return tape.add('Slice', [
    value,
    tape.sizes(begin.map(pad => Math.max(-pad, 0))),
    tape.sizes(end.map((pad, axis) => (value.shape[axis + 2] as number) - Math.max(-pad, 0))),
    tape.sizes(begin.map((_, axis) => axis + 2))
  ])
}

/** A transposed convolution is the gradient of a plain one, and the other way round. */
const convTranspose: Rule = (node, [dy], tape) => {
  const [x, w, bias] = node.inputs as [Value, Value, Value?]
  const { groups, kernel } = shapeOf(node)
  const { strides, dilations, padsBegin, padsEnd } = transposedWindows(node, x.shape.slice(2), kernel)
  const attributes = { strides, dilations, pads: [...padsBegin, ...padsEnd] as number[], group: groups }
  return [
    tape.needs(x) ? tape.add('Conv', [dy, w], attributes) : undefined,
    tape.needs(w) ? tape.add('ConvWeightGradient', [dy, w, undefined, x], attributes) : undefined,
    tape.needs(bias) ? biasGradient(tape, dy!) : undefined
  ]
}

export const convGradients: Readonly<Record<string, Rule>> = { Conv: conv, ConvTranspose: convTranspose }
