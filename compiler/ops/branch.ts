import { refuse } from '../errors.js'
import type { Branch, Node } from '../graph.js'
import type { Op } from './op.js'

/** The branch that the node takes whenever it runs; undefined where only a run knows. */
export function takenBranch(node: Node): Branch | undefined {
  const [condition] = node.inputs
  const known = condition?.data?.[0] ?? condition?.ints?.[0]
  if (typeof known !== 'number') return undefined
  const name = known ? 'then_branch' : 'else_branch'
  const branch = node.attributes.get(name)
  if (typeof branch === 'object' && 'inline' in branch) return branch
  throw refuse(node, `has no ${name}`)
}

/** Inference puts the branch in the node's place, so that none is left to infer but those that cannot be. */
const conditional: Op = {
  infer(node) {
    const condition = node.inputs[0]!.name
    throw refuse(
      node,
      `condition "${condition}" is known only when it runs; one that constants and given shapes decide is allowed`
    )
  }
}

export const branches: Record<string, Op> = { If: conditional }
