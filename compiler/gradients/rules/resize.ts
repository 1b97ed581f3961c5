import { same } from '../../algebra/index.js'
import { refuse } from '../../errors.js'
import type { Attribute, Node, Value } from '../../graph/index.js'
import { resizingOf } from '../../ops/index.js'
import type { Rule, Tape } from '../tape.js'
import { identity, sizeOf, throughMatrix } from './along.js'

type Axis = ReturnType<typeof resizingOf>[number]

/** Pixels that are repeated a whole number of times, block by block: the axes' factors. */
function repeats(node: Node, axes: readonly number[], resizing: readonly Axis[]): number[] | undefined {
  const x = node.inputs[0]!
  const isUpsample = node.op === 'Upsample'
  const coordinates = node.text('coordinate_transformation_mode', isUpsample ? 'asymmetric' : 'half_pixel')
  const rounding = node.text('nearest_mode', isUpsample ? 'floor' : 'round_prefer_floor')
  const block =
    node.text('mode', 'nearest') === 'nearest' &&
    ((coordinates === 'asymmetric' && rounding === 'floor') ||
      (coordinates === 'half_pixel' && rounding === 'round_prefer_floor'))
  if (!block || x.rank !== 4 || axes.some(axis => axis < 2)) return undefined
  const factors = [2, 3].map(axis => sizeOf(node, node.output, axis) / sizeOf(node, x, axis))
  const whole = factors.every((factor, i) => {
    const { scale } = resizing[i + 2]
    return Number.isInteger(factor) && (scale === 0 || scale === factor)
  })
  return whole ? factors : undefined
}

/** What one axis does to the identity: the same operator, on that axis alone. */
function matrixOf(tape: Tape, node: Node, axis: number, { out, scale, from, to }: Axis): Value {
  const size = sizeOf(node, node.inputs[0]!, axis)
  const names = [
    'mode',
    'coordinate_transformation_mode',
    'nearest_mode',
    'cubic_coeff_a',
    'exclude_outside',
    'antialias'
  ]
  const given = names.flatMap((name): [string, Attribute][] => {
    const value = node.attributes.get(name)
    return value === undefined ? [] : [[name, value]]
  })
  const usual: Record<string, Attribute> =
    node.op === 'Upsample' ? { coordinate_transformation_mode: 'asymmetric', nearest_mode: 'floor' } : {}
  const attributes = { ...usual, ...Object.fromEntries(given) }
  const roi = tape.graph.constant(tape.graph.unique('roi'), Float32Array.of(from, 0, to, 1), [4])
  const floats = (...list: number[]) =>
    tape.graph.constant(tape.graph.unique('scales'), Float32Array.from(list), [list.length])
  if (scale === 0 && typeof out === 'number')
    return tape.add('Resize', [identity(tape, size), roi, undefined, tape.sizes([out, size])], attributes)
  if (typeof scale === 'number') return tape.add('Resize', [identity(tape, size), roi, floats(scale, 1)], attributes)
  throw refuse(node, 'has a gradient only where its sizes are known')
}

/** Sums of blocks where pixels are repeated, else matrices of the axes that change. */
const resize: Rule = (node, [dy], tape) => {
  if (node.text('keep_aspect_ratio_policy', 'stretch') !== 'stretch')
    throw refuse(node, 'has a gradient only with keep_aspect_ratio_policy stretch')
  const x = node.inputs[0]!
  const resizing = resizingOf(node)
  const axes = resizing.flatMap(({ out, scale, from, to }, axis) =>
    (scale === 1 || (scale === 0 && same(out, x.shape[axis]))) && from === 0 && to === 1 ? [] : [axis]
  )
  const factors = repeats(node, axes, resizing)
  if (factors) return [tape.add('SumPool', [dy], { kernel_shape: factors, strides: factors })]
  const through = (gradient: Value, axis: number) =>
    throughMatrix(tape, gradient, axis, matrixOf(tape, node, axis, resizing[axis]))
  return [axes.reduce(through, dy!)]
}

export const resizeGradients: Readonly<Record<string, Rule>> = { Resize: resize, Upsample: resize }
