import { refuse } from '../../errors.js'
import type { Value } from '../../graph/index.js'
import { broadcastShape } from '../broadcast.js'
import { broadcastStrides, fields, kernel, loopsOver, numbered, type Op } from '../op.js'
import { loopDepth, visit } from '../visit.js'
import { narrowed, requantiseFields, requantiseOf } from './requantise.js'

/** Sums and products of bytes with scales of their own, in single precision. */

/** The position in this list is the kernel's `kind`. */
export const binaries8 = ['add', 'mul'] as const

/** y = narrow(((a - aZero) * aScale op (b - bZero) * bScale) / yScale), with broadcasting by zero strides. */
export const binary8Kernel = kernel({
  name: 'binary8',
  fields: {
    ...fields('d', loopDepth),
    ...fields('a', loopDepth, 'i32'),
    ...fields('b', loopDepth, 'i32'),
    ...fields('y', loopDepth, 'i32'),
    kind: 'u32',
    aZero: 'u32',
    bZero: 'u32',
    aScale: 'f32',
    bScale: 'f32',
    yScale: 'f32',
    ...requantiseFields
  },
  buffers: { a: 'read', b: 'read', y: 'write' },
  reference(p, { a, b, y }) {
    const f = Math.fround
    visit([p.d0, p.d1, p.d2, p.d3, p.d4, p.d5], i => {
      const ia = i[0] * p.a0 + i[1] * p.a1 + i[2] * p.a2 + i[3] * p.a3 + i[4] * p.a4 + i[5] * p.a5
      const ib = i[0] * p.b0 + i[1] * p.b1 + i[2] * p.b2 + i[3] * p.b3 + i[4] * p.b4 + i[5] * p.b5
      const iy = i[0] * p.y0 + i[1] * p.y1 + i[2] * p.y2 + i[3] * p.y3 + i[4] * p.y4 + i[5] * p.y5
      const [left, right] = [f((a[ia] - p.aZero) * f(p.aScale)), f((b[ib] - p.bZero) * f(p.bScale))]
      y[iy] = narrowed(f(f(p.kind === 0 ? left + right : left * right) / f(p.yScale)), p)
    })
  }
})

/** As the quantise pass makes it; `kind` names the operation. */
export const binary8: Op = {
  required: 2,
  infer(node) {
    node.output.shape = broadcastShape(node, ...(node.inputs as Value[]).map(input => input.shape))
    node.output.dtype = 'uint8'
    node.output.narrow = true
  },
  inPlace: [0, 1],
  lower(node, to) {
    const [a, b] = (node.inputs as Value[]).map(input => to.view(input))
    const y = to.view(node.output)
    const operands = [broadcastStrides(a, y.shape), broadcastStrides(b, y.shape), y.strides]
    const loops = loopsOver(y.shape, y.order, operands, loopDepth)
    if (!loops) throw refuse(node, `needs more than ${loopDepth} nested loops to visit its output`)
    to.call(
      binary8Kernel,
      {
        ...numbered('d', loops.sizes),
        ...numbered('a', loops.strides[0]),
        ...numbered('b', loops.strides[1]),
        ...numbered('y', loops.strides[2]),
        kind: binaries8.indexOf(node.text('kind', 'add') as 'add'),
        aZero: node.number('aZero', 0),
        bZero: node.number('bZero', 0),
        aScale: node.number('aScale', 1),
        bScale: node.number('bScale', 1),
        yScale: node.number('yScale', 1),
        ...requantiseOf(node)
      },
      { a, b, y }
    )
  }
}
