import { type Dim, isFound, max, same, show } from '../../algebra/index.js'
import { refuse } from '../../errors.js'
import type { Node } from '../../graph/index.js'
import { keptLoops, loopDepth } from '../axes.js'
import { axisOf, fields, intsOf, kernel, numbered, type Op } from '../op.js'
import { visit } from '../visit.js'

/**
 * The `taken` largest (least) of `count` elements that lie `step` apart, best first, and where they stand; of equal
 * ones the first. No number is larger than NaN. Both outputs step alike; the CPU keeps its best in `scratch`.
 */
export const topkKernel = kernel({
  name: 'topk',
  fields: {
    largest: 'u32',
    count: 'u32',
    taken: 'u32',
    step: 'u32',
    yStep: 'u32',
    ...fields('k', loopDepth),
    ...fields('x', loopDepth),
    ...fields('y', loopDepth)
  },
  buffers: { x: 'read', y: 'write', places: 'write', scratch: 'scratch' },
  reference(p, { x, y, places }) {
    visit([p.k0, p.k1, p.k2, p.k3], k => {
      const from = k[0] * p.x0 + k[1] * p.x1 + k[2] * p.x2 + k[3] * p.x3
      const to = k[0] * p.y0 + k[1] * p.y1 + k[2] * p.y2 + k[3] * p.y3
      const element = (i: number) => x[from + i * p.step]
      const sign = p.largest ? 1 : -1
      const order = Array.from({ length: p.count }, (_, i) => i)
      order.sort((a, b) => sign * compare(element(b), element(a)) || a - b)
      order.slice(0, p.taken).forEach((place, i) => {
        y[to + i * p.yStep] = element(place)
        places[to + i * p.yStep] = place
      })
    })
  }
})

/** Positive where `a` is larger, 0 where they are equal. */
function compare(a: number, b: number): number {
  if (a === b) return 0
  if (Number.isNaN(a) || Number.isNaN(b)) return Number(Number.isNaN(a)) - Number(Number.isNaN(b))
  return a > b ? 1 : -1
}

const axisFor = (node: Node) => axisOf(node, node.number('axis', -1), node.inputs[0]!.rank)

/** k is an attribute before opset 10 and an input since. */
function takenOf(node: Node): Dim {
  const given = node.inputs[1] ? intsOf(node, 1, 'k') : [node.number('k', 0)]
  return given![0]
}

const topK: Op = {
  gives: 2,
  infer(node) {
    const x = node.inputs[0]!
    if (node.outputs.length !== 2)
      throw refuse(node, `has ${node.outputs.length} outputs; values and indices are needed`)
    const axis = axisFor(node)
    const taken = takenOf(node)
    if (typeof taken === 'number' && !(taken >= 1)) throw refuse(node, `k is ${taken}; at least 1 is allowed`)
    const most = max(taken, x.shape[axis])
    if ((isFound(most) && !same(most, x.shape[axis])) || !node.expectEqual(most, x.shape[axis]))
      throw refuse(node, `k is ${show(taken)}; axis ${axis} has ${show(x.shape[axis])} elements`)
    for (const output of node.outputs) output.shape = x.shape.map((size, a) => (a === axis ? taken : size))
    node.output.dtype = x.dtype
    node.outputs[1].dtype = 'int64'
  },
  countedAxis: (node, index, axis) => (index === 0 && axis !== axisFor(node) ? axis : undefined),
  // No number is larger than NaN, and of equal ones the first is better.
  behind(node, index, axis) {
    if (index !== 0 || axis !== axisFor(node)) return undefined
    return node.number('largest', 1) ? Number.NEGATIVE_INFINITY : Number.NaN
  },
  writesDense: true,
  lower(node, to) {
    const x = to.view(node.inputs[0]!)
    const y = to.view(node.output)
    const axis = axisFor(node)
    const kept = keptLoops(node, x, y, [axis])
    const taken = y.shape[axis]
    to.call(
      topkKernel,
      {
        largest: node.number('largest', 1),
        count: x.shape[axis],
        taken,
        step: x.strides[axis],
        yStep: y.strides[axis],
        ...numbered('k', kept.sizes),
        ...numbered('x', kept.strides[0]),
        ...numbered('y', kept.strides[1])
      },
      {
        x,
        y,
        places: to.view(node.outputs[1]),
        scratch: to.scratch([taken, 2])
      }
    )
  }
}

export const selection: Record<string, Op> = { TopK: topK }
