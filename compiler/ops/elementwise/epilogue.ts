import { isConstant, type Node, type Value } from '../../graph/index.js'
import type { Lowering, View } from '../op.js'
import { activate, kindOf } from './activation.js'
import { emitCopy } from './elementwise.js'

/** What convolutions and matrix products share: how weights are cut into panels, and the operands of the epilogue. */

/** Output channels of one weight panel: the columns of the micro-kernel's tile. */
export const panelWidth = 8

/** Where a fused residual joins: not at all, before the activation, or behind it. */
export const residuals = ['none', 'before', 'after'] as const
export type Residual = (typeof residuals)[number]

export function residualOf(node: Node): number {
  return residuals.indexOf(node.text('residual', 'none') as Residual)
}

/** Bias or slope in the weights' own panels, `times` over if it is constant; zeros when the node has none. */
export function vectorOf(
  node: Node,
  to: Lowering,
  index: number,
  columns: { groups: number; columns: number; panel: number },
  times = 1
): View {
  const value = node.inputs[index]
  const { groups, columns: count } = columns
  if (value && !isConstant(value)) return dynamicVector(node, to, value, columns)
  const key = value ? value.name : '#zeros'
  return to.constant(
    `${key} ${groups}×${count} in ${columns.panel}`,
    () => {
      if (!value) return new Float32Array(groups * count)
      const own = value.data!
      if (own.length === 1) return new Float32Array(groups * count).fill(own[0])
      return times === 1 ? own : Float32Array.from({ length: own.length * times }, (_, i) => own[i % own.length])
    },
    { ...columns, rows: 1 }
  )
}

/** A bias that a training step changes: as it lies where groups fill their panels, else spread out. */
function dynamicVector(
  node: Node,
  to: Lowering,
  value: Value,
  { groups, columns, panel }: { groups: number; columns: number; panel: number }
): View {
  const view = to.dense(value)
  if (groups === 1 || !panel || columns % panel === 0) return view
  const shape = [groups, columns]
  const order = [0, 1]
  const target = to.scratch([groups, Math.ceil(columns / panel) * panel])
  emitCopy(to, node, { ...view, shape, order, strides: [columns, 1] }, { ...target, shape })
  return target
}

/** What kernels with an epilogue make of a sum: residual and activation, as asm/elementwise/epilogue.ts and asm/dense/tile.ts do. */
export function finished(
  { residual, act, alpha, beta }: Readonly<Record<'residual' | 'act' | 'alpha' | 'beta', number>>,
  sum: number,
  slope: number,
  r: number
): number {
  const before = residual === residuals.indexOf('before') ? sum + r : sum
  const active = activate(act, before, act === kindOf('prelu') ? slope : alpha, beta)
  return residual === residuals.indexOf('after') ? active + r : active
}
