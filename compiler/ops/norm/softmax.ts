import type { Node } from '../../graph/index.js'
import { keptLoops, loopDepth } from '../axes.js'
import { emitCopy } from '../elementwise/elementwise.js'
import { axisOf, fields, kernel, loopsOver, numbered, type Op, type View } from '../op.js'
import { visit } from '../visit.js'

/** Softmax, or its logarithm, of each row of `count` elements, which lie xStep and yStep apart; k loops over rows. */
export const softmaxKernel = kernel({
  name: 'softmax',
  fields: {
    logarithm: 'u32',
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
      const row = Array.from({ length: p.count }, (_, i) => x[from + i * p.xStep])
      const largest = row.reduce((a, b) => Math.max(a, b))
      const sum = row.reduce((total, value) => total + Math.exp(value - largest), 0)
      row.forEach((value, i) => {
        const shifted = value - largest
        y[to + i * p.yStep] = p.logarithm ? shifted - Math.log(sum) : Math.exp(shifted) / sum
      })
    })
  }
})

/** Before opset 13 a row is everything from the axis on; the importer marks that by `flatten`. */
export function softmaxAxes(node: Node): readonly number[] {
  const { rank } = node.inputs[0]!
  const flatten = node.number('flatten', 0) !== 0
  const axis = axisOf(node, node.number('axis', flatten ? 1 : -1), rank)
  return Array.from({ length: flatten ? rank - axis : 1 }, (_, i) => axis + i)
}

function softmaxOp(logarithm: boolean): Op {
  return {
    infer(node) {
      const x = node.inputs[0]!
      node.output.shape = x.shape
      node.output.dtype = x.dtype
      softmaxAxes(node)
    },
    inPlace: [0],
    countedAxis: (node, _, axis) => (softmaxAxes(node).includes(axis) ? undefined : axis),
    lower(node, to) {
      const axes = softmaxAxes(node)
      const rowsOf = (x: View, y: View) =>
        loopsOver(
          x.shape,
          x.order.filter(axis => axes.includes(axis)),
          [x.strides, y.strides],
          1
        )
      const target = to.view(node.output)
      let x = to.view(node.inputs[0]!)
      let y = target
      let rows = rowsOf(x, y)
      if (!rows) {
        x = to.dense(node.inputs[0]!)
        y = to.scratch(x.shape, x.order)
        rows = rowsOf(x, y)!
      }
      const kept = keptLoops(node, x, y, axes)
      to.call(
        softmaxKernel,
        {
          logarithm: logarithm ? 1 : 0,
          count: rows.sizes[0],
          xStep: rows.strides[0][0],
          yStep: rows.strides[1][0],
          ...numbered('k', kept.sizes),
          ...numbered('x', kept.strides[0]),
          ...numbered('y', kept.strides[1])
        },
        { x, y }
      )
      if (y !== target) emitCopy(to, node, y, target)
    }
  }
}

export const softmaxes: Record<string, Op> = {
  Softmax: softmaxOp(false),
  LogSoftmax: softmaxOp(true)
}
