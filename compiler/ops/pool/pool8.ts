import { requantised, requantiseFields, requantiseOf } from '../elementwise/requantise.js'
import { kernel, type Op } from '../op.js'
import { visit } from '../visit.js'
import { poolFields, pooling, poolKinds, poolParameters } from './pool.js'

/** Pooling of bytes: maxima as they are, means with another scale. */

/**
 * As pool, of bytes: the maximum as it is, or requantise(mean(x - xZero) * scale). Of padding that counts nothing is summed.
 */
export const pool8Kernel = kernel({
  name: 'pool8',
  fields: { ...poolFields, xZero: 'u32', scale: 'f32', ...requantiseFields },
  buffers: { x: 'read', y: 'write' },
  reference(p, { x, y }) {
    const padded = [p.x0 + p.e0, p.x1 + p.e1, p.x2 + p.e2]
    visit([p.batch, p.y0, p.y1, p.y2, p.channels], ([n, o0, o1, o2, c]) => {
      let largest = 0
      let sum = 0
      let inside = 0
      let counted = 0
      visit([p.k0, p.k1, p.k2], ([k0, k1, k2]) => {
        const [a0, a1, a2] = [o0 * p.s0 - p.b0 + k0 * p.d0, o1 * p.s1 - p.b1 + k1 * p.d1, o2 * p.s2 - p.b2 + k2 * p.d2]
        if (a0 < padded[0] && a1 < padded[1] && a2 < padded[2]) counted++
        if (a0 < 0 || a0 >= p.x0 || a1 < 0 || a1 >= p.x1 || a2 < 0 || a2 >= p.x2) return
        const value = x[n * p.xBatch + a0 * p.i0 + a1 * p.i1 + a2 * p.i2 + c]
        largest = Math.max(largest, value)
        sum += value - p.xZero
        inside++
      })
      const share = Math.fround(Math.fround(p.scale) / Math.max(p.kind === 1 ? inside : counted, 1))
      y[n * p.yBatch + o0 * p.o0 + o1 * p.o1 + o2 * p.o2 + c] = p.kind === 0 ? largest : requantised(sum, share, 0, p)
    })
  }
})

/** As the quantise pass makes it of MaxPool and AveragePool, whose attributes it has; `kind` is the name in poolKinds. */
export const pool8: Op = {
  infer(node) {
    pooling.AveragePool.infer(node)
    node.output.dtype = 'uint8'
    node.output.narrow = true
  },
  layout: 'channelsLast',
  lower(node, to) {
    const x = to.view(node.inputs[0]!)
    const y = to.view(node.output)
    const kind = poolKinds.indexOf(node.text('kind', 'max') as 'max')
    to.call(
      pool8Kernel,
      {
        ...poolParameters(node, x, y),
        ...{ kind, xZero: node.number('xZero', 0), scale: node.number('scale', 1) },
        ...requantiseOf(node)
      },
      { x, y }
    )
  }
}
