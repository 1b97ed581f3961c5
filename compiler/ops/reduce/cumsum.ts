import { keptLoops, loopDepth } from '../axes.js'
import { axisOf, fields, kernel, numbered, numbersOf, type Op } from '../op.js'
import { visit } from '../visit.js'

/** Running sums of `count` elements along an axis, from either end, with the element itself or without. */
export const cumsumKernel = kernel({
  name: 'cumsum',
  fields: {
    exclusive: 'u32',
    reverse: 'u32',
    count: 'u32',
    xStep: 'u32',
    yStep: 'u32',
    ...fields('k', loopDepth),
    ...fields('x', loopDepth),
    ...fields('y', loopDepth)
  },
  buffers: { x: 'read', y: 'write' },
  reference(p, { x, y }) {
    visit([p.k0, p.k1, p.k2, p.k3], k => {
      const from = k[0] * p.x0 + k[1] * p.x1 + k[2] * p.x2 + k[3] * p.x3
      const to = k[0] * p.y0 + k[1] * p.y1 + k[2] * p.y2 + k[3] * p.y3
      let sum = 0
      for (let i = 0; i < p.count; i++) {
        const at = p.reverse ? p.count - 1 - i : i
        const element = x[from + at * p.xStep]
        y[to + at * p.yStep] = p.exclusive ? sum : sum + element
        sum += element
      }
    })
  }
})

const cumSum: Op = {
  required: 2,
  infer(node) {
    const x = node.inputs[0]!
    axisOf(node, numbersOf(node, 1, 'axis')![0], x.rank)
    node.output.shape = x.shape
    node.output.dtype = x.dtype
  },
  lower(node, to) {
    const x = to.view(node.inputs[0]!)
    const y = to.view(node.output)
    const axis = axisOf(node, numbersOf(node, 1, 'axis')![0], x.shape.length)
    const kept = keptLoops(node, x, y, [axis])
    to.call(
      cumsumKernel,
      {
        exclusive: node.number('exclusive', 0),
        reverse: node.number('reverse', 0),
        count: x.shape[axis],
        xStep: x.strides[axis],
        yStep: y.strides[axis],
        ...numbered('k', kept.sizes),
        ...numbered('x', kept.strides[0]),
        ...numbered('y', kept.strides[1])
      },
      { x, y }
    )
  }
}

export const cumulation: Record<string, Op> = { CumSum: cumSum }
