import { requantised, requantiseFields, requantiseOf } from '../elementwise/requantise.js'
import { kernel, type Op } from '../op.js'
import { forEachWindow, poolFields, pooling, poolKinds, poolParameters } from './pool.js'

/** Pooling of bytes: maxima as they are, means with another scale. */

/**
 * As pool, of bytes: the maximum as it is, or requantise(mean(x - xZero) * scale). Of padding that counts nothing is summed.
 */
export const pool8Kernel = kernel({
  name: 'pool8',
  fields: { ...poolFields, xZero: 'u32', scale: 'f32', ...requantiseFields },
  buffers: { x: 'read', y: 'write' },
  reference(p, { x, y }) {
    forEachWindow(p, x, (to, { largest, sum, inside, counted }) => {
      const share = Math.fround(Math.fround(p.scale) / Math.max(p.kind === 1 ? inside : counted, 1))
      // A window of padding alone has no largest byte but the smallest that there is.
      y[to] = p.kind === 0 ? Math.max(largest, 0) : requantised(sum - inside * p.xZero, share, 0, p)
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
