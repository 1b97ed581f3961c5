import type { Packing } from '../../runtime/file/index.js'
import { type Dim, add as plus, mul as times } from '../algebra/index.js'
import { type Elements, isConstant, type Node, type Value } from '../graph/index.js'
import { emitCopy } from './elementwise/elementwise.js'
import { panelWidth } from './elementwise/epilogue.js'
import { type Lowering, orderedStrides, plainOrder, type View } from './op.js'

/**
 * Weights in the layout that the kernels want. Constants are packed when compiling; weights that a training step changes
 * are copied into panels in front of the call that reads them.
 */

/** The matrices that panels are cut from, in the terms of the convolution: per group [taps, channels, filters]. */
export interface WeightSteps {
  /** Steps of a weight tensor's view from one group, filter, input channel and kernel position to the next. */
  readonly group: Dim
  readonly filter: Dim
  readonly channel: Dim
  readonly taps: readonly Dim[]
}

export interface WeightShape {
  readonly groups: number
  readonly channels: number
  readonly filters: number
  readonly kernel: readonly number[]
}

/** Panels of a constant, or of a view in front of the call; `key` names the packing. */
export function packedWeights(
  node: Node,
  to: Lowering,
  value: Value,
  key: string,
  shape: WeightShape,
  steps: (strides: readonly Dim[]) => WeightSteps,
  pack: () => Elements
): View {
  const { groups, channels, filters, kernel } = shape
  const taps = kernel.reduce((a, b) => a * b, 1)
  const packing: Packing = { groups, columns: filters, panel: panelWidth, rows: taps * channels }
  if (isConstant(value)) return to.constant(key, pack, packing)
  const from = to.view(value)
  const by = steps(from.strides)
  const panels = Math.ceil(filters / panelWidth)
  const target = to.scratch([groups * panels * taps * channels * panelWidth])
  const whole = Math.floor(filters / panelWidth)
  const parts = [
    { first: 0, count: whole, width: panelWidth },
    { first: whole, count: panels - whole, width: filters % panelWidth }
  ].filter(({ count }) => count)
  for (const { first, count, width } of parts) {
    const sizes = [groups, count, ...kernel, channels, width]
    const dense = orderedStrides([groups, panels, ...kernel, channels, panelWidth], plainOrder(sizes.length))
    copyStrided(node, to, sizes, [
      {
        ...from,
        offset: plus(from.offset, times(by.filter, first * panelWidth)),
        strides: [by.group, times(by.filter, panelWidth), ...by.taps, by.channel, by.filter]
      },
      { ...target, offset: times(dense[1], first), strides: dense }
    ])
  }
  return target
}

/** One filter a channel as [kernel position, channel]. */
export function depthwiseWeights(
  node: Node,
  to: Lowering,
  value: Value,
  key: string,
  { groups, kernel }: WeightShape,
  pack: () => Elements
): View {
  const taps = kernel.reduce((a, b) => a * b, 1)
  if (isConstant(value)) return to.constant(key, pack, { groups: 1, rows: taps, columns: groups, panel: 0 })
  const from = to.view(value)
  const sizes = [...kernel, groups]
  const target = to.scratch(sizes)
  copyStrided(node, to, sizes, [{ ...from, strides: [...from.strides.slice(2), from.strides[0]] }, target])
  return target
}

function copyStrided(node: Node, to: Lowering, shape: readonly number[], [x, y]: readonly [View, View]): void {
  const order = plainOrder(shape.length)
  emitCopy(to, node, { ...x, shape, order }, { ...y, shape, order })
}
