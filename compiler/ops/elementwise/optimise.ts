import { product } from '../../algebra/index.js'
import type { Node } from '../../graph/index.js'
import { kernel, type Lowering, type Op, plainOrder } from '../op.js'
import { emitCopy } from './elementwise.js'

/**
 * The updates at the end of a training step, which change states where they lie. `rate` holds what changes from step to
 * step; a step whose gradients are not finite changes no weight.
 */

/** What a gradient's norm leaves of a step: all, what clipping leaves, or nothing where it is not finite. */
function shareOf(norm: number, clip: number): number {
  if (!Number.isFinite(norm)) return 0
  return clip > 0 && norm > clip ? clip / norm : 1
}

/**
 * Stochastic gradient descent with momentum (Sutskever et al. 2013, section 2): m = momentum * m + g, w -= lr * m, or with
 * Nesterov's w -= lr * (g + momentum * m). `rate` is [lr]; l1 and l2 are added to the gradient.
 */
export const sgdKernel = kernel({
  name: 'sgd',
  fields: { count: 'u32', factor: 'f32', momentum: 'f32', nesterov: 'u32', l1: 'f32', l2: 'f32', clip: 'f32' },
  buffers: { g: 'read', rate: 'read', norm: 'read', w: 'write', m: 'write' },
  reference(p, { g, rate, norm, w, m }) {
    const share = shareOf(norm[0], p.clip)
    if (share === 0) return
    for (let i = 0; i < p.count; i++) {
      const gradient = g[i] * share + p.l2 * w[i] + p.l1 * Math.sign(w[i])
      m[i] = p.momentum * m[i] + gradient
      w[i] -= rate[0] * p.factor * (p.nesterov ? gradient + p.momentum * m[i] : m[i])
    }
  }
})

/**
 * Adam (Kingma and Ba 2015, algorithm 1) with decoupled decay (AdamW, Loshchilov and Hutter 2019, algorithm 2). `rate` is
 * [lr, 1 / (1 - beta1^t), 1 / (1 - beta2^t)].
 */
export const adamKernel = kernel({
  name: 'adam',
  fields: {
    count: 'u32',
    factor: 'f32',
    beta1: 'f32',
    beta2: 'f32',
    epsilon: 'f32',
    l1: 'f32',
    l2: 'f32',
    decay: 'f32',
    clip: 'f32'
  },
  buffers: { g: 'read', rate: 'read', norm: 'read', w: 'write', m: 'write', v: 'write' },
  reference(p, { g, rate, norm, w, m, v }) {
    const share = shareOf(norm[0], p.clip)
    if (share === 0) return
    const [lr, first, second] = [rate[0] * p.factor, rate[1], rate[2]]
    for (let i = 0; i < p.count; i++) {
      const gradient = g[i] * share + p.l2 * w[i] + p.l1 * Math.sign(w[i])
      m[i] = p.beta1 * m[i] + (1 - p.beta1) * gradient
      v[i] = p.beta2 * v[i] + (1 - p.beta2) * gradient * gradient
      w[i] -= lr * ((m[i] * first) / (Math.sqrt(v[i] * second) + p.epsilon) + p.decay * w[i])
    }
  }
})

/** The weights' own place is the output. */
const inState: Pick<Op, 'infer' | 'layout' | 'alias'> = {
  infer(node) {
    node.output.dtype = node.inputs[0]!.dtype
    node.output.shape = node.inputs[0]!.shape
  },
  layout: 'plain',
  alias: (_, view) => [view]
}

const number = (node: Node, name: string) => node.number(name, 0)

function operandsOf(node: Node, to: Lowering) {
  const [w, gradient, rate, norm, ...moments] = node.inputs
  return {
    count: product(w!.shape),
    g: to.dense(gradient!, plainOrder(gradient!.rank)),
    rate: to.view(rate!),
    norm: to.view(norm!),
    w: to.view(w!),
    moments: moments.map(moment => to.view(moment!))
  }
}

export const optimisers: Record<string, Op> = {
  /** Inputs: weights, gradient, rate, norm of all gradients, momentum. */
  Sgd: {
    ...inState,
    required: 5,
    lower(node, to) {
      const { count, moments, ...buffers } = operandsOf(node, to)
      to.call(
        sgdKernel,
        {
          count,
          factor: node.number('factor', 1),
          momentum: number(node, 'momentum'),
          nesterov: number(node, 'nesterov'),
          l1: number(node, 'l1'),
          l2: number(node, 'l2'),
          clip: number(node, 'clip')
        },
        { ...buffers, m: moments[0] }
      )
    }
  },
  /** Inputs: weights, gradient, rate, norm of all gradients, first and second moment. */
  Adam: {
    ...inState,
    required: 6,
    lower(node, to) {
      const { count, moments, ...buffers } = operandsOf(node, to)
      to.call(
        adamKernel,
        {
          count,
          factor: node.number('factor', 1),
          beta1: node.number('beta1', 0.9),
          beta2: node.number('beta2', 0.999),
          epsilon: node.number('epsilon', 1e-8),
          l1: number(node, 'l1'),
          l2: number(node, 'l2'),
          decay: number(node, 'decay'),
          clip: number(node, 'clip')
        },
        { ...buffers, m: moments[0], v: moments[1] }
      )
    }
  },
  /** Inputs: a state, and what it holds from now on. */
  Assign: {
    ...inState,
    required: 2,
    lower: (node, to) => emitCopy(to, node, to.view(node.inputs[1]!), to.view(node.output))
  }
}
