import { type Dim, mul, product, same, sameShape, show } from '../../algebra/index.js'
import { refuse } from '../../errors.js'
import { isConstant, largestFolded, type Node, type Value } from '../../graph/index.js'
import { keptLoops, loopDepth } from '../axes.js'
import { emitCopy } from '../elementwise/elementwise.js'
import {
  axisOf,
  describe,
  fields,
  hasOneOutput,
  kernel,
  type Lowering,
  numbered,
  type Op,
  plainOrder,
  type View
} from '../op.js'
import { visit } from '../visit.js'

/** Each contiguous row of `count` elements brought to mean 0 and variance 1, then scaled and shifted by element. */
export const layerNormKernel = kernel({
  name: 'layerNorm',
  fields: {
    count: 'u32',
    biased: 'u32',
    epsilon: 'f32',
    ...fields('k', loopDepth),
    ...fields('x', loopDepth),
    ...fields('y', loopDepth)
  },
  buffers: { x: 'read', scale: 'read', bias: 'read', y: 'write' },
  reference(p, { x, scale, bias, y }) {
    visit([p.k0, p.k1, p.k2, p.k3], k => {
      const from = k[0] * p.x0 + k[1] * p.x1 + k[2] * p.x2 + k[3] * p.x3
      const to = k[0] * p.y0 + k[1] * p.y1 + k[2] * p.y2 + k[3] * p.y3
      const row = Array.from({ length: p.count }, (_, i) => x[from + i])
      const mean = row.reduce((sum, value) => sum + value, 0) / p.count
      const variance = row.reduce((sum, value) => sum + (value - mean) ** 2, 0) / p.count
      row.forEach((value, i) => {
        const normal = (value - mean) / Math.sqrt(variance + p.epsilon)
        y[to + i] = normal * scale[i] + (p.biased ? bias[i] : 0)
      })
    })
  }
})

/** Whether the axes from `axis` on lie in memory as one contiguous run, in logical order. */
function contiguousFrom(view: View, axis: number): boolean {
  let step: Dim = 1
  for (let i = view.shape.length - 1; i >= axis; i--) {
    if (view.shape[i] !== 1 && !same(view.strides[i], step)) return false
    step = mul(step, view.shape[i])
  }
  return true
}

function firstAxis(node: Node): number {
  return axisOf(node, node.number('axis', -1), node.inputs[0]!.rank)
}

/** Scale or bias as the kernel reads it, one element a position; a single constant is repeated. */
function parameter(node: Node, value: Value, count: Dim, to: Lowering): View {
  if (!isConstant(value) || value.data.length !== 1 || count === 1) return to.dense(value, plainOrder(value.rank))
  if (typeof count !== 'number' || count > largestFolded)
    throw refuse(node, `${describe(value)} cannot be repeated for ${show(count)} elements`)
  return to.constant(`${value.name} repeated ${count}`, () => new Float32Array(count).fill(value.data[0]))
}

export const layerNormalization: Op = {
  gives: 3,
  takes: hasOneOutput,
  required: 2,
  infer(node) {
    const [x, scale, bias] = node.inputs
    const shape = x!.shape.slice(firstAxis(node))
    for (const value of [scale, bias]) {
      if (!value) continue
      const skipped = value.shape.findIndex(size => size !== 1)
      const own = value.rank > shape.length ? value.shape.slice(skipped < 0 ? -shape.length : skipped) : value.shape
      const repeats = isConstant(value) && value.data.length === 1
      if (!repeats && !sameShape(own, shape))
        throw refuse(node, `${describe(value)} must have the shape of the normalised axes`)
    }
    if (!scale) throw refuse(node, 'input Scale is needed')
    node.output.shape = x!.shape
    node.output.dtype = x!.dtype
    const kept = x!.shape.map((size, axis) => (axis < x!.rank - shape.length ? size : 1))
    for (const statistic of node.outputs.slice(1)) statistic.shape = kept
  },
  inPlace: [0],
  lower(node, to) {
    const axis = firstAxis(node)
    const target = to.view(node.output)
    let x = to.view(node.inputs[0]!)
    if (!contiguousFrom(x, axis)) x = to.dense(node.inputs[0]!, plainOrder(x.shape.length))
    const y = contiguousFrom(target, axis) ? target : to.scratch(x.shape)
    const axes = x.shape.map((_, i) => i).slice(axis)
    const kept = keptLoops(node, x, y, axes)
    const count = product(x.shape.slice(axis))
    const scale = parameter(node, node.inputs[1]!, count, to)
    const bias = node.inputs[2] && parameter(node, node.inputs[2], count, to)
    to.call(
      layerNormKernel,
      {
        count,
        biased: bias ? 1 : 0,
        epsilon: node.number('epsilon', 1e-5),
        ...numbered('k', kept.sizes),
        ...numbered('x', kept.strides[0]),
        ...numbered('y', kept.strides[1])
      },
      { x, scale, bias: bias ?? scale, y }
    )
    if (y !== target) emitCopy(to, node, y, target)
  }
}
