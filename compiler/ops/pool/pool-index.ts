import { add, mul, product, show, showShape, sub } from '../../algebra/index.js'
import { refuse } from '../../errors.js'
import type { Node, Value } from '../../graph/index.js'
import { mostElements } from '../movement/gather.js'
import { describe, intsOf, kernel, type Op } from '../op.js'
import { visit } from '../visit.js'
import { poolFields, poolParameters, windowsOf } from './pool.js'

/** Where the maxima of a pooling are, and putting them back there (SegNet). */

const { kind: _, ...windowFields } = poolFields

/**
 * The place of each window's first maximum in the flat input, of all images and channels; with `columns`, rows of a plane
 * lie closest. Windows as in `pool`.
 */
export const poolIndexKernel = kernel({
  name: 'poolIndex',
  fields: { columns: 'u32', ...windowFields },
  buffers: { x: 'read', y: 'write' },
  reference(p, { x, y }) {
    visit([p.batch, p.y0, p.y1, p.y2, p.channels], ([n, o0, o1, o2, c]) => {
      let largest = Number.NEGATIVE_INFINITY
      let place = 0
      visit([p.k0, p.k1, p.k2], ([k0, k1, k2]) => {
        const [a0, a1, a2] = [o0 * p.s0 - p.b0 + k0 * p.d0, o1 * p.s1 - p.b1 + k1 * p.d1, o2 * p.s2 - p.b2 + k2 * p.d2]
        if (a0 < 0 || a0 >= p.x0 || a1 < 0 || a1 >= p.x1 || a2 < 0 || a2 >= p.x2) return
        const value = x[n * p.xBatch + a0 * p.i0 + a1 * p.i1 + a2 * p.i2 + c]
        if (!(value > largest)) return
        largest = value
        place = p.columns ? (a2 * p.x1 + a1) * p.x0 + a0 : (a0 * p.x1 + a1) * p.x2 + a2
      })
      const plane = (n * p.channels + c) * p.x0 * p.x1 * p.x2
      y[n * p.yBatch + o0 * p.o0 + o1 * p.o1 + o2 * p.o2 + c] = plane + place
    })
  }
})

/** Places are carried as floats. */
function checkPlaces(node: Node, value: Value): void {
  const count = product(value.shape)
  if (typeof count === 'number' && count > mostElements)
    throw refuse(node, `${describe(value)} has more than ${mostElements} elements, so that places are not exact`)
}

/** The second output of a MaxPool, which the decompose pass takes apart. */
const maxPoolIndices: Op = {
  infer(node) {
    const x = node.inputs[0]!
    checkPlaces(node, x)
    node.output.shape = [...x.shape.slice(0, 2), ...windowsOf(node).out]
    node.output.dtype = 'int64'
  },
  layout: 'channelsLast',
  lower(node, to) {
    const x = to.view(node.inputs[0]!)
    const y = to.view(node.output)
    const columns = node.number('storage_order', 0)
    to.call(poolIndexKernel, { columns, ...poolParameters(node, x, y) }, { x, y })
  }
}

/** What the decompose pass spells as a scatter into zeros; places count within the output. */
const maxUnpool: Op = {
  required: 2,
  infer(node) {
    const [x, indices, given] = node.inputs as Value[]
    const kernel = node.list('kernel_shape')
    if (!kernel || x.rank !== kernel.length + 2) throw refuse(node, `kernel_shape does not fit ${describe(x)}`)
    const strides = node.list('strides') ?? kernel.map(() => 1)
    const pads = node.list('pads') ?? kernel.flatMap(() => [0, 0])
    if (indices.rank !== x.rank || !x.shape.every((size, axis) => node.expectEqual(size, indices.shape[axis])))
      throw refuse(node, `indices ${describe(indices)} must have the shape ${showShape(x.shape)}`)
    const spatial = x.shape
      .slice(2)
      .map((size, i) => sub(add(mul(sub(size, 1), strides[i]), kernel[i]), pads[i] + pads[i + kernel.length]))
    node.output.shape = given ? intsOf(node, 2, 'output_shape')! : [...x.shape.slice(0, 2), ...spatial]
    node.output.dtype = x.dtype
    checkPlaces(node, node.output)
    const outside = indices.data?.find(i => i < 0 || i >= (product(node.output.shape) as number))
    if (outside !== undefined)
      throw refuse(node, `index ${outside} is outside ${show(product(node.output.shape))} places`)
  }
}

export const poolIndices: Record<string, Op> = { MaxPoolIndices: maxPoolIndices, MaxUnpool: maxUnpool }
