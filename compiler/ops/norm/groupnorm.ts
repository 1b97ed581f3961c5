import { ceilDiv, type Dim, mul, same, show } from '../../algebra/index.js'
import { refuse } from '../../errors.js'
import type { Node } from '../../graph/index.js'
import { activate } from '../elementwise/activation.js'
import { epilogueOf } from '../elementwise/elementwise.js'
import { describe, fields, kernel, loopsOver, numbered, type Op } from '../op.js'
import { visit } from '../visit.js'

const spatialDepth = 3

/**
 * Each group of neighbouring channels of each image brought to mean 0 and variance 1, then scaled and shifted by
 * channel, or by group with `perGroup`, and activated. p loops over pixels; `work` holds 5 floats a channel.
 */
export const groupNormKernel = kernel({
  name: 'groupNorm',
  fields: {
    batch: 'u32',
    channels: 'u32',
    groups: 'u32',
    perGroup: 'u32',
    epsilon: 'f32',
    ...fields('p', spatialDepth),
    xBatch: 'u32',
    ...fields('x', spatialDepth),
    yBatch: 'u32',
    ...fields('y', spatialDepth),
    act: 'u32',
    alpha: 'f32',
    beta: 'f32'
  },
  buffers: { x: 'read', scale: 'read', bias: 'read', work: 'scratch', y: 'write' },
  reference(p, { x, scale, bias, y }) {
    const width = p.channels / p.groups
    visit([p.batch, p.groups], ([n, group]) => {
      const at = (i: readonly number[]) => n * p.xBatch + i[0] * p.x0 + i[1] * p.x1 + i[2] * p.x2 + group * width + i[3]
      const sizes = [p.p0, p.p1, p.p2, width]
      const count = p.p0 * p.p1 * p.p2 * width
      let mean = 0
      let variance = 0
      visit(sizes, i => (mean += x[at(i)] / count))
      visit(sizes, i => (variance += (x[at(i)] - mean) ** 2 / count))
      visit(sizes, i => {
        const c = group * width + i[3]
        const of = p.perGroup ? group : c
        const value = ((x[at(i)] - mean) / Math.sqrt(variance + p.epsilon)) * scale[of] + bias[of]
        const to = n * p.yBatch + i[0] * p.y0 + i[1] * p.y1 + i[2] * p.y2 + c
        y[to] = activate(p.act, value, p.alpha, p.beta)
      })
    })
  }
})

/** InstanceNormalization has a group per channel. Scale and bias are by group before opset 21, by channel since. */
export function groupOp(groupsOf: (node: Node) => Dim): Op {
  return {
    required: 3,
    infer(node) {
      const [x, scale, bias] = node.inputs
      if (!x || x.rank < 2) throw refuse(node, `input ${x && describe(x)}; a batch and a channel axis are needed`)
      if (!scale || !bias) throw refuse(node, 'scale and bias are needed')
      const channels = x.shape[1]
      const groups = groupsOf(node)
      if (typeof channels === 'number' && typeof groups === 'number' && (groups < 1 || channels % groups))
        throw refuse(node, `num_groups is ${groups}; a divisor of the ${channels} channels is allowed`)
      for (const value of [scale, bias])
        if (value.rank !== 1 || !(same(value.shape[0], channels) || same(value.shape[0], groups)))
          throw refuse(node, `${describe(value)}; ${show(channels)} or ${show(groups)} elements are allowed`)
      node.output.shape = x.shape
      node.output.dtype = x.dtype
    },
    layout: 'channelsLast',
    inPlace: [0],
    lower(node, to) {
      const [x, scale, bias] = node.inputs.map(input => to.view(input!))
      const y = to.view(node.output)
      const channels = x.shape[1]
      const spatial = x.order.filter(axis => axis > 1)
      const pixels = loopsOver(x.shape, spatial, [x.strides, y.strides], spatialDepth)
      if (!pixels) throw refuse(node, `needs more than ${spatialDepth} nested loops over its spatial axes`)
      to.call(
        groupNormKernel,
        {
          batch: x.shape[0],
          channels,
          groups: groupsOf(node),
          perGroup: same(scale.shape[0], channels) ? 0 : 1,
          epsilon: node.number('epsilon', 1e-5),
          ...numbered('p', pixels.sizes),
          xBatch: x.strides[0],
          ...numbered('x', pixels.strides[0]),
          yBatch: y.strides[0],
          ...numbered('y', pixels.strides[1]),
          ...epilogueOf(node)
        },
        { x, scale, bias, work: to.scratch([mul(ceilDiv(channels, 4), 4), 5]), y }
      )
    }
  }
}
