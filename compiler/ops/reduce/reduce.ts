import { isFound } from '../../algebra/index.js'
import { refuse } from '../../errors.js'
import type { Node, Value } from '../../graph/index.js'
import { keptLoops, loopDepth, reducedShape } from '../axes.js'
import { axisOf, describe, fields, kernel, type Lowering, loopsOver, numbered, numbersOf, type Op } from '../op.js'
import { argmax } from '../search/argmax.js'
import { visit } from '../visit.js'

const total = (values: readonly number[]) => values.reduce((a, b) => a + b, 0)
const maximum = (values: readonly number[]) => values.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY)

/** The position in this list is the kernel's `kind`. */
export const reductions = {
  sum: values => total(values),
  mean: values => total(values) / values.length,
  max: values => maximum(values),
  min: values => values.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY),
  product: values => values.reduce((a, b) => a * b, 1),
  l1: values => total(values.map(Math.abs)),
  l2: values => Math.sqrt(total(values.map(value => value * value))),
  sumOfSquares: values => total(values.map(value => value * value)),
  logOfSum: values => Math.log(total(values)),
  logOfSumOfExp: values => {
    const largest = maximum(values)
    if (!Number.isFinite(largest)) return largest
    return largest + Math.log(total(values.map(value => Math.exp(value - largest))))
  }
} satisfies Record<string, (values: readonly number[]) => number>

export type ReductionName = keyof typeof reductions

/** Kept loops k with the strides x and y of input and output, around reduced loops r with the input's strides s. */
export const reduceKernel = kernel({
  name: 'reduce',
  fields: {
    kind: 'u32',
    ...fields('k', loopDepth),
    ...fields('x', loopDepth),
    ...fields('y', loopDepth),
    ...fields('r', loopDepth),
    ...fields('s', loopDepth)
  },
  buffers: { x: 'read', y: 'write' },
  reference(p, { x, y }) {
    const compute = Object.values(reductions)[p.kind]
    visit([p.k0, p.k1, p.k2, p.k3], k => {
      const from = k[0] * p.x0 + k[1] * p.x1 + k[2] * p.x2 + k[3] * p.x3
      const values: number[] = []
      visit([p.r0, p.r1, p.r2, p.r3], r => {
        values.push(x[from + r[0] * p.s0 + r[1] * p.s1 + r[2] * p.s2 + r[3] * p.s3])
      })
      y[k[0] * p.y0 + k[1] * p.y1 + k[2] * p.y2 + k[3] * p.y3] = compute(values)
    })
  }
})

/** The reduced axes in 0 .. rank-1; none when noop_with_empty_axes leaves every element alone, as a sum of one. */
export function reducedAxes(node: Node): readonly number[] {
  const { rank } = node.inputs[0]!
  const axes = numbersOf(node, 1, 'axes') ?? []
  if (axes.length) return axes.map(axis => axisOf(node, axis, rank))
  return node.number('noop_with_empty_axes', 0) ? [] : Array.from({ length: rank }, (_, axis) => axis)
}

function emitReduction(kind: ReductionName, node: Node, to: Lowering, axes: readonly number[]): void {
  const x = to.view(node.inputs[0]!)
  const y = to.view(node.output)
  const kept = keptLoops(node, x, y, axes)
  const order = x.order.filter(axis => axes.includes(axis))
  const reduced = loopsOver(x.shape, order, [x.strides], loopDepth)
  if (!reduced) throw refuse(node, `needs more than ${loopDepth} nested loops over the axes it reduces`)
  to.call(
    reduceKernel,
    {
      kind: Object.keys(reductions).indexOf(kind),
      ...numbered('k', kept.sizes),
      ...numbered('x', kept.strides[0]),
      ...numbered('y', kept.strides[1]),
      ...numbered('r', reduced.sizes),
      ...numbered('s', reduced.strides[0])
    },
    { x, y }
  )
}

/** What changes no result. A mean is spelled as a sum over what there is. */
const neutral: Readonly<Record<ReductionName, number>> = {
  mean: 0,
  sum: 0,
  max: Number.NEGATIVE_INFINITY,
  min: Number.POSITIVE_INFINITY,
  product: 1,
  l1: 0,
  l2: 0,
  sumOfSquares: 0,
  logOfSum: 0,
  logOfSumOfExp: Number.NEGATIVE_INFINITY
}

/** Whether it goes along an axis of which only the run knows how much there is. */
const isCounted = (node: Node) => reducedAxes(node).some(axis => isFound(node.inputs[0]!.shape[axis]))

function reduceOp(kind: ReductionName): Op {
  return {
    infer(node) {
      const x = node.inputs[0]!
      const axes = reducedAxes(node)
      const keep = node.number('keepdims', 1) !== 0
      node.output.shape = reducedShape(x, axes, keep)
      node.output.dtype = x.dtype
    },
    countedAxis(node, index, axis) {
      const axes = reducedAxes(node)
      if (index !== 0 || axes.includes(axis)) return undefined
      return node.number('keepdims', 1) ? axis : axis - axes.filter(reduced => reduced < axis).length
    },
    behind: (node, index, axis) => (index === 0 && reducedAxes(node).includes(axis) ? neutral[kind] : undefined),
    ...(kind === 'mean' ? { takes: (node: Node) => !isCounted(node) } : {}),
    lower: (node, to) => emitReduction(kind, node, to, reducedAxes(node))
  }
}

/** A reduction over all spatial axes, which stay as 1. */
function globalPool(kind: ReductionName): Op {
  const spatial = (x: Value) => x.shape.map((_, axis) => axis).slice(2)
  return {
    infer(node) {
      const x = node.inputs[0]!
      if (x.rank < 3) throw refuse(node, `input ${describe(x)}; at least one spatial axis is needed`)
      node.output.shape = reducedShape(x, spatial(x), true)
      node.output.dtype = x.dtype
    },
    lower: (node, to) => emitReduction(kind, node, to, spatial(node.inputs[0]!))
  }
}

export const reduction: Record<string, Op> = {
  ReduceSum: reduceOp('sum'),
  ReduceMean: reduceOp('mean'),
  ReduceMax: reduceOp('max'),
  ReduceMin: reduceOp('min'),
  ReduceProd: reduceOp('product'),
  ReduceL1: reduceOp('l1'),
  ReduceL2: reduceOp('l2'),
  ReduceSumSquare: reduceOp('sumOfSquares'),
  ReduceLogSum: reduceOp('logOfSum'),
  ReduceLogSumExp: reduceOp('logOfSumOfExp'),
  GlobalAveragePool: globalPool('mean'),
  GlobalMaxPool: globalPool('max'),
  ArgMax: argmax(false),
  ArgMin: argmax(true)
}
