import { refuse } from '../../errors.js'
import { keptLoops, loopDepth } from '../axes.js'
import { keptBatch } from '../broadcast.js'
import { activate } from '../elementwise/activation.js'
import { epilogueOf } from '../elementwise/elementwise.js'
import { describe, fields, kernel, numbered, type Op } from '../op.js'
import { visit } from '../visit.js'
import { groupOp } from './groupnorm.js'
import { layerNormalization } from './layernorm.js'

/** y = activation(x * scale + shift) by channel, the innermost axis; k loops over pixels. */
export const scaleShiftKernel = kernel({
  name: 'scaleShift',
  fields: {
    channels: 'u32',
    ...fields('k', loopDepth),
    ...fields('x', loopDepth),
    ...fields('y', loopDepth),
    act: 'u32',
    alpha: 'f32',
    beta: 'f32'
  },
  buffers: { x: 'read', scale: 'read', shift: 'read', y: 'write' },
  reference(p, { x, scale, shift, y }) {
    visit([p.k0, p.k1, p.k2, p.k3, p.channels], k => {
      const from = k[0] * p.x0 + k[1] * p.x1 + k[2] * p.x2 + k[3] * p.x3
      const to = k[0] * p.y0 + k[1] * p.y1 + k[2] * p.y2 + k[3] * p.y3
      const c = k[4]
      y[to + c] = activate(p.act, x[from + c] * scale[c] + shift[c], p.alpha, p.beta)
    })
  }
})

/** Local response normalisation over `size` neighbouring channels; `alpha` is ONNX's alpha / size. */
export const lrnKernel = kernel({
  name: 'lrn',
  fields: {
    channels: 'u32',
    size: 'u32',
    alpha: 'f32',
    beta: 'f32',
    bias: 'f32',
    ...fields('k', loopDepth),
    ...fields('x', loopDepth),
    ...fields('y', loopDepth)
  },
  buffers: { x: 'read', y: 'write' },
  reference(p, { x, y }) {
    const before = Math.floor((p.size - 1) / 2)
    visit([p.k0, p.k1, p.k2, p.k3, p.channels], k => {
      const from = k[0] * p.x0 + k[1] * p.x1 + k[2] * p.x2 + k[3] * p.x3
      const to = k[0] * p.y0 + k[1] * p.y1 + k[2] * p.y2 + k[3] * p.y3
      const first = k[4] - before
      let sum = 0
      for (let c = Math.max(first, 0); c < Math.min(first + p.size, p.channels); c++) sum += x[from + c] ** 2
      y[to + k[4]] = x[from + k[4]] / (p.bias + p.alpha * sum) ** p.beta
    })
  }
})

const sameShape: Op['infer'] = node => {
  const x = node.inputs[0]!
  if (x.rank < 2) throw refuse(node, `input ${describe(x)}; a batch and a channel axis are needed`)
  node.output.shape = x.shape
  node.output.dtype = x.dtype
}

const scaleShift: Op = {
  infer: sameShape,
  layout: 'channelsLast',
  countedAxis: keptBatch,
  inPlace: [0],
  lower(node, to) {
    const [x, scale, shift] = node.inputs.map(input => to.view(input!))
    const y = to.view(node.output)
    const kept = keptLoops(node, x, y, [1])
    to.call(
      scaleShiftKernel,
      {
        channels: x.shape[1],
        ...numbered('k', kept.sizes),
        ...numbered('x', kept.strides[0]),
        ...numbered('y', kept.strides[1]),
        ...epilogueOf(node)
      },
      { x, scale, shift, y }
    )
  }
}

const lrn: Op = {
  infer(node) {
    sameShape(node)
    if (node.number('size', 0) < 1) throw refuse(node, `size is ${node.number('size', 0)}; at least 1 is allowed`)
  },
  layout: 'channelsLast',
  lower(node, to) {
    const x = to.view(node.inputs[0]!)
    const y = to.view(node.output)
    const kept = keptLoops(node, x, y, [1])
    const size = node.number('size', 1)
    to.call(
      lrnKernel,
      {
        channels: x.shape[1],
        size,
        alpha: node.number('alpha', 0.0001) / size,
        beta: node.number('beta', 0.75),
        bias: node.number('bias', 1),
        ...numbered('k', kept.sizes),
        ...numbered('x', kept.strides[0]),
        ...numbered('y', kept.strides[1])
      },
      { x, y }
    )
  }
}

export const normalization: Record<string, Op> = {
  /** What is left of a BatchNormalization that no convolution takes in. */
  ScaleShift: scaleShift,
  LRN: lrn,
  InstanceNormalization: groupOp(node => node.inputs[0]!.shape[1]),
  GroupNormalization: groupOp(node => node.number('num_groups', 1)),
  LayerNormalization: layerNormalization
}
