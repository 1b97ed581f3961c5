import { kernel, type Op } from '../op.js'
import { visit } from '../visit.js'
import { poolFields, poolKinds, poolParameters, visitWindow } from './pool.js'

/**
 * The gradient of a pooling's input, from that input and the gradient of the output; `i` fields are the strides of the
 * input and of its gradient alike, which `dx` has dense. The maximum that comes first in a window takes its whole gradient.
 */
export const poolGradientKernel = kernel({
  name: 'poolGradient',
  fields: poolFields,
  buffers: { x: 'read', dy: 'read', dx: 'write' },
  reference(p, { x, dy, dx }) {
    const at = (n: number, a0: number, a1: number, a2: number, c: number) =>
      (((n * p.x0 + a0) * p.x1 + a1) * p.x2 + a2) * p.channels + c
    dx.fill(0, 0, at(p.batch, 0, 0, 0, 0))
    visit([p.batch, p.y0, p.y1, p.y2, p.channels], ([n, o0, o1, o2, c]) => {
      const gradient = dy[n * p.yBatch + o0 * p.o0 + o1 * p.o1 + o2 * p.o2 + c]
      const inside: number[] = []
      let largest = Number.NEGATIVE_INFINITY
      let first = -1
      const counted = visitWindow(p, [o0, o1, o2], (a0, a1, a2) => {
        const value = x[n * p.xBatch + a0 * p.i0 + a1 * p.i1 + a2 * p.i2 + c]
        inside.push(at(n, a0, a1, a2, c))
        if (value > largest) {
          largest = value
          first = inside[inside.length - 1]
        }
      })
      if (p.kind === 0) {
        if (first >= 0) dx[first] += gradient
      } else {
        const share = p.kind === 3 ? 1 : Math.max(p.kind === 1 ? inside.length : counted, 1)
        for (const place of inside) dx[place] += gradient / share
      }
    })
  }
})

/** Inputs: a pooling's input, and the gradient of its output; attributes are the pooling's, and its `kind`. */
const poolGradient: Op = {
  required: 2,
  infer(node) {
    node.output.dtype = node.inputs[0]!.dtype
    node.output.shape = node.inputs[0]!.shape
  },
  layout: 'channelsLast',
  activations: 2,
  writesDense: true,
  lower(node, to) {
    const [x, dy] = node.inputs.map(input => to.view(input!))
    const kind = poolKinds.indexOf(node.text('kind', 'max') as (typeof poolKinds)[number])
    to.call(poolGradientKernel, { kind, ...poolParameters(node, x, dy) }, { x, dy, dx: to.view(node.output) })
  }
}

export const poolingGradient: Record<string, Op> = { PoolGradient: poolGradient }
