import type { Dim } from '../../algebra/index.js'
import { refuse } from '../../errors.js'
import type { Node } from '../../graph/index.js'
import { keptBatch } from '../broadcast.js'
import { describe, fields, hasOneOutput, kernel, numbered, type Op, type View } from '../op.js'
import { visit } from '../visit.js'
import { type Windows, windows } from '../window.js'

/** What a window becomes: its maximum, the mean of what lies inside the input, the mean with zeros for the padding, the sum. */
export const poolKinds = ['max', 'mean', 'paddedMean', 'sum'] as const

export const poolFields = {
  kind: 'u32',
  batch: 'u32',
  channels: 'u32',
  ...fields('x', 3),
  ...fields('y', 3),
  ...fields('k', 3),
  ...fields('s', 3),
  ...fields('d', 3),
  ...fields('b', 3),
  ...fields('e', 3),
  xBatch: 'u32',
  ...fields('i', 3),
  yBatch: 'u32',
  ...fields('o', 3)
} as const

/**
 * One window per output pixel, channels innermost. Numbered fields are depth, row and column: x input and y output
 * sizes, k kernel, s stride, d dilation, b and e padding at begin and end; i and o are strides of input and output.
 */
export const poolKernel = kernel({
  name: 'pool',
  fields: poolFields,
  buffers: { x: 'read', y: 'write' },
  reference(p, { x, y }) {
    forEachWindow(p, x, (to, { largest, sum, inside, counted }) => {
      const share = p.kind === 3 ? 1 : Math.max(p.kind === 1 ? inside : counted, 1)
      y[to] = p.kind === 0 ? largest : sum / share
    })
  }
})

/** What lies in a window: elements inside the input, and with those of the padding. */
export interface Seen {
  readonly largest: number
  readonly sum: number
  readonly inside: number
  readonly counted: number
}

type PoolFields = Readonly<Record<keyof typeof poolFields, number>>

/** Positions of the window of an output position that lie inside the input; how many there are with those of the padding. */
export function visitWindow(
  p: PoolFields,
  [o0, o1, o2]: readonly number[],
  see: (a0: number, a1: number, a2: number) => void
): number {
  let counted = 0
  visit([p.k0, p.k1, p.k2], ([k0, k1, k2]) => {
    const [a0, a1, a2] = [o0 * p.s0 - p.b0 + k0 * p.d0, o1 * p.s1 - p.b1 + k1 * p.d1, o2 * p.s2 - p.b2 + k2 * p.d2]
    if (a0 < p.x0 + p.e0 && a1 < p.x1 + p.e1 && a2 < p.x2 + p.e2) counted++
    if (a0 < 0 || a0 >= p.x0 || a1 < 0 || a1 >= p.x1 || a2 < 0 || a2 >= p.x2) return
    see(a0, a1, a2)
  })
  return counted
}

/** Windows by the element of the output that each becomes. */
export function forEachWindow(p: PoolFields, x: ArrayLike<number>, see: (to: number, seen: Seen) => void): void {
  visit([p.batch, p.y0, p.y1, p.y2, p.channels], ([n, o0, o1, o2, c]) => {
    let largest = Number.NEGATIVE_INFINITY
    let sum = 0
    let inside = 0
    const counted = visitWindow(p, [o0, o1, o2], (a0, a1, a2) => {
      const value = x[n * p.xBatch + a0 * p.i0 + a1 * p.i1 + a2 * p.i2 + c]
      largest = Math.max(largest, value)
      sum += value
      inside++
    })
    see(n * p.yBatch + o0 * p.o0 + o1 * p.o1 + o2 * p.o2 + c, { largest, sum, inside, counted })
  })
}

export function windowsOf(node: Node): Windows & { kernel: readonly number[] } {
  const x = node.inputs[0]!
  const kernel = node.list('kernel_shape')
  if (!kernel) throw refuse(node, 'kernel_shape is missing')
  if (x.rank < 3 || x.rank > 5) throw refuse(node, `input ${describe(x)}; one to three spatial axes are allowed`)
  return { ...windows(node, x.shape.slice(2), kernel), kernel }
}

/** All fields but `kind`, for the pooling's input and output or gradients that lie like them. */
export function poolParameters(node: Node, x: View, y: View) {
  const { kernel, strides, dilations, padsBegin, padsEnd } = windowsOf(node)
  const front = (list: readonly Dim[], fill: Dim) => [...new Array<Dim>(3 - list.length).fill(fill), ...list]
  return {
    batch: y.shape[0],
    channels: y.shape[1],
    ...numbered('x', front(x.shape.slice(2), 1)),
    ...numbered('y', front(y.shape.slice(2), 1)),
    ...numbered('k', front(kernel, 1)),
    ...numbered('s', front(strides, 1)),
    ...numbered('d', front(dilations, 1)),
    ...numbered('b', front(padsBegin, 0)),
    ...numbered('e', front(padsEnd, 0)),
    xBatch: x.strides[0],
    ...numbered('i', front(x.strides.slice(2), 0)),
    yBatch: y.strides[0],
    ...numbered('o', front(y.strides.slice(2), 0))
  }
}

function poolOp(kindOf: (node: Node) => (typeof poolKinds)[number]): Op {
  return {
    infer(node) {
      const x = node.inputs[0]!
      node.output.shape = [...x.shape.slice(0, 2), ...windowsOf(node).out]
      node.output.dtype = x.dtype
      const indices = node.outputs[1]
      if (!indices) return
      indices.shape = node.output.shape
      indices.dtype = 'int64'
    },
    layout: 'channelsLast',
    countedAxis: keptBatch,
    lower(node, to) {
      const x = to.view(node.inputs[0]!)
      const y = to.view(node.output)
      to.call(poolKernel, { kind: poolKinds.indexOf(kindOf(node)), ...poolParameters(node, x, y) }, { x, y })
    }
  }
}

export const pooling: Record<string, Op> = {
  MaxPool: { ...poolOp(() => 'max'), gives: 2, takes: hasOneOutput },
  AveragePool: poolOp(node => (node.number('count_include_pad', 0) ? 'paddedMean' : 'mean')),
  /** What a LpPool is made of. */
  SumPool: poolOp(() => 'sum')
}
