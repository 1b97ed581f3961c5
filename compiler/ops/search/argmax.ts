import { keptLoops, loopDepth, reducedShape } from '../axes.js'
import { axisOf, fields, kernel, numbered, type Op } from '../op.js'
import { visit } from '../visit.js'

/** Position of the largest (least) of `count` elements that lie `step` apart; the first or last of equal ones. */
export const argmaxKernel = kernel({
  name: 'argmax',
  fields: {
    least: 'u32',
    last: 'u32',
    count: 'u32',
    step: 'u32',
    ...fields('k', loopDepth),
    ...fields('x', loopDepth),
    ...fields('y', loopDepth)
  },
  buffers: { x: 'read', y: 'write' },
  reference(p, { x, y }) {
    const sign = p.least ? -1 : 1
    visit([p.k0, p.k1, p.k2, p.k3], k => {
      const from = k[0] * p.x0 + k[1] * p.x1 + k[2] * p.x2 + k[3] * p.x3
      let best = 0
      for (let i = 1; i < p.count; i++) {
        const gain = sign * (x[from + i * p.step] - x[from + best * p.step])
        if (gain > 0 || (gain === 0 && p.last)) best = i
      }
      y[k[0] * p.y0 + k[1] * p.y1 + k[2] * p.y2 + k[3] * p.y3] = best
    })
  }
})

export function argmax(least: boolean): Op {
  return {
    infer(node) {
      const x = node.inputs[0]!
      const axis = axisOf(node, node.number('axis', 0), x.rank)
      node.output.shape = reducedShape(x, [axis], node.number('keepdims', 1) !== 0)
      node.output.dtype = 'int64'
    },
    countedAxis(node, _, axis) {
      const along = axisOf(node, node.number('axis', 0), node.inputs[0]!.rank)
      if (axis === along) return undefined
      return axis > along && !node.number('keepdims', 1) ? axis - 1 : axis
    },
    behind: (node, _, axis) =>
      axis !== axisOf(node, node.number('axis', 0), node.inputs[0]!.rank)
        ? undefined
        : least
          ? Number.POSITIVE_INFINITY
          : Number.NEGATIVE_INFINITY,
    lower(node, to) {
      const x = to.view(node.inputs[0]!)
      const y = to.view(node.output)
      const axis = axisOf(node, node.number('axis', 0), x.shape.length)
      const kept = keptLoops(node, x, y, [axis])
      to.call(
        argmaxKernel,
        {
          least: least ? 1 : 0,
          last: node.number('select_last_index', 0) ? 1 : 0,
          count: x.shape[axis],
          step: x.strides[axis],
          ...numbered('k', kept.sizes),
          ...numbered('x', kept.strides[0]),
          ...numbered('y', kept.strides[1])
        },
        { x, y }
      )
    }
  }
}
