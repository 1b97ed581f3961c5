import { refuse } from '../../errors.js'
import type { Node } from '../../graph/index.js'
import { axisOf, describe, type Op } from '../op.js'
import { pooling } from './pool.js'

/** Roots of sums of powers of magnitudes, which the decompose pass spells with pooling and reductions. */

export function exponentOf(node: Node): number {
  const p = node.number('p', 2)
  if (p >= 1) return p
  throw refuse(node, `p is ${p}; numbers from 1 are allowed`)
}

const lpPool: Op = {
  infer(node) {
    exponentOf(node)
    pooling.SumPool.infer(node)
  }
}

const globalLpPool: Op = {
  infer(node) {
    const x = node.inputs[0]!
    exponentOf(node)
    if (x.rank < 3) throw refuse(node, `takes images, channels and one spatial axis or more, not ${describe(x)}`)
    node.output.dtype = x.dtype
    node.output.shape = x.shape.map((size, axis) => (axis < 2 ? size : 1))
  }
}

const lpNormalization: Op = {
  infer(node) {
    const x = node.inputs[0]!
    const p = exponentOf(node)
    if (p !== 1 && p !== 2) throw refuse(node, `p is ${p}; 1 and 2 are allowed`)
    axisOf(node, node.number('axis', -1), x.rank)
    node.output.dtype = x.dtype
    node.output.shape = x.shape
  }
}

export const norms: Record<string, Op> = {
  LpPool: lpPool,
  GlobalLpPool: globalLpPool,
  LpNormalization: lpNormalization
}
