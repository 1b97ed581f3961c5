import { isConstant, type Node, type Value } from '../../graph/index.js'
import type { Lowering, View } from '../op.js'
import { panelWidth } from './epilogue.js'

/**
 * How kernels on bytes come back to bytes: round(sum * scale + bias) + zero, within bounds. Products and sums of floats are those of
 * single precision, rounded one by one, so that results are the same bits on every engine and device.
 */

/** What follows the operands' own fields: the zero point of the result, and the bounds that it has to keep (0 and 255 at most). */
export const requantiseFields = { yZero: 'u32', low: 'u32', high: 'u32' } as const

type Requantise = Readonly<Record<keyof typeof requantiseFields, number>>

/** Beyond this many steps a result is out of bounds whatever the zero point is. */
const reach = 1024

/** Half to even, of numbers within `reach`, as float32 rounds a sum with 1.5 * 2^23. */
export function roundEven(x: number): number {
  const nearest = Math.round(x)
  return Math.abs(x % 1) === 0.5 && nearest % 2 !== 0 ? nearest - 1 : nearest
}

/** The byte of a number in steps of the result's scale; NaN is the smallest. */
export function narrowed(value: number, { yZero, low, high }: Requantise): number {
  const near = value > -reach ? Math.min(value, reach) : -reach
  return Math.max(Math.min(Math.min(Math.max(roundEven(near) + yZero, 0), 255), high), low)
}

/** The byte of an exact sum of products. */
export function requantised(sum: number, scale: number, bias: number, to: Requantise): number {
  return narrowed(Math.fround(Math.fround(Math.fround(sum) * scale) + bias), to)
}

export function requantiseOf(node: Node): Requantise {
  return { yZero: node.number('yZero', 0), low: node.number('low', 0), high: node.number('high', 255) }
}

/** One float a filter, in panels of 8. */
export function perFilter(to: Lowering, value: Value, groups: number, columns: number): View {
  if (!isConstant(value)) throw new Error(`"${value.name}" is no constant`)
  const { data } = value
  return to.constant(`${value.name} ${groups}×${columns} of filters`, () => data, {
    ...{ groups, columns, rows: 1, panel: panelWidth }
  })
}
